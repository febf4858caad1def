"""Names of strangers' files: what is shown can do nothing and hides nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import filenames
from bot.filetypes import UNKNOWN, content_type

CASES = {
    "screenshot.png": "screenshot.png",
    "转账凭证 (1).jpg": "转账凭证 (1).jpg",
    "../../etc/passwd": "passwd",
    r"C:\Users\li\a.txt": "a.txt",
    "a\x00b.txt": "a_b.txt",
    "invoice\u202efdp.exe": "invoice_fdp.exe",
    "a\u2028b\nc\rd": "a_b_c_d",
    '<script>"x".html': "_script__x_.html",
    "  . spaces  and dots . ": "spaces and dots",
    "": "file",
    "...": "file",
    "/": "file",
    "\u202e\u202e": "file",
    "x" * 300 + ".png": "x" * 251 + ".png",
    "x" * 300 + "." + "y" * 300: ("x" * 300)[:255],
}


@pytest.mark.parametrize("given_name", CASES, ids=range(len(CASES)))
def test_a_name_is_cleaned(given_name: str) -> None:
    assert filenames.clean(given_name) == CASES[given_name]


@given(st.text(max_size=600))
def test_no_name_gets_through_with_power_or_length(name: str) -> None:
    cleaned = filenames.clean(name)
    assert 1 <= len(cleaned) <= filenames.MAX_CHARACTERS
    assert not set(cleaned) & set('/\\\x00\n\r\u202e<>"')
    assert cleaned not in (".", "..")
    assert filenames.clean(cleaned) == cleaned


@given(st.binary(max_size=200))
def test_any_bytes_have_a_type(head: bytes) -> None:
    assert content_type(head).isprintable()


def test_the_type_is_told_by_content() -> None:
    assert content_type(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR") == "image/png"
    assert content_type(b"") == UNKNOWN
