"""A whole desk with its phone desk: real HTTP, a real relay, agents who are signed in."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import select

from bot.bootstrap import Desk, build
from bot.clock import Clock
from bot.serve import running
from bot.settings import Settings
from bot.store.migrate import migrate
from bot.store.tables import Case, CaseEvent, Conversation, Evidence, Inbox, Note, Outbox
from channels.contract import Channel
from escalation.console.auth import create_agent
from escalation.handling import AgentRef
from tests.acceptance.relay import FakeRelay
from tests.conftest import MovedClock
from tests.console.world import PASSWORD, Visitor
from tests.fakes.rasa import SECRET, FakeRasa
from tests.fakes.web import serving

CHANNEL = "phone_desk"
NUMBER = re.compile(r"RD-[0-9A-Z]{5}-[0-9A-Z]{5}")
NONCE = re.compile(r'name="nonce" value="([^"]+)"')
PATIENCE_SECONDS = 30
MEGABYTE = 1024 * 1024
PEOPLE = {"li": "Li Wei", "ann": "Ann Lee"}
CALL = {
    "arrived": "call",
    "words": "I asked for my money five days ago and nobody answers.",
    "language": "en",
    "label": "withdrawal_issue",
    "way": "told",
    "taken_by": "Li Wei",
    "name": "Mei Chen",
    "phone": "+852 5555 0100",
}
Given = tuple[str, bytes]


@dataclass
class PhoneDesk:
    desk: Desk
    url: str
    relay: FakeRelay
    moved: MovedClock
    """This machine's clock, by which a desk on SQLite goes."""
    people: dict[str, Visitor] = field(default_factory=dict)

    @property
    def channel(self) -> Channel:
        return self.desk.channels[CHANNEL]

    @property
    def clock(self) -> Clock:
        """The desk's own: on PostgreSQL it is the database's, and nobody moves it."""
        return self.desk.shared_clock

    def ago(self, **units: float) -> datetime:
        """A time of receipt: so long ago, in whole minutes."""
        return (self.clock() - timedelta(**units)).replace(second=0, microsecond=0)

    async def rows(self, query: Any) -> Sequence[Any]:
        return await self.desk.store.read(lambda connection: connection.execute(query).all())

    async def case(self, number: str) -> Any:
        [case] = await self.rows(select(Case.__table__).where(Case.number == number))
        return case

    async def answers(self, conversation_id: int) -> Sequence[Any]:
        columns = (Outbox.id, Outbox.state, Outbox.text, Outbox.sent_at, Outbox.peer_id, Outbox.author)
        return await self.rows(select(*columns).where(Outbox.conversation_id == conversation_id).order_by(Outbox.seq))

    async def received(self, conversation_id: int) -> Sequence[Any]:
        columns = (Inbox.text, Inbox.outcome, Inbox.received_at, Inbox.envelope)
        return await self.rows(select(*columns).where(Inbox.conversation_id == conversation_id).order_by(Inbox.seq))

    async def conversation(self, conversation_id: int) -> Any:
        [found] = await self.rows(select(Conversation.__table__).where(Conversation.id == conversation_id))
        return found

    async def notes(self, conversation_id: int, kind: str) -> Sequence[Any]:
        return await self.rows(select(Note).where(Note.conversation_id == conversation_id, Note.kind == kind))

    async def events(self, case_id: int) -> Sequence[Any]:
        return await self.rows(select(CaseEvent.kind, CaseEvent.actor).where(CaseEvent.case_id == case_id))

    async def evidence(self, conversation_id: int) -> Sequence[Any]:
        columns = (Evidence.filename, Evidence.size, Evidence.sha256)
        return await self.rows(
            select(*columns).where(Evidence.conversation_id == conversation_id).order_by(Evidence.id)
        )

    async def until(self, conversation_id: int, state: str, count: int) -> Sequence[Any]:
        """Returns the conversation's answers when so many are in a state."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                answers = await self.answers(conversation_id)
                if [each.state for each in answers].count(state) >= count:
                    return answers
                await asyncio.sleep(0.02)

    async def agent(self, login: str) -> AgentRef:
        page = await self.people[login].get("/console/")
        assert page.status_code == 200
        return AgentRef(id=list(PEOPLE).index(login) + 1, name=PEOPLE[login], role="agent")


async def form(visitor: Visitor) -> dict[str, str]:
    """The hidden fields of a form that is opened."""
    page = await visitor.get("/console/record/")
    assert page.status_code == 200, page.text
    csrf = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert csrf
    return {"csrf": csrf.group(1), "nonce": NONCE.findall(page.text)[0]}


def at(moment: datetime) -> str:
    """As the field of a form has it, in UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M")


async def key_in(
    place: PhoneDesk,
    login: str,
    fields: Mapping[str, str],
    files: Sequence[Given] = (),
    hidden: Mapping[str, str] | None = None,
) -> httpx.Response:
    """Posts the form as a browser does; what came in did so half an hour ago unless the fields say otherwise."""
    visitor, hour = place.people[login], {"at": at(place.ago(minutes=30))}
    parts: list[tuple[str, Any]] = [
        (name, (None, value)) for name, value in {**(hidden or await form(visitor)), **CALL, **hour, **fields}.items()
    ]
    parts += [("files", one) for one in files] or [("files", ("", b""))]
    return await visitor.client.post("/console/record/", files=parts, headers={"origin": visitor.url})


async def kept(
    place: PhoneDesk, login: str, fields: Mapping[str, str], files: Sequence[Given] = (), **more: Any
) -> int:
    """Keys in what is taken; the id of its conversation."""
    answer = await key_in(place, login, fields, files, **more)
    assert answer.status_code == 303, answer.text
    return int(answer.headers["location"].rpartition("/")[2])


async def number_of(visitor: Visitor, conversation_id: int) -> str:
    """As the page after it shows it."""
    page = await visitor.get(f"/console/record/{conversation_id}")
    found = re.search(r'class="big number">([^<]+)<', page.text)
    assert found, page.text
    return found.group(1)


@asynccontextmanager
async def phone_desk(folder: Path, database_url: str = "") -> AsyncIterator[PhoneDesk]:
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
                CHANNEL: {"min_free_disk_bytes": 0, "max_files": 3, "max_file_bytes": 3 * MEGABYTE},
            },
        )
        migrate(settings.database)
        desk = build(settings, clock)
        for login, name in PEOPLE.items():
            await create_agent(desk.store, login, name, "agent", PASSWORD, clock)
        async with running(desk, listener):
            place = PhoneDesk(desk, f"http://127.0.0.1:{port}", relay, clock)
            async with Visitor(place.url) as li, Visitor(place.url) as ann:
                for login, visitor in (("li", li), ("ann", ann)):
                    assert (await visitor.sign_in(login)).status_code == 303
                    place.people[login] = visitor
                yield place
