"""What was keyed in, as it is stored, and as a message: what agents read, and its author gets a copy of."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from channels.contract import ReadMessage, Words
from channels.files_contract import Attachment, Kept
from channels.live_contract import Upload
from channels.record_contract import Arrived, Complaint, KeyedIn, Way

VERSION = 1
COLONS = {"en": ": ", "zh": "：", "zh-Hant": "："}
ABOUT = ("name", "uid", "phone", "email")
REACHED = ("name", "phone", "address")
"""What is needed to tell or to post an answer."""


def written(told: KeyedIn, files: Sequence[Upload]) -> bytes:
    """The same call with the same files gives the same bytes."""
    content = {
        "version": VERSION,
        "told": {**asdict(told), "at": told.at.astimezone(UTC).isoformat()},
        "files": sorted([file.filename, str(file.sha256)] for file in files),
    }
    return json.dumps(content, ensure_ascii=False, sort_keys=True).encode()


def digest(raw: bytes) -> str:
    return sha256(raw).hexdigest()


def read_keyed_in(raw: bytes, envelope: Mapping[str, Any], words: Words) -> ReadMessage:
    """Never fails: what is nothing of ours has a note."""
    told = _told(raw)
    if told is None:
        return ReadMessage(text="", note=words.say("phone_desk.note_unreadable", "en"), attachments=_files(envelope))
    reached = {name: str(getattr(told, name)) for name in REACHED if getattr(told, name)}
    return ReadMessage(
        text=text_of(told, words),
        attachments=_files(envelope),
        thread={"way": told.way.value, **reached},
        complaint=Complaint(
            label=told.label,
            language=told.language,
            words=told.words,
            facts={"uid": told.uid} if told.uid else {},
            email=told.email if told.way is Way.EMAIL else "",
            keyed_in_by=told.keyed_in_by,
            case_number=told.case_number if told.same_person else "",
        ),
    )


def _told(raw: bytes) -> KeyedIn | None:
    try:
        given = json.loads(raw)["told"]
        at, arrived, way = datetime.fromisoformat(given["at"]), Arrived(given["arrived"]), Way(given["way"])
        told = KeyedIn(**{**given, "at": at, "arrived": arrived, "way": way})
    except (ValueError, KeyError, TypeError):
        return None
    return told if told.language in COLONS else None


def text_of(told: KeyedIn, words: Words) -> str:
    """In the language of its author: they get it as the copy of their complaint."""
    language = told.language

    def line(name: str, value: str) -> str:
        return f"{words.say(f'phone_desk.{name}', language)}{COLONS[language]}{value}"

    received = f"{told.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    head = [line(f"received_{told.arrived}", received), line("taken_by", told.taken_by)]
    about = [line(name, str(getattr(told, name))) for name in ABOUT if getattr(told, name)]
    if told.case_number:
        about.append(line("case_number", told.case_number))
    if told.address:
        about.append(f"{line('address', '').rstrip()}\n{told.address}")
    return "\n\n".join(filter(None, ["\n".join(head), told.words, "\n".join(about)]))


def _files(envelope: Mapping[str, Any]) -> tuple[Attachment, ...]:
    return tuple(
        Attachment(
            filename=file["name"], content_type=file["type"], kept=Kept(sha256=file["sha256"], size=file["size"])
        )
        for file in envelope.get("files", ())
    )
