"""What spares most messages the searches for names and times must never spare one that has them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.understanding import waiting
from bot.understanding.entities import amounts, durations, find_entities, names, people, times_en
from tests.understanding.test_entities import AMOUNTS, IDENTIFIERS, NAMES
from tests.understanding.test_entity_times import DATES, DURATIONS

NOW = datetime(2026, 11, 5, 12, tzinfo=UTC)
TEXTS = sorted({text for text, *_ in (*AMOUNTS, *IDENTIFIERS, *NAMES, *DATES, *DURATIONS)})
_PIECE = re.compile(r"\s+|[A-Za-z0-9]+|[^A-Za-z0-9\s]")
PIECES = ["İ", "ı", "\u212a", "ſ", *sorted({piece for text in TEXTS for piece in _PIECE.findall(text)})]


@contextmanager
def _no_hints() -> Iterator[None]:
    """Every search is made in every text."""
    with ExitStack() as stack:
        stack.enter_context(patch.object(names, "_may_name_one", lambda _: True))
        for module in (times_en, durations):
            stack.enter_context(patch.object(module, "mentions", lambda *_: True))
        for searcher in (amounts, durations, people, times_en):
            stack.enter_context(patch.object(searcher, "has_digit", lambda _: True))
        stack.enter_context(patch.object(waiting, "_HINTS", ("",)))
        yield


@pytest.mark.parametrize("text", TEXTS)
def test_nothing_is_missed_for_a_hint(text: str) -> None:
    for written in (text, text.upper(), text.title(), text.replace(" ", "İ"), text.replace(" ", "\u212a")):
        with _no_hints():
            found, days = find_entities(written, NOW), waiting.days_in(written)
        assert find_entities(written, NOW) == found
        assert waiting.days_in(written) == days


@settings(max_examples=300)
@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=30).map("".join))
def test_nothing_is_missed_in_what_is_put_together_anew(text: str) -> None:
    with _no_hints():
        found, days = find_entities(text, NOW), waiting.days_in(text)
    assert find_entities(text, NOW) == found
    assert waiting.days_in(text) == days


@pytest.mark.parametrize("code", [*names.NAMES["assets"], *names.NAMES["networks"]])
def test_every_name_gives_itself_away(code: str) -> None:
    group = names.NAMES["assets"] if code in names.NAMES["assets"] else names.NAMES["networks"]
    for name in (code, *group[code]):
        assert names._may_name_one(f"what about {name}?")
        assert names._may_name_one(f"那{name}呢")


def test_most_messages_name_nothing() -> None:
    with patch.object(names, "_pipeline") as spacy:
        assert find_entities("why is it still pending, can anybody help me on this?", NOW) == ()
        assert find_entities("一直没有到账，能帮我看看吗？", NOW) == ()
    assert not spacy.called
