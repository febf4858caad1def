"""Texts compared by their n-grams: all rows in one go say what each says alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.understanding.ngrams import NGrams, Row, Rows

LINES = ["my deposit is missing", "my withdrawal is missing", "充值没有到账", "提现没有到账", "how do i deposit"]
NGRAMS = NGrams.fit(LINES, at_least=1)
ROWS = Rows([NGRAMS.row(line) for line in LINES], len(NGRAMS.vocabulary))


def alone(one: Row, other: Row) -> float:
    """By the definition: the weights of the n-grams that both have, multiplied and added up."""
    weights: dict[int, float] = dict(zip(one[0].tolist(), one[1].tolist(), strict=True))
    theirs: dict[int, float] = dict(zip(other[0].tolist(), other[1].tolist(), strict=True))
    return sum(weights.get(position, 0.0) * weight for position, weight in theirs.items())


@given(st.text(max_size=60) | st.sampled_from(LINES))
def test_all_rows_at_once_give_what_each_gives_alone(text: str) -> None:
    row = NGRAMS.row(text)
    expected = [alone(row, NGRAMS.row(line)) for line in LINES]
    assert ROWS.cosines(row) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("line", LINES)
def test_a_line_is_most_like_itself(line: str) -> None:
    found = ROWS.cosines(NGRAMS.row(line))
    assert LINES[int(np.argmax(found))] == line
    assert max(found) == pytest.approx(1.0, abs=1e-6)


def test_a_text_of_nothing_known_is_like_nothing() -> None:
    nothing = (np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32))
    assert ROWS.cosines(nothing).tolist() == [0.0] * len(LINES)
