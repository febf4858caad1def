"""An answer of the desk to a stored message, as the outbox hands it to a channel."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from channels.contract import Author, OutboundMessage, ReadMessage
from tests.contract.desk import Row


def reply(stored: Row, read: ReadMessage, **changes: Any) -> OutboundMessage:
    values: dict[str, Any] = {
        "outbox_id": 7,
        "message_id": "01hzx3",
        "conversation_id": stored.conversation_id,
        "conversation_key": stored.key,
        "recipient": stored.sender,
        "seq": stored.seq + 1,
        "author": Author.BOT,
        "author_name": "",
        "text": "We have your message.",
        "language": "en",
        "thread": read.thread,
        "created_at": datetime(2026, 11, 22, 9, 30, tzinfo=UTC),
    }
    return OutboundMessage(**(values | changes))
