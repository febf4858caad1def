"""What is left of a message that is kept to learn from."""

from __future__ import annotations

import pytest

from bot.understanding.entities import AT_MOST
from bot.understanding.masking import masked


@pytest.mark.parametrize(
    ("text", "kept", "gone"),
    [
        ("uid 80021234: 500 USDT on TRC20 not here, mail li@user.example", "500 USDT on TRC20 not here", "80021234"),
        ("我的UID 80021234，充值500 USDT没到账", "充值500 USDT没到账", "80021234"),
        ("call me on +86 138 1234 5678 about my 3 BTC", "about my 3 BTC", "5678"),
        ("my password is hunter22! where is my deposit", "where is my deposit", "hunter22"),
    ],
)
def test_the_matter_stays_and_the_person_does_not(text: str, kept: str, gone: str) -> None:
    assert kept in masked(text)
    assert gone not in masked(text)


def test_what_stands_behind_more_things_than_are_looked_for_is_not_kept() -> None:
    assert "80021234" not in masked("500 USDT, " * AT_MOST + "and my uid is 80021234")


def test_what_stands_further_than_is_looked_is_not_kept() -> None:
    assert "80021234" not in masked("word " * 9_000 + "my uid is 80021234")
