"""A console on a real port over a real database, people who sign in to it, and conversations to look at."""

from __future__ import annotations

import asyncio
import hashlib
import re
import socket
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, override

import httpx
import uvicorn
from sqlalchemy import Connection, func, insert, select, update
from starlette.applications import Starlette
from starlette.types import ASGIApp

from bot.attachments.previews import Previews
from bot.clock import Clock
from bot.files import Files
from bot.hub import Hub
from bot.presence import Presence
from bot.repository import conversations, file_checks
from bot.repository import outbox as outbox_rows
from bot.repository.outbox import Draft
from bot.store.store import Store
from bot.store.tables import Agent, Base, Conversation, Evidence, Inbox, Outbox
from bot.wording import HERE as OWN_WORDING
from bot.wording import Wording, load
from channels.contract import Author, Capabilities
from escalation import cases, queue
from escalation.broadcast.policy import Rules
from escalation.broadcast.service import Broadcasts
from escalation.cases import Opening, Promise
from escalation.console import routes as console
from escalation.console.desk import ConsoleDesk
from escalation.handling import Handling
from escalation.links import TrackingLinks
from escalation.repository import CaseRow
from escalation.tracking import routes as tracking
from escalation.tracking.routes import TrackingDesk
from escalation.web import static
from escalation.web.pages import HERE as WEB

PASSWORD = "correct horse battery"
PROMISE = Promise(first_answer=timedelta(hours=24), decision=timedelta(days=15), same_matter=timedelta(days=7))
BRANDS = {"en": "Demo Exchange", "zh": "演示交易所", "zh-Hant": "演示交易所"}


@cache
def wording() -> Wording:
    return load(OWN_WORDING, WEB / "wording", console.WORDING, tracking.WORDING)


@dataclass
class World:
    url: str
    desk: ConsoleDesk
    store: Store
    clock: Clock

    def visitor(self) -> Visitor:
        return Visitor(self.url)

    @asynccontextmanager
    async def signed_in(self, login: str) -> AsyncIterator[Visitor]:
        async with self.visitor() as visitor:
            response = await visitor.sign_in(login)
            assert response.status_code == 303, response.text
            yield visitor


