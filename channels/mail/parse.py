"""Raw bytes of a mail to what the desk works with. Pure: no clock, no disk, no network. Runs in a parser process."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesHeaderParser, BytesParser
from email.policy import Compat32
from typing import Any, override

from channels.mail.bounced import Bounced, read_bounce
from channels.mail.charset import decode
from channels.mail.dkim_result import signatures
from channels.mail.headers import (
    Fields,
    answered_ids,
    fields,
    first,
    from_address,
    message_ids,
    raw_bytes,
    references,
    subject,
)
from channels.mail.kind import KindName, classify
from channels.mail.mime import Contents, FilePart, contents
from channels.mail.quotes import is_forward, new_words

MAX_HEADER_BYTES = 100 * 1024
OPENING = 2000

_URGENT = re.compile(r"投诉|投訴|complain", re.IGNORECASE)


class _Lenient(Compat32):
    """Gives the values of fields with raw 8-bit text (file names, mostly) as text instead of question marks."""

    @override
    def header_fetch_parse(self, name: str, value: str) -> Any:
        return value if value.isascii() else decode(raw_bytes(value), None)


_POLICY = _Lenient()


@dataclass(frozen=True)
class ParsedMail:
    text: str
    kind: KindName
    subject: str = ""
    message_id: str = ""
    references: str = ""
    answers: list[str] = field(default_factory=list)
    """Message-IDs that it says it answers, the nearest first."""
    author: str | None = None
    """The address in From; None when it cannot be told (none, several, malformed)."""
    files: list[FilePart] = field(default_factory=list)
    urgent: bool = False
    bounced_ids: list[str] = field(default_factory=list)
    """Of a bounce: see `Bounced`."""
    bounced_recipient: str = ""
    bounced_status: str = ""
    signatures: list[list[str]] = field(default_factory=list)
    """Domain and selector of each DKIM signature, not verified."""
    authentication_results: str = ""
    """The topmost such field; anybody may have written it."""
    whole: bool = True
    """False when parts could not be read."""


def parse(raw: bytes, sender: str) -> ParsedMail:
    """`sender`: the envelope sender, empty for the null sender. Never raises on bad input, short of MemoryError."""
    try:
        message: Message = BytesParser(policy=_POLICY).parsebytes(raw)
        found = contents(message)
    except Exception:  # RecursionError on deep nesting, and what else the library raises
        message = BytesHeaderParser(policy=_POLICY).parsebytes(raw[:MAX_HEADER_BYTES])
        found = Contents(partial=True)
    return _put_together(fields(message), found, sender)


def _put_together(of: Fields, found: Contents, sender: str) -> ParsedMail:
    full_text = found.text
    about = subject(of)
    kind = classify(of, found.types, full_text[:OPENING], sender)
    bounced = _bounced(of, found) if kind == "bounce" else Bounced()
    return ParsedMail(
        text=new_words(full_text, forwarded=is_forward(about)),
        kind=kind,
        subject=about,
        message_id=next(iter(message_ids(first(of, "message-id"))), ""),
        references=references(of),
        answers=answered_ids(of),
        author=from_address(of),
        files=found.files,
        urgent=_URGENT.search(about) is not None,
        bounced_ids=list(bounced.ids),
        bounced_recipient=bounced.recipient,
        bounced_status=bounced.status,
        signatures=signatures(of),
        authentication_results=first(of, "authentication-results"),
        whole=not found.partial,
    )


def _bounced(of: Fields, found: Contents) -> Bounced:
    try:
        return read_bounce(of, found.enclosed, found.text)
    except Exception:  # a report can be broken in as many ways as any part
        return Bounced()
