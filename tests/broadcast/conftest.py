"""A whole desk whose mails go to a relay of ours and whose clock stands still; timers and deliveries run when asked.

One desk per module and database: building one takes longer than most of these tests."""

from __future__ import annotations

import email
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from email.message import EmailMessage
from email.policy import default
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser
from sqlalchemy import Connection, delete, insert, select

from bot import catalogue
from bot.bootstrap import Desk, build
from bot.repository import outbox as outbox_rows
from bot.settings import BroadcastSettings, Settings
from bot.store.migrate import migrate
from bot.store.tables import Agent, Base, Case, Outbox
from escalation.broadcast import subscribing
from escalation.broadcast.repository import recipients, subscriptions
from escalation.broadcast.repository.subscriptions import Proof
from escalation.broadcast.service import Broadcasts, Doer, Draft
from tests.browser import chromium
from tests.conftest import MovedClock
from tests.fakes.rasa import SECRET
from tests.letters import plain_text
from tests.mail.upstream import ScriptedRelay, scripted_relay

ONE_DATABASE = pytest.mark.parametrize("engine", ["sqlite"])
"""For what the database has no part in."""
URL = "https://desk.example"
SUE, LI = Doer(agent_id=1, role="supervisor"), Doer(agent_id=2, role="agent")
TITLES = {"en": "Fake apps", "zh": "假冒应用"}
TEXTS = {"en": "Only install our app from its store.", "zh": "请只从应用商店安装我们的应用。"}


def notice(clock: MovedClock, **changes: Any) -> Draft:
    values: dict[str, Any] = {"kind": "risk", "titles": TITLES, "texts": TEXTS, "starts_at": clock()}
    return Draft(**{**values, **changes})


@dataclass
class Cast:
    """`desk` may be taken away and built anew over the same database: a restart."""

    settings: Settings
    clock: MovedClock
    relay: ScriptedRelay
    desk: Desk = field(init=False)

    def __post_init__(self) -> None:
        self._shipped = self.settings.model_copy(deep=True)
        self.desk = build(self.settings, self.clock)

    async def afresh(self, rules: BroadcastSettings, mail: dict[str, Any]) -> None:
        """For the next test: an empty database, two days on (past every limit); a new desk only for other settings."""
        wanted = self._shipped.model_copy(update={"broadcast": rules}, deep=True)
        wanted.channel["mail"].update(mail)
        self.clock.moment = (self.clock.moment + timedelta(days=2)).replace(hour=9, minute=0, second=0)
        self.relay.script.clear()
        self.relay.taken.clear()
        self.relay.heard.clear()
        self.desk.turns._stopping = False
        await self.desk.store.write(_begin)
        if self.settings != wanted:
            self.settings = wanted
            await self.restart()

    async def restart(self) -> None:
        await self.close()
        self.desk = build(self.settings, self.clock)

    async def close(self) -> None:
        await self.desk.rasa.close()
        for channel in self.desk.channels.values():
            await channel.close()
        self.desk.store.close()

    @property
    def service(self) -> Broadcasts:
        return self.desk.console.broadcasts

    async def read(self, ask: Any) -> Any:
        return await self.desk.store.read(ask)

    async def subscribe(
        self, address: str, language: str = "en", zone: str | None = None, channel: str = "mail"
    ) -> None:
        proof = Proof(how="link", origin="192.0.2.1")

        def write(connection: Connection) -> None:
            subscribing.subscribe(connection, channel, address, language, proof, self.clock(), zone)

        await self.desk.store.write(write)

    async def leave(self, address: str, channel: str = "mail") -> None:
        def write(connection: Connection) -> None:
            row = subscriptions.find(connection, channel, address)
            subscribing.unsubscribe(connection, row, Proof(how="page", origin="192.0.2.1"), self.clock())

        await self.desk.store.write(write)

    async def begin(self, **changes: Any) -> int:
        broadcast_id = await self.service.keep(SUE, notice(self.clock, **changes))
        await self.service.start(SUE, broadcast_id)
        return broadcast_id

    async def ring(self) -> None:
        await self.desk.alarm.ring_due()

    async def deliver(self) -> None:
        """Sends what is due; what has to wait waits."""
        deliverer = self.desk.deliveries._deliverer
        while due := await self.read(lambda c: list(outbox_rows.sendable(c, self.clock(), 100))):
            for outbox_id in due:
                await deliverer.send(outbox_id)

    async def go(self) -> None:
        await self.ring()
        await self.deliver()

    def mails(self) -> list[EmailMessage]:
        return [email.message_from_bytes(raw, policy=default) for raw in self.relay.taken]

    def told(self) -> list[str]:
        return sorted(str(mail["To"]) for mail in self.mails())

    async def states(self, broadcast_id: int) -> dict[str, tuple[str, str | None]]:
        """By address: what became of it, and why."""
        found = await self.read(lambda c: recipients.results(c, broadcast_id, 0, 1000))
        return {one.address: (one.state, one.reason) for one in found}

    async def outbox(self) -> list[tuple[str, str]]:
        return await self.read(lambda c: [tuple(r) for r in c.execute(select(Outbox.state, Outbox.text))])  # type: ignore[no-any-return]

    async def cases(self) -> int:
        return len(await self.read(lambda c: c.execute(select(Case.id)).all()))

    def http(self) -> httpx.AsyncClient:
        """A browser without cookies."""
        transport = httpx.ASGITransport(app=self.desk.app, client=("192.0.2.7", 1))
        return httpx.AsyncClient(transport=transport, base_url=URL, headers={"accept-language": "en"})


