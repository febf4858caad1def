"""Takes one whole mail in, however it came: which conversation it joins, under which id it is stored."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from channels.contract import Accept, Accepted, InboundMessage
from channels.mail.addresses import new_conversation_key
from channels.mail.joining import Entry, Joining

CHANNEL = "mail"
MAX_HEADER_BYTES = 100 * 1024
_RECEIVED = re.compile(rb"^received:", re.IGNORECASE | re.MULTILINE)
_MESSAGE_ID = re.compile(rb"^message-id:\s*(<[^<>\s]{1,500}>)", re.IGNORECASE | re.MULTILINE)


class Intake:
    def __init__(self, joining: Joining, accept: Accept) -> None:
        self._joining = joining
        self._accept = accept

    async def take(self, raw: bytes, envelope: Mapping[str, Any], hops: int) -> Accepted:
        """`envelope`: mail_from, rcpt_to, peer, helo. `hops`: servers that passed it on to us. Raises NotStored."""
        entry = await self._joining.entry(raw, envelope, hops)
        sender = str(envelope["mail_from"])
        return await self._accept(
            InboundMessage(
                channel=CHANNEL,
                external_id=external_id(raw, sender),
                conversation_key=entry.key or new_conversation_key(),
                sender=sender,
                raw=raw,
                received_at=datetime.now(UTC),
                envelope={**envelope, **_found(entry)},
            )
        )


def external_id(raw: bytes, sender: str) -> str:
    """The same for every attempt to deliver the same mail: Message-ID, envelope sender and content."""
    named = _MESSAGE_ID.search(header_block(raw))
    digest = hashlib.sha256(named.group(1) if named else b"")
    digest.update(b"\0" + sender.encode(errors="surrogateescape") + b"\0")
    digest.update(hashlib.sha256(raw).digest())
    return digest.hexdigest()


def hops(raw: bytes) -> int:
    """How many servers say that they passed the mail on."""
    return len(_RECEIVED.findall(header_block(raw)))


def header_block(raw: bytes) -> bytes:
    head = raw[:MAX_HEADER_BYTES].replace(b"\r\n", b"\n")
    return head.partition(b"\n\n")[0]


def _found(entry: Entry) -> Mapping[str, Any]:
    """What the reading of the mail goes by, so that it does not judge the sender otherwise."""
    found: dict[str, Any] = {} if entry.verdict is None else {"verdict": asdict(entry.verdict)}
    return found | ({"joined": entry.key} if entry.key else {})
