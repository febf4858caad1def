"""Awkward real mails kept outside the repository: SHARED_DATA, or `../shared/data` beside it."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from channels.mail.parse import ParsedMail, parse

ROOT = Path(__file__).parents[2]
CORPUS = Path(os.environ.get("SHARED_DATA", ROOT.parent / "shared" / "data")) / "eml"
MANIFEST = CORPUS / "manifest.json"

pytestmark = pytest.mark.skipif(
    not MANIFEST.exists(), reason="the corpus of awkward mails is not here; set SHARED_DATA to its folder"
)

KINDS = {"normal": "message", "normal_reply": "message", "spam": "message", "auto_reply": "automatic"}
_RETURN_PATH = re.compile(rb"^Return-Path:\s*<([^>]*)>", re.IGNORECASE | re.MULTILINE)


def rows() -> list[dict[str, Any]]:
    return list(json.loads(MANIFEST.read_text(encoding="utf-8")))


def read(row: dict[str, Any]) -> ParsedMail:
    raw = (CORPUS / row["file"]).read_bytes()
    found = _RETURN_PATH.search(raw)
    return parse(raw, found.group(1).decode() if found else "someone@else.example")


def test_kinds() -> None:
    wrong = {
        row["file"]: mail.kind for row in rows() if (mail := read(row)).kind != KINDS.get(row["kind"], row["kind"])
    }
    assert len(wrong) <= 3, wrong


def test_new_words() -> None:
    known = [row for row in rows() if row["expected_new_text"] is not None]
    wrong = [row["file"] for row in known if read(row).text.split() != row["expected_new_text"].split()]
    assert len(known) >= 10
    assert len(wrong) <= 1, wrong


def test_all_are_read_whole() -> None:
    assert [row["file"] for row in rows() if not read(row).whole] == []


def test_chinese_reads_correctly() -> None:
    by_name = {row["file"]: row for row in rows()}
    assert "专用发票" in read(by_name["spamscope-mail_test_12.eml"]).text
    assert read(by_name["spamscope-mail_test_12.eml"]).subject == "代开各地增值税发票"
