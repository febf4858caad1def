"""A stored form as a message: the channel's `read`. What a person reads, and what the complainant gets a copy of."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from channels.contract import ReadMessage, Words
from channels.files_contract import Attachment, Kept
from channels.form.fields import LONG, MORE, WHAT, YOU, Filled, facts, fill
from channels.form.topics import topics
from channels.live_contract import Upload
from channels.record_contract import Complaint

VERSION = 1
COLONS = {"en": ": ", "zh": "：", "zh-Hant": "："}
"""Those that forms are written in."""


def written(filled: Filled, language: str, files: Sequence[Upload]) -> bytes:
    """The form as it is stored. The same form with the same files gives the same bytes."""
    content = {
        "version": VERSION,
        "language": language,
        "topic": filled.topic,
        "role": filled.role,
        "fields": dict(filled.values),
        "files": sorted([file.filename, str(file.sha256)] for file in files),
    }
    return json.dumps(content, ensure_ascii=False, sort_keys=True).encode()


def digest(raw: bytes) -> str:
    return sha256(raw).hexdigest()


def read_form(raw: bytes, envelope: Mapping[str, Any], words: Words) -> ReadMessage:
    """Never fails: what is no form of ours has a note."""
    try:
        content = json.loads(raw)
        language = content["language"]
        filled = fill({**content["fields"], "topic": content["topic"], "role": content["role"]})
    except (ValueError, KeyError, TypeError, AttributeError):
        language, filled = "", None
    if filled is None or language not in COLONS:
        return ReadMessage(text="", note=words.say("form.note_unreadable", "en"), attachments=_attachments(envelope))
    return ReadMessage(
        text=text_of(filled, language, words),
        attachments=_attachments(envelope),
        complaint=Complaint(
            label=filled.topic,
            language=language,
            words="\n".join(filled.values.values()),
            facts=facts(filled),
            email=filled.values.get("email", ""),
        ),
    )


def text_of(filled: Filled, language: str, words: Words) -> str:
    """Every field that was filled in, under the words that asked for it."""

    def say(key: str) -> str:
        return words.say(f"form.{key}", language)

    def line(label: str, value: str) -> str:
        """A label that is a question needs no colon."""
        return f"{label} {value}" if label[-1:] in "?？" else f"{label}{COLONS[language]}{value}"

    def block(names: Sequence[str]) -> str:
        told = [(name, filled.values[name]) for name in names if name in filled.values]
        return "\n".join(
            f"{say(f'ask_{name}')}\n{value}" if name in LONG else line(say(f"ask_{name}"), value)
            for name, value in told
        )

    head = line(say("text_topic"), say(f"topic_{filled.topic}"))
    role = line(say("text_role"), say(f"role_{filled.role}"))
    parts = [
        "\n".join(filter(None, (head, block(topics()[filled.topic])))),
        *(block([name]) for name in WHAT),
        "\n".join(filter(None, (block(YOU), role, block(("represented", *MORE))))),
    ]
    return "\n\n".join(filter(None, parts))


def _attachments(envelope: Mapping[str, Any]) -> tuple[Attachment, ...]:
    return tuple(
        Attachment(
            filename=file["name"], content_type=file["type"], kept=Kept(sha256=file["sha256"], size=file["size"])
        )
        for file in envelope.get("files", ())
    )
