"""Where does a text fall apart into sentences?"""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from bot.understanding.sentences import AT_MOST, LONGEST, split


def test_english_and_chinese_ends() -> None:
    assert split("Hello! My deposit is missing. Help?\nThanks") == ["Hello", "My deposit is missing", "Help", "Thanks"]
    assert split("你好。我的充值没到账！怎么办？谢谢") == ["你好", "我的充值没到账", "怎么办", "谢谢"]


def test_numbers_addresses_and_versions_stay_whole() -> None:
    text = "Sent 1,200.50 USDT with v2.1.3 to a.b@mail.example via www.exchange.example/x"
    assert split(text) == [text]


def test_a_long_mail_keeps_its_first_nine_and_last_three_sentences() -> None:
    kept = split(" ".join(f"Sentence {n}." for n in range(30)))
    assert kept == [f"Sentence {n}" for n in (*range(9), 27, 28, 29)]


def test_what_says_nothing_is_left_out() -> None:
    assert split("... !!! ??? \n\n --") == []


@given(st.text(max_size=3000))
def test_every_piece_is_short_and_says_something(text: str) -> None:
    pieces = split(text)
    assert len(pieces) <= AT_MOST
    assert all(0 < len(piece) <= LONGEST for piece in pieces)


def test_hostile_lengths_take_linear_time() -> None:
    started = time.perf_counter()
    for text in ("." * 100_000 + "x", "a" * 100_000, "a. " * 33_000, "，" * 100_000, "\n" * 100_000):
        split(text)
    assert time.perf_counter() - started < 1
