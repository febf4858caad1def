"""Which examples are kept back to try on them what was learned?"""

from __future__ import annotations

import pytest

from bot.understanding.examples import FEW, KEPT_BACK, KEPT_BACK_OF_FEW, kept_back, which_kept_back

TEXTS = [f"message number {number}" for number in range(FEW)]


@pytest.mark.parametrize(("count", "one_in"), [(FEW, KEPT_BACK), (FEW - 1, KEPT_BACK_OF_FEW)])
def test_one_in_so_many_is_kept_back(count: int, one_in: int) -> None:
    held = which_kept_back(TEXTS[:count])
    assert held.sum() == pytest.approx(count / one_in, rel=0.1)
    assert list(held) == [kept_back(text, one_in) for text in TEXTS[:count]]


def test_it_is_told_by_the_text_alone() -> None:
    assert [kept_back(text) for text in reversed(TEXTS[:100])] == [kept_back(text) for text in TEXTS[:100]][::-1]
