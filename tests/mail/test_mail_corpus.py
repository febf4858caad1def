"""Awkward real mails kept outside the repository, through a real session and the real parser processes."""

from __future__ import annotations

import json
import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from channels.contract import Kind, ReadMessage
from channels.mail.channel import MailChannel
from tests.fakes.desk import FakeDesk
from tests.mail.harness import Client

ROOT = Path(__file__).parents[2]
CORPUS = Path(os.environ.get("SHARED_DATA", ROOT.parent / "shared" / "data")) / "eml"
MANIFEST = CORPUS / "manifest.json"
SECONDS = 15
MEMORY_BYTES = 512 * 1024 * 1024

pytestmark = pytest.mark.skipif(
    not MANIFEST.exists(), reason="the corpus of awkward mails is not here; set SHARED_DATA to its folder"
)

KINDS = {"normal": "message", "normal_reply": "message", "spam": "message", "auto_reply": "automatic"}
"""The manifest's words for kinds that the contract calls otherwise. A list post and bulk mail count as "normal" there
and are `automatic` here, since RFC 3834 forbids answers to them: two of the allowed differences."""
ALLOWED_DIFFERENCES = 2
_RETURN_PATH = re.compile(rb"^Return-Path:\s*<([^>]*)>", re.IGNORECASE | re.MULTILINE)


@dataclass
class Passed:
    """One mail of the corpus after its way through the channel."""

    row: dict[str, Any]
    answer: str
    sent: bytes
    stored: bytes
    read: ReadMessage
    seconds: float


@pytest.fixture
async def passed(inbox: MailChannel, desk: FakeDesk) -> list[Passed]:
    assert inbox._parsers._memory_bytes == MEMORY_BYTES
    rows = json.loads(MANIFEST.read_text(encoding="utf-8"))
    return [await one(row, inbox, desk) for row in rows]


async def one(row: dict[str, Any], inbox: MailChannel, desk: FakeDesk) -> Passed:
    """Only line ends are changed, as every SMTP client must (RFC 5321 section 2.3.8)."""
    content = re.sub(rb"\r\n|\r|\n", b"\r\n", (CORPUS / row["file"]).read_bytes())
    content = content if content.endswith(b"\r\n") else content + b"\r\n"
    found = _RETURN_PATH.search(content)
    client = await Client.open(inbox)
    try:
        await client.begin(found.group(1).decode() if found else "someone@else.example")
        await client.send(re.sub(rb"^\.", b"..", content, flags=re.MULTILINE) + b".\r\n")
        answer = await client.reply()
    finally:
        await client.close()
    stored = desk.stored[-1]
    began = time.monotonic()
    read = await inbox.read(stored.raw, stored.envelope)
    return Passed(row, answer, content, stored.raw, read, time.monotonic() - began)


async def test_the_corpus(passed: list[Passed]) -> None:
    assert len(passed) == 60
    assert [p.row["file"] for p in passed if not p.answer.startswith("250 ")] == []
    assert [p.row["file"] for p in passed if p.stored != p.sent] == []
    assert [p.row["file"] for p in passed if p.seconds > SECONDS] == []
    unread = [p.row["file"] for p in passed if "could not be read" in (p.read.note or "")]
    assert unread == []  # also what a parser process says that came to the end of its memory
    wrong = {p.row["file"]: p.read.kind.value for p in passed if p.read.kind is not expected_kind(p.row)}
    assert len(wrong) <= ALLOWED_DIFFERENCES, wrong


async def test_new_words_of_the_corpus(passed: list[Passed]) -> None:
    known = [p for p in passed if p.row["expected_new_text"] is not None]
    assert len(known) >= 10
    wrong = {p.row["file"]: p.read.text for p in known if p.read.text.split() != p.row["expected_new_text"].split()}
    assert wrong == {}


def expected_kind(row: dict[str, Any]) -> Kind:
    return Kind(KINDS.get(row["kind"], row["kind"]))
