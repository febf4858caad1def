"""A whole desk around a network, what an agent sees of its conversation, and time that has gone by while it was off."""

from __future__ import annotations

import asyncio
import io
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from PIL import Image
from sqlalchemy import Connection, func, select

from bot.bootstrap import build
from bot.files import Files
from bot.serve import running
from bot.settings import Settings
from bot.store.migrate import migrate
from bot.store.store import Store
from bot.store.tables import Conversation, Inbox, Outbox
from channels.monitor.durable import read_json, write_json
from escalation.console.repository.conversation import Everything, everything
from escalation.console.transcript import Line, lines
from tests.fakes.rasa import SECRET, FakeRasa
from tests.fakes.web import serving

HOUR = 3600.0
PATIENCE_SECONDS = 30.0


class Whole:
    """`channel` is its name, `section` its part of the configuration."""

    def __init__(self, folder: Path, database_url: str, channel: str, section: Mapping[str, Any]) -> None:
        self._folder = folder
        self._database_url = database_url
        self._channel = channel
        self._section = {"poll_seconds": 5, **section}
        self.rasa = FakeRasa()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with serving(self.rasa.app) as rasa_url:
            listener = socket.create_server(("127.0.0.1", 0))
            settings = Settings(
                data_dir=self._folder,
                database_url=self._database_url,
                http_port=listener.getsockname()[1],
                smtp_port=0,
                rasa_url=rasa_url,
                rasa_secret=SECRET,
                channel={self._channel: self._section},
            )
            migrate(settings.database)
            async with running(build(settings), listener):
                yield

    async def done(self, messages: int) -> None:
        """Waits until so many messages are accounted for, and their answers are settled."""
        unsettled = select(func.count()).where(Outbox.state.in_(("new", "sending")))
        finished = select(func.count()).where(Inbox.state == "done")
        store = Store(self._database_url)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while await store.read(lambda c: (c.scalar(finished), c.scalar(unsettled))) != (messages, 0):
                    await asyncio.sleep(0.05)
        finally:
            store.close()

    async def seen_by_an_agent(self) -> Everything:
        """The one conversation."""
        store = Store(self._database_url)
        try:
            return await store.read(_shown)
        finally:
            store.close()

    async def evidence(self) -> list[tuple[str, str, str, bytes]]:
        """Name, kind, SHA-256 and content of every file that came."""
        found = await self.seen_by_an_agent()
        files = Files(self._folder / "evidence")
        return [(row.filename, row.content_type, row.sha256, files.get(row.sha256)) for row in found.evidence]

    def let_an_hour_go_by(self) -> None:
        """For the list of posts that are looked at again."""
        path = self._folder / self._channel / "seen.json"
        kept = read_json(path)
        for entry in kept.values():
            entry |= {"at": entry["at"] - HOUR, "asked": entry["asked"] - HOUR}
        write_json(path, kept)


def picture() -> bytes:
    """A PNG."""
    sink = io.BytesIO()
    Image.new("RGB", (3, 2), "red").save(sink, "PNG")
    return sink.getvalue()


def told(found: Everything) -> Sequence[Line]:
    """What came in, as an agent sees it."""
    return [line for line in lines(found, {}) if line.kind == "user"]


def _shown(connection: Connection) -> Everything:
    [conversation_id] = connection.scalars(select(Conversation.id)).all()
    found = everything(connection, conversation_id, datetime.now(UTC))
    assert found is not None
    return found
