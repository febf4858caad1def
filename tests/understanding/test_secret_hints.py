"""What spares most messages the searches for secrets must never spare one that has a secret."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.understanding import hints
from bot.understanding.secrets import cards, codes, find_secrets, keys, password, seed
from tests.understanding.secrets_cases import HARMLESS, SHOWN

TEXTS = [*HARMLESS, *(text for _, text, _ in SHOWN)]
PIECES = sorted({piece for text in TEXTS for piece in re.findall(r"\s+|\w+|[^\w\s]+", text)})


@contextmanager
def _no_hints() -> Iterator[None]:
    """Every search is made in every text."""
    with ExitStack() as stack:
        for module in (cards, codes, keys, password):
            stack.enter_context(patch.object(module, "mentions", lambda *_: True))
        stack.enter_context(patch.object(cards, "digits_in", len))
        stack.enter_context(patch.object(cards, "_SHORTEST", 0))
        stack.enter_context(patch.object(seed, "_has_rare_words", lambda _: True))
        yield


@pytest.mark.parametrize("text", TEXTS)
def test_nothing_is_missed_for_a_hint(text: str) -> None:
    for written in (text, text.upper(), text.title(), text.replace("i", "ı"), text.replace("i", "İ")):
        with _no_hints():
            found = find_secrets(written)
        assert find_secrets(written) == found


@settings(max_examples=400)
@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=40).map("".join))
def test_nothing_is_missed_in_what_is_put_together_anew(text: str) -> None:
    with _no_hints():
        found = find_secrets(text)
    assert find_secrets(text) == found


def test_most_messages_have_no_hint() -> None:
    text = (
        "My withdrawal of 250 USDT has not arrived since yesterday, what can I do? 我的提现一直没有到账，能帮我看看吗？"
    )
    with ExitStack() as stack:
        searches = [stack.enter_context(patch.object(*place)) for place in ((keys, "_keys"), (seed, "labels"))]
        assert find_secrets(text) == ()
    assert not any(search.called for search in searches)


@pytest.mark.parametrize("written", ["pin", "PIN", "Pın", "pİn"])
def test_a_word_is_found_in_whatever_case(written: str) -> None:
    assert hints.mentions(f"my {written}: 4711", "pin")
    assert not hints.mentions("my wallet: 4711", "pin")
