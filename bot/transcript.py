"""A user's own view of a conversation: what was received from them and what was said to them, in order."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from sqlalchemy import Connection

from bot.hub import Hub, conversation_topic
from bot.repository import conversations
from bot.repository import inbox as inbox_rows
from bot.repository import outbox as outbox_rows
from bot.repository.closing import Close
from bot.repository.inbox import InboxRow
from bot.repository.outbox import OutboxRow
from bot.store.store import Store
from bot.understanding.secrets import redact
from channels.contract import Author, Channel, Entry, SentFile
from channels.live_contract import ByEmail, Receipt
from escalation.confirming import repository as confirming
from escalation.confirming.repository import Standing
from escalation.links import FIRST_VERSION, TrackingLinks


class ChannelTranscript:
    """`channels.contract.Transcript` of one channel. `channels` is filled after the channels are built."""

    def __init__(
        self, channel: str, store: Store, hub: Hub, channels: Mapping[str, Channel], links: TrackingLinks
    ) -> None:
        self._channel = channel
        self._links = links
        self._store = store
        self._hub = hub
        self._channels = channels

    async def entries(self, conversation_key: str, after_seq: int) -> list[Entry]:
        """Stops before a message that is still to leave: who asks "after the last I have" must not jump over it."""

        def read(connection: Connection) -> tuple[Sequence[InboxRow], Sequence[OutboxRow], int | None]:
            where = (connection, self._channel, conversation_key, after_seq)
            return inbox_rows.of_conversation(*where), *outbox_rows.shown(*where)

        received, said, end = await self._store.read(read)
        entries = [await self._received(row) for row in received] + [_said(row) for row in said]
        return sorted((e for e in entries if end is None or e.seq < end), key=lambda entry: entry.seq)

    async def language(self, conversation_key: str) -> str | None:
        row = await self._store.read(lambda connection: conversations.find(connection, self._channel, conversation_key))
        return None if row is None else row.language

    def changes(self, conversation_key: str) -> AbstractAsyncContextManager[AsyncIterator[Sequence[Entry] | None]]:
        return self._hub.watch(conversation_topic(self._channel, conversation_key))

    async def receipt(self, external_id: str) -> Receipt | None:
        def read(connection: Connection) -> Receipt | None:
            found = confirming.standing(connection, self._channel, external_id)
            return None if found is None else self._receipt(connection, found)

        return await self._store.read(read)

    def _receipt(self, connection: Connection, found: Standing) -> Receipt:
        given = confirming.confirmations(connection, found.conversation_id)
        return Receipt(
            raw_sha256=found.raw_sha256,
            number=found.number or "",
            # Links that were revoked are not given out again to whoever had one.
            link=self._links.url(found.number, FIRST_VERSION)
            if found.number and found.link_version == FIRST_VERSION
            else "",
            by_email=ByEmail.CONFIRMED if any(given) else ByEmail.ASKED if given else ByEmail.NO,
        )

    async def _received(self, row: InboxRow) -> Entry:
        """A message not yet worked on has no text in its row: it is read from its raw bytes, without secrets."""
        text = row.text
        if row.state != "done" and row.raw is not None:
            text = redact((await self._channels[self._channel].read(row.raw, row.envelope)).text).text
        return _heard(row, text)


def news(close: Close) -> Sequence[Entry]:
    """What the commit of a turn adds to a conversation whose replies arrive with it: `entries` would read the same."""
    said = [
        Entry(
            seq=seq,
            author=draft.author,
            author_name=draft.author_name,
            text=draft.text,
            at=close.at,
            buttons=[(name, title) for name, title in draft.buttons],
        )
        for seq, draft in enumerate(close.drafts, start=close.conversation.last_seq + 1)
    ]
    return [_heard(close.row, close.text), *said]


def _heard(row: InboxRow, text: str) -> Entry:
    return Entry(
        seq=row.seq,
        author=Author.USER,
        author_name="",
        text=text,
        at=row.received_at,
        client_id=row.envelope.get("client_id"),
        files=[_file(described) for described in row.envelope.get("files", ())],
    )


def _file(described: Mapping[str, Any]) -> SentFile:
    return SentFile(id=described["id"], name=described["name"], size=described["size"], content_type=described["type"])


def _said(row: OutboxRow) -> Entry:
    return Entry(
        seq=row.seq,
        author=Author(row.author),
        author_name=row.author_name,
        text=row.text,
        at=row.created_at,
        buttons=[(name, title) for name, title in row.buttons],
    )
