"""The road of tests/flow with an exchange to ask and a channel for letters beside the one people write on."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, override

import pytest
from sqlalchemy import Connection, insert, select

from bot.alarm import Alarm
from bot.identity import assembly
from bot.rasa_client import RasaClient
from bot.settings import IdentitySettings
from bot.store.identity_tables import IdentityCode, IdentityProof
from bot.store.store import Store
from bot.store.tables import Agent, Conversation, Note, Outbox
from bot.store.tables import Inbox as InboxTable
from bot.transcript import ChannelTranscript
from channels.contract import Entry, InboundMessage, Kind, ReadMessage
from channels.files_contract import Attachment
from escalation.carry_out import CarryOut
from escalation.handling import AgentRef
from tests.conftest import MovedClock
from tests.fakes.channel import FakeChannel
from tests.fakes.exchange import TOKEN, FakeExchange
from tests.fakes.rasa import FakeRasa
from tests.fakes.web import serving
from tests.flow.conftest import ANNA, BO, PATIENCE, PROMISE, Road

CODE = re.compile(r"(?<![0-9])[0-9]{6}(?![0-9])")
BROUGHT_BACK = (
    Attachment(filename="letter.eml", content_type="message/rfc822", data=b"Subject: code"),
    Attachment(filename="shot.png", content_type="image/png", data=b"png"),
)
START = {"en": "verify me", "zh": "验证身份"}


class PostChannel(FakeChannel):
    """Also "press: prove = Prove who I am" (a button with its title, as a chat shows it), "subject: About\\nwords", and
    "bounce: words", which brings back what was sent as a file, and a picture."""

    @override
    async def read(self, raw: bytes, envelope: Mapping[str, Any]) -> ReadMessage:
        kind, _, words = raw.decode().partition(": ")
        match kind:
            case "press" if " = " in words:
                name, title = words.split(" = ")
                return ReadMessage(text=title, payload=name)
            case "subject":
                subject, _, text = words.partition("\n")
                return ReadMessage(text=text, subject=subject)
            case "bounce":
                return ReadMessage(text=words, kind=Kind.BOUNCE, attachments=BROUGHT_BACK)
        return await super().read(raw, envelope)


class IdentityRoad(Road):
    """`road.identity_settings` are the defaults; letters go to `road.letters`."""

    def __init__(self, store: Store, clock: MovedClock, rasa_url: str, folder: Path, exchange: FakeExchange, url: str):
        super().__init__(store, clock, rasa_url, folder)
        self.exchange, self.posted = exchange, 0
        self.channel = PostChannel()
        self.letters = PostChannel(reaches="email", live=False, buttons=False)
        channels = {"fake": self.channel, "letters": self.letters}
        self.transcript = ChannelTranscript("fake", store, self.hub, channels, self.links)
        self.proofs = assembly.build(
            IdentitySettings(backoffice_seconds=20),
            backoffice=(url, TOKEN),
            secret=b"s" * 32,
            store=store,
            words=self.words,
            exchange={"en": "Demo Exchange", "zh": "演示交易所"},
            clock=clock,
            letters=lambda: "letters",
        )
        carry_out = CarryOut(
            self.words, lambda article, _language: f"article {article}", self.links, PROMISE, PATIENCE, can_prove=True
        )
        self.turner = replace(
            self.turner,
            channels=channels,
            mind=replace(self.turner.mind, identity=self.proofs.identity),
            finish=replace(self.turner.finish, channels=channels, carry_out=carry_out),
        )
        self.deliverer = replace(self.deliverer, channels=channels)
        self.alarm = Alarm(store, clock, self.hub, self.proofs.timers, 1)

    def employ(self, connection: Connection, *agents: AgentRef) -> None:
        for ref in agents:
            person = {"id": ref.id, "login": ref.name, "name": ref.name, "role": ref.role, "disabled": False}
            connection.execute(insert(Agent).values(**person, password_hash="-", created_at=self.clock()))

    async def code_for(self, text: str, key: str = "one") -> str:
        """Says which account it is, and the code that was sent because of it."""
        before = len(self.letters.sent)
        await self.say(text, key)
        await self.mail()
        assert len(self.letters.sent) == before + 1
        return self.code()

    async def mail(self) -> None:
        """What the timers and the deliverer do by themselves."""
        while await self.alarm.ring_due():
            pass
        await self.deliver()

    def code(self) -> str:
        [code] = CODE.findall(self.letters.sent[-1].text)
        return str(code)

    async def post(self, raw: str, key: str, channel: str = "fake") -> None:
        """Something that comes in on any of the channels, and what the desk does about it."""
        self.posted += 1
        await self.inbox.accept(
            InboundMessage(
                channel=channel,
                external_id=f"posted-{self.posted}",
                conversation_key=key,
                sender="somebody",
                raw=raw.encode(),
                received_at=self.clock(),
            )
        )
        await self.settle()

    async def prove(self, claim: str = "10001", key: str = "one", language: str = "en") -> list[str]:
        """The whole way; what is said to the right code."""
        await self.say(START[language], key)
        return await self.say(await self.code_for(claim, key), key)

    async def entries(self, key: str = "one") -> list[Entry]:
        return await self.transcript.entries(key, 0)

    async def conversation(self, key: str = "one") -> Mapping[str, Any]:
        query = select(Conversation.id, Conversation.account, Conversation.person_id, Conversation.case_id)
        found = query.where(Conversation.key == key)
        return await self.store.read(lambda c: dict(c.execute(found).one()._mapping))

    async def notes(self) -> list[tuple[str, list[str]]]:
        query = select(Note.kind, Note.data).order_by(Note.id)
        rows = await self.store.read(lambda c: c.execute(query).all())
        return [(row.kind, row.data.get("reasons", [])) for row in rows if row.kind != "brief"]

    async def column(self, column: Any) -> list[Any]:
        return await self.store.read(lambda c: list(c.execute(select(column).order_by(column.class_.id)).scalars()))

    async def everything_kept(self) -> str:
        """All that agents, operators and Rasa could read of messages, answers and codes."""
        columns = (InboxTable.text, Outbox.text, IdentityCode.nonce, IdentityCode.account_key, IdentityProof.detail)
        return " ".join([str(value) for column in columns for value in await self.column(column)])


@pytest.fixture
async def rasa() -> FakeRasa:
    return FakeRasa()


@pytest.fixture
async def exchange(tmp_path: Path) -> FakeExchange:
    return FakeExchange(tmp_path)


@pytest.fixture
async def road(
    store: Store, clock: MovedClock, rasa: FakeRasa, exchange: FakeExchange, tmp_path: Path
) -> AsyncIterator[IdentityRoad]:
    async with serving(rasa.app) as rasa_url, serving(exchange) as url:
        made = IdentityRoad(store, clock, rasa_url, tmp_path, exchange, url)
        await store.write(lambda c: made.employ(c, ANNA, BO))
        await made.rasa.close()
        made.rasa = RasaClient(rasa_url, "the shared secret of the tests", timeout_seconds=5)
        made.turner = replace(made.turner, mind=replace(made.turner.mind, ask=made.rasa.turn))
        yield made
        rasa.released.set()
        await made.rasa.close()
        await made.proofs.close()


Said = Callable[..., str]


@pytest.fixture
def said(road: IdentityRoad) -> Said:
    """A sentence of the catalogue of identity: `said("code_wrong", "zh", left="2")`."""
    return lambda key, language, **values: road.words.say(f"identity.{key}", language, **values)
