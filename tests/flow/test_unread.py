"""Somebody leaves the chat before a person answers: one e-mail tells them so, and only where it must go."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import partial

import pytest
from sqlalchemy import Connection, select, update

from bot.alarm import Alarm
from bot.repository import attention
from bot.repository.attention import USER, Spot
from bot.store.tables import Conversation, Outbox
from channels.contract import OutboundMessage
from escalation.console.repository import queue
from escalation.console.repository.queue import View
from escalation.letters import open_letter
from escalation.reminders import UNREAD_TIMER, UnreadReminder, note_reading
from tests.fakes.rasa import FakeRasa
from tests.flow.conftest import ANNA, COMPLEX, REMIND_AFTER, Road

ADDRESS = "li.mei@mail.example"
ANSWER = "Your withdrawal 0x77 of 3,200 USDT is on its way."


@dataclass
class Chat:
    """A chat that a person has taken over and answered."""

    road: Road
    alarm: Alarm
    id: int

    async def answer(self, nonce: str) -> None:
        await self.road.handling.reply(ANNA, self.id, ANSWER, nonce)
        await self.road.deliver()

    async def ring(self) -> list[OutboundMessage]:
        """What leaves by e-mail when everything due has rung."""
        before = len(self.road.channel.sent)
        await self.alarm.ring_due()
        await self.road.deliver()
        return [message for message in self.road.channel.sent[before:] if message.recipient == ADDRESS]

    async def wait(self) -> list[OutboundMessage]:
        self.road.clock.move(seconds=REMIND_AFTER.total_seconds() + 1)
        return await self.ring()

    async def read(self, seq: int = 99) -> None:
        def mark(connection: Connection) -> None:
            attention.raise_marks(connection, self.id, user_seq=seq)
            note_reading(connection, self.id)

        await self.road.store.write(mark)

    async def change(self, **values: object) -> None:
        await self.road.store.write(
            lambda c: c.execute(update(Conversation).where(Conversation.id == self.id).values(**values))
        )


def reminding(road: Road, door: str) -> Alarm:
    reminder = UnreadReminder(words=road.words, patience=REMIND_AFTER, letters=lambda: "fake", door=lambda _name: door)
    return Alarm(road.store, road.clock, road.hub, {UNREAD_TIMER: reminder}, 1)


@pytest.fixture
async def chat(road: Road) -> Chat:
    alarm = reminding(road, "https://desk.example/chat")
    accepted = await road.receive("hello")
    await road.settle()
    made = Chat(road, alarm, accepted.conversation_id)
    await made.change(account={"uid": "1", "name": "Li Mei", "proven_by": "code", "email": ADDRESS})
    await road.handling.take_over(ANNA, made.id)
    return made


async def test_a_channel_that_announces_by_itself_needs_no_mail(chat: Chat) -> None:
    channel = chat.road.channel
    channel.capabilities = replace(channel.capabilities, announces=True)
    await chat.answer("n-own")
    assert await chat.wait() == []


@pytest.mark.parametrize(
    ("door", "link"),
    [
        ("https://desk.example/chat", "https://desk.example/chat?lang=zh"),
        ("https://desk.example/chat?brand=a", "https://desk.example/chat?brand=a&lang=zh"),
        ("complaints@desk.example", "complaints@desk.example"),
    ],
)
async def test_the_page_opens_in_the_language_of_the_letter(chat: Chat, door: str, link: str) -> None:
    chat.alarm = reminding(chat.road, door)
    await chat.change(language="zh")
    await chat.answer("a")
    [mail] = await chat.wait()
    assert f"入口在这里：{link}\n" in mail.text
    assert "通过在线客服给我们留言" in mail.text


@pytest.mark.parametrize(("language", "words"), [("en", "answer"), ("zh", "答复")])
async def test_an_unread_answer_is_announced_once_and_without_its_words(chat: Chat, language: str, words: str) -> None:
    await chat.change(language=language)
    await chat.answer("a")
    assert await chat.ring() == [], "not yet"
    [mail] = await chat.wait()
    assert (mail.language, mail.automatic) == (language, True)
    assert words in mail.text
    assert words in mail.subject
    assert re.findall(r"https://desk\.example/chat\S*", mail.text) == [f"https://desk.example/chat?lang={language}"]
    assert not {"0x77", "3,200", "Li Mei"} & set(re.split(r"\s", mail.text + mail.subject))
    assert re.fullmatch("[a-z2-7]{24}", mail.conversation_key)
    await chat.answer("b")
    assert await chat.wait() == [], "it is one stretch of unread answers"


async def test_the_letter_belongs_to_the_case(chat: Chat, rasa: FakeRasa) -> None:
    await chat.change(owner="bot")
    rasa.answer = lambda _body: COMPLEX
    await chat.road.say("my money is gone")
    await chat.road.handling.take_over(ANNA, chat.id)
    await chat.answer("a")
    [mail] = await chat.wait()
    [number] = await chat.road.cases()
    assert mail.case_number == number
    assert number in mail.text


async def test_reading_it_ends_the_wait(chat: Chat) -> None:
    await chat.answer("a")
    await chat.read()
    assert await chat.wait() == []


async def test_so_does_writing(chat: Chat) -> None:
    await chat.answer("a")
    await chat.road.receive("thank you")
    assert await chat.wait() == []


async def test_reading_a_part_does_not(chat: Chat) -> None:
    await chat.answer("a")
    await chat.read(seq=2)
    assert len(await chat.wait()) == 1


async def test_after_reading_a_new_answer_is_announced_anew(chat: Chat) -> None:
    await chat.answer("a")
    assert len(await chat.wait()) == 1
    await chat.read(seq=await newest(chat))
    await chat.answer("b")
    assert len(await chat.wait()) == 1


async def newest(chat: Chat) -> int:
    query = select(Conversation.last_seq).where(Conversation.id == chat.id)
    return await chat.road.store.read(lambda c: int(c.execute(query).scalar_one()))


async def test_who_is_connected_is_not_written_to_until_they_leave(chat: Chat) -> None:
    spot, clock = Spot("fake", "one", USER), chat.road.clock

    def come(connection: Connection) -> None:
        attention.beat(connection, "p", clock().replace(year=2030))
        attention.come(connection, "p", [spot])

    await chat.road.store.write(come)
    await chat.answer("a")
    assert await chat.wait() == []
    await chat.road.store.write(lambda c: attention.leave(c, "p", [spot], clock()))
    assert len(await chat.wait()) == 1


@pytest.mark.parametrize("account", [None, {"uid": "1", "name": "", "proven_by": "app token"}])
async def test_nobody_is_written_to_without_a_proven_address(chat: Chat, account: object) -> None:
    await chat.change(account=account)
    await chat.answer("a")
    assert await chat.wait() == []


async def test_a_letter_is_queued_once_and_a_sealed_one_is_marked(road: Road) -> None:
    def write(connection: Connection) -> int:
        return open_letter(
            connection,
            channel="fake",
            address=ADDRESS,
            language="zh",
            subject="验证码",
            text="123456",
            origin="code:1",
            now=road.clock(),
            sealed=True,
        )

    first = await road.store.write(write)
    assert await road.store.write(write) == first
    await road.deliver()
    [sent] = road.channel.sent
    assert (sent.recipient, sent.subject, sent.text, sent.seq) == (ADDRESS, "验证码", "123456", 1)
    sealed = await road.store.read(lambda c: c.execute(select(Outbox.sealed)).scalars().all())
    assert list(sealed) == [True]


async def test_a_letter_is_in_no_list_until_it_is_answered(road: Road) -> None:
    def write(connection: Connection) -> int:
        said = partial(open_letter, channel="fake", address=ADDRESS, language="en", subject="s", text="t", origin="o")
        return said(connection, now=road.clock())

    async def listed() -> int:
        return (await road.store.read(lambda c: queue.counts(c, "agent:1")))[View.OPEN]

    await road.store.write(write)
    await road.deliver()
    assert await listed() == 0
    await road.receive("I have a question", key=road.channel.sent[0].conversation_key)
    assert await listed() == 1
