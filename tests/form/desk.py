"""A whole desk around the form: real HTTP, a real relay for its mail, and a bot that can be told to fail."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import insert, select

from bot.bootstrap import Desk, build
from bot.serve import running
from bot.settings import Settings
from bot.store.migrate import migrate
from bot.store.tables import Agent, Case, Conversation, Evidence, Inbox
from channels.contract import Channel
from channels.form.filing import CHANNEL
from channels.mail.channel import MailChannel
from escalation.handling import AgentRef
from tests.acceptance.relay import FakeRelay
from tests.conftest import MovedClock
from tests.fakes.rasa import SECRET, FakeRasa
from tests.fakes.web import serving

NUMBER = re.compile(r"RD-[0-9A-Z]{5}-[0-9A-Z]{5}")
HIDDEN = re.compile(r'name="form" value="([^"]+)"')
LINK = re.compile(r"http://[^\s]+/confirm/[^\s]+")
PATIENCE_SECONDS = 30
TELLING = {"description": "I asked for my money five days ago and nobody answers."}
ANNA = AgentRef(id=1001, name="Anna", role="agent")
Given = tuple[str, bytes]


@dataclass
class FormDesk:
    desk: Desk
    url: str
    relay: FakeRelay
    rasa: FakeRasa
    clock: MovedClock
    folder: Path

    @property
    def channel(self) -> Channel:
        return self.desk.channels[CHANNEL]

    @property
    def smtp_port(self) -> int:
        [address] = [each.address for each in self.desk.channels.values() if isinstance(each, MailChannel)]
        assert address is not None
        return address[1]

    @asynccontextmanager
    async def visitor(self, **headers: str) -> AsyncIterator[Visitor]:
        async with httpx.AsyncClient(base_url=self.url, headers=headers, trust_env=False, timeout=60) as http:
            yield Visitor(http, self.url)

    async def cases(self) -> Sequence[Any]:
        return await self.desk.store.read(lambda c: c.execute(select(Case).order_by(Case.id)).all())

    async def received(self) -> Sequence[Any]:
        return await self.desk.store.read(lambda c: c.execute(select(Inbox.text, Inbox.outcome, Inbox.state)).all())

    async def evidence(self) -> Sequence[Any]:
        query = select(Evidence.filename, Evidence.size, Evidence.sha256).order_by(Evidence.id)
        return await self.desk.store.read(lambda c: c.execute(query).all())

    async def mails(self, count: int) -> None:
        """Returns when the relay has so many."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(self.relay.mails) < count:
                await asyncio.sleep(0.02)

    def link(self) -> str:
        """What the first mail asks its reader to open."""
        [link] = LINK.findall(self.relay.bodies[0])
        return str(link)

    async def agent(self) -> AgentRef:
        person = {"id": ANNA.id, "login": "anna", "name": ANNA.name, "role": ANNA.role, "disabled": False}
        values = {**person, "password_hash": "-", "created_at": self.clock()}
        await self.desk.store.write(lambda c: c.execute(insert(Agent).values(**values)))
        return ANNA

    async def conversation_ids(self) -> Sequence[int]:
        query = select(Conversation.id).order_by(Conversation.id)
        return await self.desk.store.read(lambda c: list(c.execute(query).scalars()))

    async def conversations(self) -> Sequence[Any]:
        query = select(Conversation.channel, Conversation.recipient, Conversation.owner, Conversation.case_id)
        return await self.desk.store.read(lambda c: c.execute(query.order_by(Conversation.id)).all())


class Visitor:
    """A browser without scripts."""

    def __init__(self, http: httpx.AsyncClient, url: str) -> None:
        self.http = http
        self.receipt = ""
        """Where the newest receipt is."""
        self._url = url

    async def token(self, topic: str = "withdrawal_issue", language: str = "en") -> str:
        page = await self.http.get(f"/form?class={topic}&lang={language}")
        return str(HIDDEN.findall(page.text)[0])

    async def send(
        self,
        fields: Mapping[str, str],
        files: Sequence[Given] = (),
        *,
        topic: str = "withdrawal_issue",
        language: str = "en",
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Posts the form as a browser does, and stays on its answer."""
        form = token if token is not None else await self.token(topic, language)
        parts: list[tuple[str, Any]] = [("form", (None, form)), ("topic", (None, topic))]
        parts += [(name, (None, value)) for name, value in fields.items()]
        parts += [("files", one) for one in files] or [("files", ("", b""))]
        return await self.http.post(
            f"/form?class={topic}&lang={language}", files=parts, headers={"origin": self._url, **(headers or {})}
        )

    async def file(self, fields: Mapping[str, str], files: Sequence[Given] = (), **options: Any) -> str:
        """The page of the receipt, after a form that is taken."""
        answer = await self.send(fields, files, **options)
        assert answer.status_code == 303, answer.text
        self.receipt = answer.headers["location"]
        return (await self.http.get(self.receipt)).text


@asynccontextmanager
async def form_desk(folder: Path, database_url: str = "", **form: Any) -> AsyncIterator[FormDesk]:
    """`form` are settings of the channel."""
    clock, relay, rasa = MovedClock(), FakeRelay(), FakeRasa()
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    async with serving(rasa.app) as rasa_url, relay.listening() as relay_port:
        settings = Settings(
            data_dir=folder,
            database_url=database_url,
            http_port=port,
            smtp_port=0,
            rasa_url=rasa_url,
            rasa_secret=SECRET,
            channel={
                "mail": {"relay_host": "127.0.0.1", "relay_port": relay_port, "relay_starttls": False},
                "form": {"min_free_disk_bytes": 0, **form},
            },
        )
        migrate(settings.database)
        desk = build(settings, clock)
        async with running(desk, listener):
            yield FormDesk(desk, f"http://127.0.0.1:{port}", relay, rasa, clock, folder)
