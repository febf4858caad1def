"""A desk in memory with a form, a mailbox, a live chat, a public square, and a messenger with start links."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, override

from sqlalchemy import insert, select

from bot.alarm import Alarm
from bot.binding.assembly import build
from bot.settings import BindingSettings
from bot.store.store import Store
from bot.store.tables import Agent, Case, Conversation, Note, Outbox
from channels.contract import Account, InboundMessage, ReadMessage
from escalation.lost_links import LOST_LINK_TIMER, LostLink, ask_for_link
from tests.conftest import MovedClock
from tests.fakes.channel import FakeChannel
from tests.flow.conftest import ANNA, Road

TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
CODE = re.compile(r"^[A-Z0-9]{6}$", re.MULTILINE)


class Place(FakeChannel):
    """ "/start <token>" brings an invitation; `door` is where its start links lead."""

    def __init__(self, door: str = "", name: str = "", **capabilities: Any) -> None:
        super().__init__(**capabilities)
        self._door, self._name = door, name

    @override
    def title(self, language: str) -> str:
        return self._name

    @override
    def start_link(self, token: str, language: str) -> str:
        return f"{self._door}{token}" if self._door else ""

    @override
    async def read(self, raw: bytes, envelope: Mapping[str, Any]) -> ReadMessage:
        command, _, token = raw.decode().partition(" ")
        if command == "/start":
            return ReadMessage(text="Hello", invitation=token)
        return await super().read(raw, envelope)


class BoundRoad(Road):
    def __init__(self, store: Store, clock: MovedClock, rasa_url: str, folder: Path) -> None:
        super().__init__(store, clock, rasa_url, folder)
        self.places = {
            "form": Place(name="the form", immediate=True, live=False, buttons=False),
            "box": Place(name="E-mail", reaches="email", live=False, buttons=False),
            "chat": Place("https://desk.example/chat#join=", "live chat", immediate=True),
            "square": Place(name="the square", public=True, live=False, buttons=False),
            "push": Place("https://push.example/?start=", "Push", announces=True),
        }
        self.ways = build(
            BindingSettings(),
            secret=b"s" * 32,
            store=store,
            hub=self.hub,
            clock=clock,
            words=self.words,
            channels=self.places,
            link_of=self.links.url,
        )
        self.turner = replace(
            self.turner,
            channels=self.places,
            mind=replace(self.turner.mind, binding=self.ways.step(can_prove=True)),
            finish=replace(self.turner.finish, channels=self.places),
        )
        self.deliverer = replace(self.deliverer, channels=self.places)
        lost = LostLink(
            words=self.words,
            links=self.links,
            letters=lambda: "box",
            channel_of=lambda name: self.places[name],
        )
        self.alarm = Alarm(store, clock, self.hub, {LOST_LINK_TIMER: lost}, 1)
        self._posted = 0

    async def employ(self) -> None:
        """Anna works here."""
        person = {"id": ANNA.id, "login": ANNA.name, "name": ANNA.name, "role": ANNA.role, "disabled": False}
        made = insert(Agent).values(**person, password_hash="-", created_at=self.clock())
        await self.store.write(lambda c: c.execute(made))

    async def write(self, place: str, text: str, who: str = "ann", account: Account | None = None) -> list[str]:
        """One message, and what is said in the same place because of it."""
        before = len(await self.said(place, who))
        self._posted += 1
        await self.inbox.accept(
            InboundMessage(
                channel=place,
                external_id=f"{place}-{self._posted}",
                conversation_key=who,
                sender=who,
                raw=text.encode(),
                received_at=self.clock(),
                account=account,
            )
        )
        await self.settle()
        return (await self.said(place, who))[before:]

    async def said(self, place: str, who: str = "ann") -> list[str]:
        """Everything that was said to somebody there."""
        await self.deliver()
        query = select(Outbox.text).join(Conversation, Conversation.id == Outbox.conversation_id)
        query = query.where(Conversation.channel == place, Conversation.recipient == who, Outbox.state == "sent")
        return await self.store.read(lambda c: list(c.execute(query.order_by(Outbox.id)).scalars()))

    async def invite(self, place: str, who: str = "ann") -> str:
        """The token of a link that the channel asked for."""
        link = await self.ways.of_channel(place).link(who, "en")
        [token] = TOKEN.findall(link)
        return str(token)

    async def follow(self, token: str, who: str = "ann") -> bool:
        return await self.ways.of_channel("chat").follow(token, who, "en")

    async def code(self, who: str = "ann") -> str:
        """The code that the chat shows."""
        return str(CODE.findall((await self.said("chat", who))[-1])[0])

    async def case_of(self, place: str, who: str = "ann") -> int | None:
        query = select(Conversation.case_id).where(Conversation.channel == place, Conversation.key == who)
        return await self.store.read(lambda c: c.execute(query).scalar_one_or_none())

    async def open_cases(self) -> list[int]:
        query = select(Case.id).where(Case.status == "open").order_by(Case.id)
        return await self.store.read(lambda c: list(c.execute(query).scalars()))

    async def notes(self, place: str, who: str = "ann") -> list[str]:
        query = select(Note.kind).join(Conversation, Conversation.id == Note.conversation_id)
        query = query.where(Conversation.channel == place, Conversation.key == who).order_by(Note.id)
        return await self.store.read(lambda c: list(c.execute(query).scalars()))

    async def lose(self, number: str) -> None:
        """Somebody asks for the link of this number on the public page, and time does what it does."""
        await self.store.write(lambda c: ask_for_link(c, number, self.clock()))
        await self.alarm.ring_due()
        await self.deliver()
