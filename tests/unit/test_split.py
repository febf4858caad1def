"""Long texts are cut where a reader pauses, and no piece is longer than a network takes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.split import pieces, units

MAX_UNITS = 4096


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("", 10, []),
        (" \n ", 10, []),
        ("short", 10, ["short"]),
        ("first one\n\nsecond\nthird", 20, ["first one", "second\nthird"]),
        ("one line\nand two more words", 14, ["one line", "and two more", "words"]),
        ("A sentence. Another one here.", 22, ["A sentence.", "Another one here."]),
        ("您好。我们已经收到您的投诉，会尽快处理。", 15, ["您好。我们已经收到您的投诉，", "会尽快处理。"]),
        ("no_border_at_all", 10, ["no_border_", "at_all"]),
        ("😀😀😀", 4, ["😀😀", "😀"]),
        ("abcde\u0301f", 5, ["abcd", "e\u0301f"]),
        ("ab👩\u200d🚀cd", 6, ["ab", "👩\u200d🚀c", "d"]),
    ],
)
def test_where_a_text_is_cut(text: str, limit: int, expected: list[str]) -> None:
    assert pieces(text, limit) == expected


def test_a_text_of_exactly_the_limit_is_one_piece() -> None:
    assert pieces("x" * MAX_UNITS, MAX_UNITS) == ["x" * MAX_UNITS]
    assert len(pieces("x" * (MAX_UNITS + 1), MAX_UNITS)) == 2
    assert len(pieces("😀" * (MAX_UNITS // 2), MAX_UNITS)) == 1


@given(st.text(alphabet="ab é😀\n.。\u0301\u200d", max_size=200), st.integers(4, 30))
def test_nothing_but_space_is_lost_and_every_piece_fits(text: str, limit: int) -> None:
    found = pieces(text, limit)
    assert "".join("".join(piece.split()) for piece in found) == "".join(text.split())
    assert all(piece.strip() and units(piece) <= limit for piece in found)


@pytest.mark.parametrize("most", [10, 2000])
@pytest.mark.parametrize(
    "text",
    [
        "word " * 1500,
        "一句话。" * 1500,
        "x" * 5000,
        "\U0001f468\u200d\U0001f469\u200d\U0001f467" * 900,
        "\n\n".join(["paragraph"] * 700),
        " \n ",
        "",
    ],
)
def test_a_long_text_is_cut_and_nothing_is_lost(text: str, most: int) -> None:
    found = pieces(text, most)
    assert "".join("".join(found).split()) == "".join(text.split())
    assert all(0 < len(piece.encode("utf-16-le")) // 2 <= most for piece in found)
