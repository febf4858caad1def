"""Letters: what the desk writes to an e-mail address of its own accord, as the first message of a conversation.

A letter leaves by the outbox like every other word. It opens a conversation of its own on a channel whose
capabilities say `reaches="email"`; an answer to it comes back into that conversation, and so to its case.
"""

from __future__ import annotations

import base64
import secrets
from datetime import datetime

from sqlalchemy import Connection

from bot.repository import conversations
from bot.repository import outbox as outbox_rows
from bot.repository.outbox import Draft
from channels.contract import Author


def new_letter_key() -> str:
    """A conversation key that every channel of letters takes: 120 random bits, 24 characters of [a-z2-7]."""
    return base64.b32encode(secrets.token_bytes(15)).decode().lower()


def open_letter(
    connection: Connection,
    *,
    channel: str,
    address: str,
    language: str,
    subject: str,
    text: str,
    origin: str,
    now: datetime,
    case_id: int | None = None,
    sealed: bool = False,
) -> int:
    """Queues a letter inside the caller's commit; its outbox id. The same `origin` twice is one letter.

    `address` must be one that is proven to belong to the person meant, never one that somebody merely typed; to such a
    one goes nothing but the question whose it is (`escalation/confirming/asking.py`).
    `origin` has at most 80 characters and names what decided the letter. `sealed` keeps its text from agents (a
    one-time code): they see that something was sent, not what. The caller publishes `OUTBOX`
    after the commit.
    """
    known = outbox_rows.find_origin(connection, origin)
    if known is not None:
        return known
    conversation_id = conversations.add(
        connection,
        channel=channel,
        key=new_letter_key(),
        recipient=address,
        language=language,
        subject=subject,
        letter=True,
        created_at=now,
        active_at=now,
        case_id=case_id,
    )
    draft = Draft(origin=origin, author=Author.DESK, text=text, language=language, sealed=sealed)
    return outbox_rows.queue(connection, conversation_id, draft, secrets.token_hex(16), now)