class Visitor:
    """A person with a browser of their own: cookies are kept, redirects are looked at, not followed."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.client = httpx.AsyncClient(base_url=url, headers={"accept-language": "en"}, timeout=20)

    async def __aenter__(self) -> Visitor:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.aclose()

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.client.get(path, headers=headers)

    async def token(self, page: str = "/console/") -> str:
        found = re.search(r'name="csrf" value="([^"]+)"', (await self.get(page)).text)
        assert found, f"{page} has no form"
        return found.group(1)

    async def sign_in(self, login: str, password: str = PASSWORD, **fields: str) -> httpx.Response:
        csrf = await self.token("/console/login")
        return await self.send("/console/login", {"csrf": csrf, "login": login, "password": password, **fields})

    async def post(self, path: str, fields: Mapping[str, str] | None = None, **headers: str) -> httpx.Response:
        """As a form of the page would: with its token."""
        return await self.send(path, {"csrf": await self.token(), **(fields or {})}, **headers)

    async def send(self, path: str, fields: Mapping[str, str], **headers: str) -> httpx.Response:
        return await self.client.post(path, data=dict(fields), headers={"origin": self.url, **headers})


def capabilities(channel: str) -> Capabilities:
    """As the real channels have them."""
    live = channel == "webchat"
    return Capabilities(
        max_characters=4_000 if live else 20_000, patience_seconds=5, live=live, formatted=channel == "mail"
    )


def broadcasting() -> Mapping[str, Capabilities]:
    return {name: capabilities(name) for name in ("mail", "telegram", "webchat")}


async def as_it_came(channel: str, raw: bytes, _envelope: Mapping[str, Any]) -> str | None:
    """Of a mail the bytes themselves: what a channel finds in them is its own affair."""
    return raw.decode() if channel == "mail" else None


class ElsewhereLinks:
    """One other channel; `given` are the cases and languages that links were asked for."""

    def __init__(self) -> None:
        self.given: list[tuple[int, str]] = []

    def offers(self, language: str) -> bool:
        return True

    async def links(self, case_id: int, language: str) -> Sequence[tuple[str, str]]:
        self.given.append((case_id, language))
        return [("Messenger", "https://messenger.example/desk?start=token")]


@asynccontextmanager
async def running(store: Store, clock: Clock, folder: Path, *, scanning: bool = False) -> AsyncIterator[World]:
    """The console and the tracking page, served like in the product. `scanning`: as if it had a virus scanner."""
    evidence = Files(folder / "evidence")
    hub, words, links = Hub(), wording(), TrackingLinks(b"k" * 32, "http://desk.test")
    presence = Presence(store, clock, hub)
    handling = Handling(store, clock, hub, words, PROMISE, capabilities, timedelta(minutes=15))
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    desk = ConsoleDesk(
        store=store,
        hub=hub,
        clock=clock,
        words=words,
        handling=handling,
        presence=presence,
        broadcasts=Broadcasts(store=store, clock=clock, rules=Rules(time_zone="UTC"), channels=broadcasting),
        links=links,
        evidence=evidence,
        raw=Files(folder / "raw"),
        capabilities=capabilities,
        formatted=as_it_came,
        preview=Previews(folder / "previews", evidence).of,
        scanning=scanning,
        public_url=url,
        brands=BRANDS,
        can_prove=True,
    )
    elsewhere = ElsewhereLinks()
    public = TrackingDesk(store=store, clock=clock, words=words, links=links, brands=BRANDS, elsewhere=elsewhere)
    application = Starlette(routes=[*console.routes(desk), *tracking.routes(public), *static.routes()])
    keeping = asyncio.create_task(presence.run())
    try:
        async with served(application, listener):
            try:
                yield World(url, desk, store, clock)
            finally:
                desk.closing.set()
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)


class _Server(uvicorn.Server):
    @contextmanager
    @override
    def capture_signals(self) -> Iterator[None]:
        """The signals belong to pytest."""
        yield


@asynccontextmanager
async def served(application: ASGIApp, listener: socket.socket) -> AsyncIterator[None]:
    """A real server, on the loop of the test."""
    server = _Server(uvicorn.Config(application, log_config=None, lifespan="off", proxy_headers=False, ws="none"))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await serving


@dataclass(frozen=True, kw_only=True)
class Talk:
    """A conversation as a test describes it."""

    channel: str = "webchat"
    language: str = "en"
    text: str = "Where is my withdrawal?"
    subject: str = ""
    account: Mapping[str, str] | None = None


async def talk(store: Store, at: datetime, described: Talk | None = None) -> int:
    """A conversation in which the user wrote once; its id."""
    told = described or Talk()

    def add(connection: Connection) -> int:
        number = connection.execute(select(func.count()).select_from(Conversation)).scalar_one() + 1
        values = {
            "channel": told.channel,
            "key": f"key-{number}",
            "recipient": "somebody@example.org",
            "language": told.language,
            "subject": told.subject,
            "account": None if told.account is None else dict(told.account),
            "created_at": at,
            "active_at": at,
        }
        made = connection.execute(insert(Conversation).values(**values).returning(Conversation.id)).scalar_one()
        hear_in(connection, int(made), told.text, told.language, at)
        return int(made)

    return await store.write(add)


def hear_in(connection: Connection, conversation_id: int, text: str, language: str, at: datetime) -> int:
    """The user writes; the inbox id."""
    seq = conversations.next_seq(connection, conversation_id)
    raw = text.encode()
    values = {
        "channel": "webchat",
        "external_id": f"{conversation_id}:{seq}",
        "conversation_id": conversation_id,
        "seq": seq,
        "sender": "somebody@example.org",
        "received_at": at,
        "raw_sha256": hashlib.sha256(raw).hexdigest(),
        "raw_size": len(raw),
        "raw": raw,
        "state": "done",
        "kind": "message",
        "text": text,
        "language": language,
    }
    return int(connection.execute(insert(Inbox).values(**values).returning(Inbox.id)).scalar_one())


async def ask_for_person(store: Store, conversation_id: int, at: datetime, **brief: Any) -> None:
    def put(connection: Connection) -> None:
        queue.put_in_queue(
            connection,
            conversations.get(connection, conversation_id),
            reasons=("person_asked",),
            brief={"hand_over": ["person_asked"], **brief},
            now=at,
            patience=timedelta(minutes=3),
        )

    await store.write(put)


async def owner_of(world: World, conversation_id: int) -> str:
    return (await world.store.read(lambda c: conversations.get(c, conversation_id))).owner


async def waiting(world: World) -> int:
    conversation_id = await talk(world.store, world.clock())
    await ask_for_person(world.store, conversation_id, world.clock())
    return conversation_id


async def disable(store: Store, login: str) -> None:
    """The agent leaves the desk."""
    await store.write(lambda c: c.execute(update(Agent).where(Agent.login == login).values(disabled=True)))


async def open_case(
    store: Store, conversation_id: int, at: datetime, label: str = "withdrawal_issue", severity: str = "high"
) -> CaseRow:
    def make(connection: Connection) -> CaseRow:
        conversation = conversations.get(connection, conversation_id)
        opening = Opening(
            label=label,
            severity=severity,
            reasons=("money_missing",),
            language=conversation.language or "en",
            actor="bot",
            facts={},
        )
        return cases.open_or_join(connection, conversation, opening, PROMISE, at)[0]

    return await store.write(make)


async def say(store: Store, conversation_id: int, text: str, state: str, at: datetime) -> None:
    """The bot's words, in a state of delivery."""

    def put(connection: Connection) -> None:
        draft = Draft(origin=f"test:{text}", author=Author.BOT, text=text, language="en")
        row = outbox_rows.queue(connection, conversation_id, draft, hashlib.md5(text.encode()).hexdigest(), at)
        connection.execute(update(Outbox).where(Outbox.id == row).values(state=state))

    await store.write(put)


async def attach(world: World, conversation_id: int, filename: str, data: bytes, content_type: str) -> int:
    """A file to the conversation's first message; the evidence id."""
    digest = world.desk.evidence.put(data)

    def add(connection: Connection) -> int:
        first = select(func.min(Inbox.id)).where(Inbox.conversation_id == conversation_id)
        inbox_id = connection.execute(first).scalar_one()
        ordinal = connection.execute(select(func.count()).select_from(Evidence)).scalar_one()
        values = {
            "inbox_id": inbox_id,
            "ordinal": ordinal,
            "conversation_id": conversation_id,
            "sha256": digest,
            "size": len(data),
            "filename": filename,
            "content_type": content_type,
            "collected_at": world.clock(),
        }
        file_checks.begin(connection, [digest], world.clock())
        return int(connection.execute(insert(Evidence).values(**values).returning(Evidence.id)).scalar_one())

    return await world.store.write(add)


def everything_stored(connection: Connection) -> str:
    """A hash over all rows of all tables: equal before and after means that nothing changed."""
    digest = hashlib.sha256()
    for table in Base.metadata.sorted_tables:
        rows = connection.execute(select(table).order_by(*table.primary_key.columns)).all()
        digest.update(repr((table.name, rows)).encode())
    return digest.hexdigest()
