"""The road from accept to send, with a fake channel and a fake Rasa, on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, select

from actions.commands import HandToPerson, OpenCase
from bot import catalogue
from bot.alarm import Alarm, Ring
from bot.deliver import Deliverer
from bot.files import Files
from bot.finish import Finish
from bot.hub import Hub, conversation_topic
from bot.inbox import Claim, Inbox
from bot.rasa_client import RasaClient
from bot.repository import conversations
from bot.repository import outbox as outbox_rows
from bot.repository.conversations import Lease
from bot.store.store import Store
from bot.store.tables import Agent, Case, Conversation
from bot.store.tables import Inbox as InboxTable
from bot.thinking import Mind
from bot.tokens import new_token
from bot.turn import Turner
from bot.understanding.reading import read
from channels.contract import Accepted, Account, InboundMessage
from escalation.carry_out import CarryOut
from escalation.cases import Promise
from escalation.handling import AgentRef, Handling
from escalation.links import TrackingLinks
from escalation.over_cap import OVER_CAP_TIMER, BurstIsOver
from escalation.queue import PATIENCE_TIMER, SILENCE_TIMER, Patience
from escalation.reminders import NobodyCame, UserFellSilent
from tests.conftest import MovedClock
from tests.fakes.channel import FakeChannel
from tests.fakes.rasa import SECRET, FakeRasa
from tests.fakes.web import serving

LEASE = timedelta(seconds=15)
PROMISE = Promise(first_answer=timedelta(hours=24), decision=timedelta(days=15), same_matter=timedelta(days=7))
REMIND_AFTER = timedelta(minutes=15)
SILENCE = timedelta(minutes=10)
PATIENCE = Patience(live=timedelta(minutes=3), other=timedelta(hours=24))


ANNA = AgentRef(id=1, name="Anna", role="agent")
BO = AgentRef(id=2, name="Bo", role="agent")
COMPLEX = (
    OpenCase(label="withdrawal_issue", severity="high", reasons=("money_missing",)),
    HandToPerson(reasons=("money_missing",)),
)


class Road:
    """Everything between accept and send; `settle` runs it until nothing is left to do."""

    def __init__(self, store: Store, clock: MovedClock, rasa_url: str, folder: Path) -> None:
        self.store, self.clock, self.hub = store, clock, Hub()
        self.words = catalogue.whole()
        self.channel = FakeChannel()
        self.claims: list[Claim] = []
        self.rasa = RasaClient(rasa_url, SECRET, timeout_seconds=0.5)
        self.raw = Files(folder / "raw")
        self.inbox = Inbox(
            store,
            self.raw,
            clock,
            LEASE,
            self.claims.append,
            on_stored=lambda channel, key: self.hub.publish_soon(conversation_topic(channel, key)),
        )
        self.links = TrackingLinks(b"s" * 32, "https://desk.example")
        self.turner = self._turner(folder)
        channels = {"fake": self.channel}
        self.deliverer = Deliverer(store=store, channels=channels, clock=clock, hub=self.hub, lease=LEASE)
        self.handling = Handling(
            store, clock, self.hub, self.words, PROMISE, lambda _name: self.channel.capabilities, REMIND_AFTER
        )
        kinds: dict[str, Ring] = {
            PATIENCE_TIMER: NobodyCame(self.words),
            OVER_CAP_TIMER: BurstIsOver(self.words, channels),
            SILENCE_TIMER: UserFellSilent(self.words, lambda _name: self.channel.capabilities.live),
        }
        self.alarm = Alarm(store, clock, self.hub, kinds, 1)
        self._count = 0

    def _turner(self, folder: Path) -> Turner:
        channels = {"fake": self.channel}
        return Turner(
            store=self.store,
            channels=channels,
            raw=self.raw,
            evidence=Files(folder / "evidence"),
            clock=self.clock,
            hub=self.hub,
            mind=Mind(understand=read, articles=lambda _text, _language: {}, ask=self.rasa.turn, clock=self.clock),
            finish=Finish(
                channels=channels,
                clock=self.clock,
                carry_out=CarryOut(
                    self.words,
                    lambda article, _language: f"article {article}",
                    self.links,
                    PROMISE,
                    PATIENCE,
                    silence=SILENCE,
                ),
                patience=PATIENCE,
            ),
            max_attempts=3,
            max_deaths=4,
        )

    async def receive(
        self, text: str, key: str = "one", external_id: str | None = None, account: Account | None = None
    ) -> Accepted:
        self._count += 1
        return await self.inbox.accept(
            InboundMessage(
                channel="fake",
                external_id=external_id or f"message-{self._count}",
                conversation_key=key,
                sender=f"user-{key}",
                raw=text.encode(),
                received_at=self.clock(),
                account=account,
            )
        )

    async def turn(self) -> None:
        while self.claims:
            await self.turner.work(self.claims.pop(0))

    async def claim(self, conversation_id: int) -> Claim | None:
        """What the scan of `TurnRunner` does."""
        claim = Claim(conversation_id, new_token())
        now = self.clock()

        def take(connection: Connection) -> Mapping[int, Lease]:
            return conversations.take_leases(connection, {conversation_id: claim.token}, now, now + LEASE)

        return claim if await self.store.write(take) else None

    async def deliver(self) -> None:
        while due := await self.store.read(lambda c: list(outbox_rows.sendable(c, self.clock(), 100))):
            for outbox_id in due:
                await self.deliverer.send(outbox_id)

    async def settle(self) -> None:
        await self.turn()
        await self.deliver()

    async def say(self, text: str, key: str = "one") -> list[str]:
        """One message and everything that is said because of it."""
        before = len(self.channel.sent)
        await self.receive(text, key)
        await self.settle()
        return self.channel.texts()[before:]

    async def cases(self) -> list[str]:
        return await self.store.read(lambda c: list(c.execute(select(Case.number).order_by(Case.id)).scalars()))

    async def outcomes(self) -> list[str | None]:
        query = select(InboxTable.outcome).order_by(InboxTable.id)
        return await self.store.read(lambda c: list(c.execute(query).scalars()))

    async def owner(self, key: str = "one") -> str:
        query = select(Conversation.owner).where(Conversation.key == key)
        return await self.store.read(lambda c: str(c.execute(query).scalar_one()))


@pytest.fixture
async def rasa() -> FakeRasa:
    return FakeRasa()


@pytest.fixture
async def road(store: Store, clock: MovedClock, rasa: FakeRasa, tmp_path: Path) -> AsyncIterator[Road]:
    async with serving(rasa.app) as url:
        made = Road(store, clock, url, tmp_path)
        yield made
        rasa.released.set()
        await made.rasa.close()


@pytest.fixture(autouse=True)
async def agents(road: Road) -> None:
    def add(connection: Connection) -> None:
        for ref in (ANNA, BO):
            person = {"id": ref.id, "login": ref.name, "name": ref.name, "role": ref.role, "disabled": False}
            connection.execute(insert(Agent).values(**person, password_hash="-", created_at=road.clock()))

    await road.store.write(add)
