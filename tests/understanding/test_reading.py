"""Is any message read quickly and without an error?"""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.understanding.entities import prepare
from bot.understanding.reading import read


@pytest.fixture(scope="module", autouse=True)
def _prepared() -> None:
    prepare()


HOSTILE = [
    "a" * 100_000, "1" * 100_000, "9" * 10_000, "." * 100_000 + "x", "我" * 100_000, "被" * 100_000,
    "account " * 12_000, "not " * 25_000, "0x" * 50_000, "-_" * 50_000, "rd " * 33_000, "a@" * 50_000, "1," * 50_000,
    "failed " * 14_000,
    "\x00\x1b\ufffe" * 30_000, "👩‍👩‍👧" * 12_000, "order id " * 11_000, "T" * 100_000, "$" * 100_000, "\ud83d" * 1000,
    "tried " * 16_000, "no " * 33_000, "speak to a " * 9_000, "没有" * 50_000,
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:8]))
def test_a_hostile_text_is_read_within_a_second(text: str) -> None:
    started = time.process_time()
    read(text)
    assert time.process_time() - started < 1


WORDS = [
    "not",
    "hacked",
    "account",
    "deposit",
    "3 days",
    "没",
    "被盗",
    "充值",
    "到账",
    "RD-",
    "0x",
    "，",
    ".",
    "!",
    "\n",
]


@settings(max_examples=60, deadline=1000)
@given(st.text(max_size=3000) | st.lists(st.sampled_from(WORDS), max_size=400).map(" ".join))
def test_any_text_is_read_and_travels_as_json(text: str) -> None:
    metadata = read(text).as_metadata()
    assert json.loads(json.dumps(metadata)) == metadata
    assert metadata["signals"].keys() == {"escalate", "hand_over", "severity", "reasons", "features", "days"}


def test_what_travels_to_rasa() -> None:
    metadata = read("UID 12345678：账户被盗，转人工").as_metadata()
    assert metadata == {
        "language": "zh",
        "entities": [{"kind": "uid", "value": "12345678", "start": 4, "end": 12}],
        "signals": {
            "escalate": True,
            "hand_over": True,
            "severity": "critical",
            "reasons": ["theft", "person_asked"],
            "features": ["person_asked", "theft"],
            "days": 0.0,
        },
    }