def link_in(mail: EmailMessage, deed: str) -> str:
    """The path of our link in a mail."""
    words = plain_text(mail).split()
    return next(word.removeprefix(URL) for word in words if word.startswith(f"{URL}/subscription/{deed}/"))


class Casts:
    """One per database for a module, opened when it is first asked for."""

    def __init__(self, request: pytest.FixtureRequest, folders: pytest.TempPathFactory, stack: AsyncExitStack) -> None:
        self._request, self._folders, self._stack = request, folders, stack
        self._open: dict[str, Cast] = {}

    async def of(self, engine: str) -> Cast:
        if engine not in self._open:
            self._open[engine] = await self._stack.enter_async_context(opened(self._folders.mktemp(engine), self._url))
        return self._open[engine]

    def _url(self, folder: Path) -> str:
        if folder.name.startswith("postgresql"):
            make: Callable[[], str] = self._request.getfixturevalue("postgres")
            return make()
        url = f"sqlite:///{folder / 'redress.db'}"
        migrate(url)
        return url


@asynccontextmanager
async def opened(folder: Path, database: Callable[[Path], str]) -> AsyncIterator[Cast]:
    async with scripted_relay() as relay:
        mail = {"relay_host": "127.0.0.1", "relay_port": relay.port, "relay_starttls": False}
        settings = Settings(
            data_dir=folder,
            database_url=database(folder),
            public_url=URL,
            smtp_port=0,
            rasa_url="http://127.0.0.1:9",
            rasa_secret=SECRET,
            channel={"mail": {**mail, "automatic_per_address": 100, "bulk_address": "notices@exchange.example"}},
        )
        made = Cast(settings, MovedClock(), relay)
        try:
            yield made
        finally:
            await made.close()


@pytest.fixture(scope="session", autouse=True)
def _words_read_once() -> Iterator[None]:
    """It takes longer than most of these tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalogue, "whole", cache(catalogue.whole))
        yield


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def casts(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Casts]:
    async with AsyncExitStack() as stack:
        yield Casts(request, tmp_path_factory, stack)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as launched:
        yield launched


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def rules() -> dict[str, Any]:
    """Overridden where a test needs other ones."""
    return {}


@pytest.fixture
def mail() -> dict[str, Any]:
    """Settings of the channel, overridden where a test needs other ones."""
    return {}


@pytest_asyncio.fixture(loop_scope="module")
async def cast(casts: Casts, engine: str, rules: dict[str, Any], mail: dict[str, Any]) -> Cast:
    """At 09:00 UTC, with a supervisor and an agent, and nothing else in the database."""
    made = await casts.of(engine)
    await made.afresh(BroadcastSettings(**rules), mail)
    return made


def _begin(connection: Connection) -> None:
    for table in reversed(Base.metadata.sorted_tables):
        connection.execute(delete(table))
    for doer in (SUE, LI):
        values = {"id": doer.agent_id, "login": doer.role, "name": doer.role.title(), "role": doer.role}
        at = MovedClock()()
        connection.execute(insert(Agent).values(**values, disabled=False, password_hash="-", created_at=at))
