"""Header fields of a stranger's mail: decoded without ever failing, and the few that are read strictly."""

from __future__ import annotations

import re
from collections.abc import Sequence
from email.header import decode_header
from email.message import Message

from channels.mail.addresses import is_mailbox
from channels.mail.charset import decode, one_line

type Fields = Sequence[tuple[str, str]]
"""Name (lower case) and unfolded value, in order; bytes outside ASCII as lone surrogates, as the parser gives them."""

MAX_SUBJECT = 200
MAX_VALUE = 10_000
"""Longer fields are cut before they are looked at: header parsers are quadratic in places."""
MAX_FIELDS = 1000
MAX_REFERENCES = 20

_ID = re.compile(r"<[^<>\s\x00-\x1f\x7f-\uffff]{1,250}>")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_COMMENT = re.compile(r"\([^()]*\)")
_NAMED = re.compile(r"[^<>,;:@]*<([^<>]+)>")


def fields(message: Message) -> Fields:
    pairs = list(message.raw_items())[:MAX_FIELDS]
    return [(str(name).lower(), " ".join(str(value)[:MAX_VALUE].split())) for name, value in pairs]


def values(of: Fields, name: str) -> list[str]:
    return [value for known, value in of if known == name]


def first(of: Fields, name: str) -> str:
    return next(iter(values(of, name)), "")


def decoded(value: str, most: int = MAX_VALUE) -> str:
    """Encoded words (RFC 2047) and raw 8-bit bytes as text, on one line."""
    try:
        parts = decode_header(value)
    except Exception:  # it raises several kinds on bad base64
        parts = [(value, None)]
    return one_line("".join(_piece(content, label) for content, label in parts), most)


def _piece(content: bytes | str, label: str | None) -> str:
    if isinstance(content, bytes):
        # Text beside encoded words comes with its raw bytes escaped as \udcXX, in raw-unicode-escape.
        return decode(content, label) if label else decode(raw_bytes(content.decode("raw-unicode-escape")), None)
    return decode(raw_bytes(content), None)


def raw_bytes(text: str) -> bytes:
    """The bytes that the parser could not decode are lone surrogates; any other surrogate is replaced."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")


def subject(of: Fields) -> str:
    return decoded(first(of, "subject"), MAX_SUBJECT)


def message_ids(value: str) -> list[str]:
    return _ID.findall(value)


def references(of: Fields) -> str:
    """The chain of Message-IDs of the conversation before this mail: the first and the newest ones."""
    chain = message_ids(first(of, "references")) or message_ids(first(of, "in-reply-to"))[:1]
    kept = chain if len(chain) <= MAX_REFERENCES else [chain[0], *chain[-MAX_REFERENCES + 1 :]]
    return " ".join(dict.fromkeys(kept))


def answered_ids(of: Fields) -> list[str]:
    """The Message-IDs that this mail says it answers, the nearest first."""
    nearest = [message_id for value in values(of, "in-reply-to") for message_id in message_ids(value)]
    chain = [message_id for value in values(of, "references") for message_id in message_ids(value)]
    return list(dict.fromkeys([*nearest, *reversed(chain)]))[:MAX_REFERENCES]


def from_address(of: Fields) -> str | None:
    """The author's address, if there is exactly one From field with exactly one mailbox; None otherwise.

    Python's own parser takes `victim@exchange.example <attacker@evil.example>` for the victim (CVE-2023-27043).
    """
    fields_found = values(of, "from")
    if len(fields_found) != 1:
        return None
    text = raw_bytes(fields_found[0]).decode("utf-8", "replace")
    bare = _COMMENT.sub("", _QUOTED.sub("", text)).strip()
    named = _NAMED.fullmatch(bare)
    address = named.group(1).strip() if named else bare
    return address if is_mailbox(address) else None
