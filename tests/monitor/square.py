"""Three networks with people on them, and a whole desk that watches one: who writes, and what agents see of it."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import select

from bot.bootstrap import Desk, build
from bot.hub import QUEUE
from bot.serve import running
from bot.settings import Settings
from bot.store.migrate import migrate
from bot.store.tables import Case, Conversation, Inbox
from bot.understanding import entities
from escalation.console.auth import create_agent
from tests.bluesky import pds_api
from tests.bluesky.pds_api import Pds, did_of
from tests.fakes.rasa import SECRET
from tests.mastodon import mastodon_api
from tests.mastodon.mastodon_api import MastodonApi
from tests.twitter import x_api
from tests.twitter.x_api import XApi

PASSWORD = "correct horse battery"
PATIENCE_SECONDS = 30


@dataclass
class Network:
    """`say` lets a person post; `us` is how they name us. `key` is of the conversation with a person."""

    name: str
    api: Any
    section: dict[str, Any]
    us: str

    def key(self, author: int) -> str:
        prefix = {"twitter": "4242", "mastodon": self.api.url.removeprefix("http://"), "bluesky": "at"}[self.name]
        return f"{prefix}:{did_of(author) if self.name == 'bluesky' else author}"

    def called(self, author: int, name: str, handle: str) -> None:
        match self.name:
            case "twitter":
                self.api.users[str(author)] = {"id": str(author), "name": name, "username": handle}
            case "mastodon":
                person = {"id": str(author), "username": handle, "acct": f"{handle}@far.example", "display_name": name}
                self.api.accounts[str(author)] = person
            case "bluesky":
                did = did_of(author)
                self.api.authors[did] = {"did": did, "handle": f"{handle}.bsky.social", "displayName": name}

    def say(self, text: str, author: int, ago: float, answers: tuple[int, str] | None = None) -> str:
        """`answers`: whose post, and which."""
        return str(self.api.say(text, author=author, ago=ago, **self._reply(text, answers)))

    def _reply(self, text: str, answers: tuple[int, str] | None) -> dict[str, Any]:
        if answers is None:
            return {}
        author, post_id = answers
        if self.name == "bluesky":
            post = {"uri": post_id, "cid": self.api.posts[post_id]["cid"]}
            return {"reply": {"parent": post, "root": post}}
        named = [str(author), *(["4242"] if self.us in text else [])]
        if self.name == "twitter":
            return {"in_reply_to_user_id": str(author), "entities": {"mentions": [{"id": each} for each in named]}}
        return {"in_reply_to_account_id": str(author), "mentions": [{"id": each} for each in named]}


@asynccontextmanager
async def network(name: str) -> AsyncIterator[Network]:
    match name:
        case "twitter":
            async with XApi().running() as x:
                yield Network(name, x, {**x_api.CREDENTIALS, "api_url": x.url}, "@DemoExchange")
        case "mastodon":
            async with MastodonApi().running() as mastodon:
                section = {"access_token": mastodon_api.TOKEN, "base_url": mastodon.url}
                yield Network(name, mastodon, section, "@DemoExchange")
        case _:
            async with Pds().running() as pds:
                section = {"handle": pds_api.HANDLE, "app_password": pds_api.PASSWORD, "service": pds.url}
                yield Network(name, pds, section, f"@{pds_api.HANDLE}")


class Watch:
    """A desk at work, and an agent at its console."""

    def __init__(self, desk: Desk, network: Network, agent: httpx.AsyncClient) -> None:
        self._desk = desk
        self._network = network
        self._agent = agent

    async def until(self, is_so: Callable[[], Awaitable[bool]]) -> None:
        async with self._desk.hub.watch(QUEUE) as changes, asyncio.timeout(PATIENCE_SECONDS):
            while not await is_so():
                await anext(changes)

    async def accounted(self, author: int) -> Sequence[str | None]:
        """How what this person wrote was accounted for."""
        query = select(Inbox.outcome).join(Conversation, Conversation.id == Inbox.conversation_id)
        query = query.where(Conversation.key == self._network.key(author)).order_by(Inbox.seq)
        return await self._desk.store.read(lambda c: c.execute(query).scalars().all())

    async def until_accounted(self, *authors: int) -> None:
        async def all_are() -> bool:
            found = [await self.accounted(author) for author in authors]
            return all(outcomes and None not in outcomes for outcomes in found)

        await self.until(all_are)

    async def conversation(self, author: int) -> Any:
        columns = Conversation.id, Conversation.owner, Conversation.case_id, Conversation.resolved_at
        query = select(*columns).where(Conversation.key == self._network.key(author))
        return await self._desk.store.read(lambda c: c.execute(query).one())

    async def cases(self) -> list[tuple[str, str]]:
        """Class and severity."""
        query = select(Case.label, Case.severity).order_by(Case.id)
        return await self._desk.store.read(lambda c: [(label, grave) for label, grave in c.execute(query)])

    async def page(self, path: str, language: str = "en") -> str:
        response = await self._agent.get(path, params={"lang": language})
        assert response.status_code == 200, response.text
        return response.text

    async def page_of(self, author: int, language: str = "en") -> str:
        return await self.page(f"/console/c/{(await self.conversation(author)).id}", language)


@asynccontextmanager
async def watching(
    network: Network, folder: Path, database_url: str, rasa_url: str, **more: Any
) -> AsyncIterator[Watch]:
    listener = socket.create_server(("127.0.0.1", 0))
    settings = Settings(
        data_dir=folder,
        database_url=database_url,
        http_port=listener.getsockname()[1],
        smtp_port=0,
        rasa_url=rasa_url,
        rasa_secret=SECRET,
        work={"rasa_seconds": 25},
        channel={network.name: {**network.section, "poll_seconds": 5, **more}},
    )
    await asyncio.to_thread(entities.prepare)  # as the desk does at its start: else the first message waits for it
    migrate(settings.database)
    desk = build(settings)
    async with running(desk, listener), _agent(desk, settings.url) as agent:
        yield Watch(desk, network, agent)


@asynccontextmanager
async def _agent(desk: Desk, url: str) -> AsyncIterator[httpx.AsyncClient]:
    await create_agent(desk.store, "li", "Li", "agent", PASSWORD)
    async with httpx.AsyncClient(base_url=url, headers={"origin": url}, trust_env=False, timeout=20) as client:
        page = await client.get("/console/login")
        csrf = re.findall(r'name="csrf" value="([^"]+)"', page.text)[0]
        fields = {"csrf": csrf, "login": "li", "password": PASSWORD, "next": "/console/"}
        assert (await client.post("/console/login", data=fields)).status_code == 303
        yield client
