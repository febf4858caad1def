"""A whole desk around the form: real HTTP, a real relay for its mail, and a bot that can be told to fail."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from email.message import EmailMessage
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from sqlalchemy import Executable, func, insert, select

from bot.bootstrap import Desk, build
from bot.serve import running
from bot.settings import Settings
from bot.store.migrate import migrate
from bot.store.tables import Agent, Case, Conversation, Evidence, Inbox, Outbox
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
on_both = pytest.mark.parametrize("engine", ["sqlite", "postgresql"])


@dataclass(frozen=True, kw_only=True)
class Since:
    """Where a test began on a desk that others have used before it."""

    case: int = 0
    inbox: int = 0
    evidence: int = 0
    conversation: int = 0
    mails: int = 0


@dataclass(frozen=True)
class FormDesk:
    """A running desk as one test sees it: what came in before `since` is not there."""

    desk: Desk
    url: str
    relay: FakeRelay
    rasa: FakeRasa
    clock: MovedClock
    folder: Path
    since: Since = Since()

    @property
    def address(self) -> str:
        """A mailbox that nobody has typed here before."""
        return f"li.mei.{self.since.inbox}@mail.example"

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
        return await self._rows(select(Case).where(Case.id > self.since.case).order_by(Case.id))

    async def received(self) -> Sequence[Any]:
        query = select(Inbox.text, Inbox.outcome, Inbox.state).where(Inbox.id > self.since.inbox)
        return await self._rows(query.order_by(Inbox.id))

    async def evidence(self) -> Sequence[Any]:
        query = select(Evidence.filename, Evidence.size, Evidence.sha256).where(Evidence.id > self.since.evidence)
        return await self._rows(query.order_by(Evidence.id))

    async def conversations(self) -> Sequence[Any]:
        query = select(Conversation).where(Conversation.id > self.since.conversation)
        return await self._rows(query.order_by(Conversation.id))

    async def settled(self) -> None:
        """Returns when nothing is in hand or waits to be sent."""
        waiting = select(Outbox.id).where(Outbox.state.in_(("new", "sending")))
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await self._rows(waiting) or await self._rows(select(Inbox.id).where(Inbox.state == "new")):
                await asyncio.sleep(0.02)

    @property
    def letters(self) -> Sequence[Letter]:
        every = zip(self.relay.recipients, self.relay.mails, self.relay.bodies, strict=True)
        return [Letter(*one) for one in every][self.since.mails :]

    async def mails(self, count: int) -> Sequence[Letter]:
        """Returns when the relay has so many."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(self.letters) < count:
                await asyncio.sleep(0.02)
        return self.letters

    def link(self) -> str:
        """What the first mail asks its reader to open."""
        [link] = LINK.findall(self.letters[0].body)
        return str(link)

    async def agent(self) -> AgentRef:
        if not await self._rows(select(Agent.id).where(Agent.id == ANNA.id)):
            person = {"id": ANNA.id, "login": "anna", "name": ANNA.name, "role": ANNA.role, "disabled": False}
            values = {**person, "password_hash": "-", "created_at": self.clock()}
            await self.desk.store.write(lambda c: c.execute(insert(Agent).values(**values)))
        return ANNA

    async def afresh(self) -> FormDesk:
        """The same desk for the next test, when it has finished with the one before."""
        await self.settled()
        self.rasa.mode = "well"
        self.rasa.seen.clear()
        since = Since(
            case=await self._newest(Case),
            inbox=await self._newest(Inbox),
            evidence=await self._newest(Evidence),
            conversation=await self._newest(Conversation),
            mails=len(self.relay.mails),
        )
        return replace(self, since=since)

    async def _newest(self, table: type[Case | Inbox | Evidence | Conversation]) -> int:
        [[newest]] = await self._rows(select(func.max(table.id)))
        return newest or 0

    async def _rows(self, query: Executable) -> Sequence[Any]:
        return await self.desk.store.read(lambda c: c.execute(query).all())


class Letter(NamedTuple):
    recipient: str
    mail: EmailMessage
    body: str


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
