"""What happens to messages behind the door, in the contract suite: turns with a fake Rasa, and alarms."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Select, select

from bot import ledger
from bot.alarm import Alarm
from bot.finish import Finish
from bot.rasa_client import RasaClient
from bot.store.tables import Conversation, Evidence, Note, Outbox
from bot.store.tables import Inbox as InboxTable
from bot.thinking import Mind
from bot.turn import Turner
from bot.understanding.reading import read
from escalation.carry_out import CarryOut
from escalation.cases import Promise
from escalation.links import TrackingLinks
from escalation.over_cap import OVER_CAP_TIMER, BurstIsOver
from escalation.queue import Patience
from tests.contract.desk import ContractDesk
from tests.fakes.rasa import SECRET, FakeRasa
from tests.fakes.web import serving

PROMISE = Promise(first_answer=timedelta(hours=24), decision=timedelta(days=15), same_matter=timedelta(days=7))
PATIENCE = Patience(live=timedelta(minutes=3), other=timedelta(hours=24))
SILENCE = timedelta(minutes=10)


class Minding:
    """Works through what is stored at the desk, as the desk's own process does."""

    def __init__(self, desk: ContractDesk, rasa: FakeRasa, url: str) -> None:
        self._desk = desk
        self._rasa = rasa
        self.client = RasaClient(url, SECRET, timeout_seconds=5)
        burst = BurstIsOver(desk.words, desk.channels)
        self._alarm = Alarm(desk.store, desk.clock, desk.hub, {OVER_CAP_TIMER: burst}, 1)
        finish = Finish(
            channels=desk.channels,
            clock=desk.clock,
            carry_out=CarryOut(
                desk.words,
                lambda article, _language: article,
                TrackingLinks(b"s" * 32, "https://desk.example"),
                PROMISE,
                PATIENCE,
                silence=SILENCE,
            ),
            patience=PATIENCE,
        )
        self._turner = Turner(
            store=desk.store,
            channels=desk.channels,
            raw=desk.raw,
            evidence=desk.evidence,
            clock=desk.clock,
            hub=desk.hub,
            mind=Mind(understand=read, articles=lambda _t, _l: {}, ask=self.client.turn, clock=desk.clock),
            finish=finish,
            max_attempts=3,
            max_deaths=4,
        )

    async def settle(self) -> None:
        while self._desk.claims:
            await self._turner.work(self._desk.claims.pop(0))

    async def ring(self) -> None:
        await self._alarm.ring_due()

    def asked(self) -> list[str]:
        """What the bot was asked about."""
        return [body["text"] for body in self._rasa.seen]

    async def received(self) -> list[tuple[str, str, str]]:
        """Outcome, text and note of every message, in order."""
        found = await self._read(select(InboxTable.outcome, InboxTable.text, InboxTable.note).order_by(InboxTable.id))
        return [(outcome, text, note or "") for outcome, text, note in found]

    async def said(self) -> list[str]:
        return [text for (text,) in await self._read(select(Outbox.text).order_by(Outbox.id))]

    async def is_public(self) -> bool:
        """Whether everybody can read the first conversation."""
        query = select(Conversation.channel, Conversation.key).order_by(Conversation.id).limit(1)
        [(channel, key)] = await self._read(query)
        return self._desk.channels[channel].is_public(key)

    async def owners(self) -> list[str]:
        return [owner for (owner,) in await self._read(select(Conversation.owner).order_by(Conversation.id))]

    async def queued(self) -> list[list[str]]:
        """Why each conversation was put into the queue."""
        found = await self._read(select(Note.data).where(Note.kind == "queued").order_by(Note.id))
        return [data["reasons"] for (data,) in found]

    async def kept_files(self) -> list[str]:
        return [name for (name,) in await self._read(select(Evidence.filename).order_by(Evidence.id))]

    async def balanced(self) -> bool:
        return (await self._desk.store.read(ledger.draw_up)).balanced

    async def _read(self, query: Select[*tuple[Any, ...]]) -> list[Any]:
        def look(connection: Connection) -> list[Any]:
            return list(connection.execute(query))

        return await self._desk.store.read(look)


@asynccontextmanager
async def minding(desk: ContractDesk) -> AsyncIterator[Minding]:
    rasa = FakeRasa()
    async with serving(rasa.app) as url:
        made = Minding(desk, rasa, url)
        try:
            yield made
        finally:
            await made.client.close()
