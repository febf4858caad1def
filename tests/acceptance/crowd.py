"""People who write on every channel while processes are killed, and what they must have seen afterwards.

A new channel adds one class here and one line in `everybody`.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import override

from sqlalchemy import Connection, select

from bot.store.store import Store
from bot.store.tables import Conversation, Inbox, Outbox
from tests.process.people import Chatter, Doors, letter, post

MESSAGES_OF_A_VISITOR = 4
Line = tuple[int, str, str]
"""Place in the conversation, author, text."""


@dataclass(frozen=True)
class Said:
    """A message whose sender was told that it is stored."""

    marker: str
    complaint: bool


class Senders(ABC):
    """Those who write on one channel."""

    @abstractmethod
    async def write(self, doors: Doors, number: int) -> Sequence[Said]:
        """Round `number`. Each tries again, as a real client does, until the desk says that it has the message."""

    @abstractmethod
    async def faults(self, store: Store) -> Sequence[str]:
        """What the people of the last round saw that they should not have, or missed. The desk is at rest."""


class MailWriters(Senders):
    """One mail each, from an address of their own; every second one complains."""

    def __init__(self, count: int, maildrop: Path) -> None:
        self._count = count
        self._maildrop = maildrop
        self._looked_at: set[Path] = set()
        self._addresses: list[str] = []

    @override
    async def write(self, doors: Doors, number: int) -> Sequence[Said]:
        self._addresses = [f"writer{number}.{index}@mail.example" for index in range(self._count)]
        writing = (self._one(doors, f"[{number}.mail{index}]", index) for index in range(self._count))
        return await asyncio.gather(*writing)

    async def _one(self, doors: Doors, marker: str, index: int) -> Said:
        subject, text = _WORDS[index % len(_WORDS)]
        sender = self._addresses[index]
        await post(doors, letter(sender, subject, f"{text} {marker}"), sender)
        return Said(marker, complaint=index % 2 == 1)

    @override
    async def faults(self, store: Store) -> Sequence[str]:
        letters = Counter(await asyncio.to_thread(self._new_letters))
        return [f"{letters[address]} answers to {address}" for address in self._addresses if letters[address] != 1]

    def _new_letters(self) -> list[str]:
        """The recipients of the letters that came since the last look."""
        new = set((self._maildrop / "new").iterdir()) - self._looked_at
        self._looked_at |= new
        return [_recipient(path.read_text(encoding="utf-8")) for path in new]


class ChatVisitors(Senders):
    """Each writes a few messages, one after the other over connections of their own; the last one is a complaint."""

    def __init__(self, count: int) -> None:
        self._sizes = [min(MESSAGES_OF_A_VISITOR, count - n) for n in range(0, count, MESSAGES_OF_A_VISITOR)]
        self._visitors: list[Chatter] = []

    @override
    async def write(self, doors: Doors, number: int) -> Sequence[Said]:
        self._visitors = [Chatter(doors, language="zh" if index % 2 else "en") for index in range(len(self._sizes))]
        writing = (self._one(visitor, number, index) for index, visitor in enumerate(self._visitors))
        return [said for of_one in await asyncio.gather(*writing) for said in of_one]

    async def _one(self, visitor: Chatter, number: int, index: int) -> Sequence[Said]:
        said = []
        for part in range(self._sizes[index]):
            last = part == self._sizes[index] - 1
            said.append(Said(f"[{number}.chat{index}.{part}]", complaint=last))
            await visitor.say(f"{_WORDS[(index % 2) * 2 + last][1]} {said[-1].marker}")
        return said

    @override
    async def faults(self, store: Store) -> Sequence[str]:
        return [fault for visitor in self._visitors for fault in await self._of_one(visitor, store)]

    async def _of_one(self, visitor: Chatter, store: Store) -> list[str]:
        key = visitor.session["session"]
        kept = await store.read(lambda connection: _transcript(connection, key))
        async with asyncio.timeout(20):
            while len(visitor.seen) < len(kept):
                async with visitor.connected():
                    await asyncio.sleep(0)
        shown = [(seq, str(entry["author"]), str(entry["text"])) for seq, entry in sorted(visitor.seen.items())]
        faults = []
        if shown != kept:
            states = await store.read(lambda connection: _states(connection, key))
            different = [(seq, author, states.get(seq, "")) for seq, author, _ in set(shown) ^ set(kept)]
            faults.append(f"a visitor saw {len(shown)} entries, kept are {len(kept)}; they differ in {different}")
        return faults + [f"{visitor.shown_twice} entries shown twice"] * bool(visitor.shown_twice)


def everybody(mails: int, chats: int, data_dir: Path) -> Sequence[Senders]:
    return [MailWriters(mails, data_dir / "maildrop"), ChatVisitors(chats)]


_WORDS = (
    ("A question", "What does a withdrawal cost?"),
    ("A complaint", "This is a complaint: my withdrawal has not arrived."),
    ("请教", "请问提现手续费是多少？"),
    ("投诉", "投诉：我的提现一直没有到账。"),
)
"""Subject and text, a question and a complaint in each language."""


def _recipient(mail: str) -> str:
    return next(line for line in mail.splitlines() if line.startswith("Delivered-To: ")).partition(": ")[2]


def _states(connection: Connection, key: str) -> dict[int, str]:
    """Of what was to be said in a conversation, by its place."""
    of_this = select(Conversation.id).where(Conversation.key == key).scalar_subquery()
    query = select(Outbox.seq, Outbox.state, Outbox.error).where(Outbox.conversation_id == of_this)
    return {row.seq: f"{row.state} {row.error or ''}".strip() for row in connection.execute(query)}


def _transcript(connection: Connection, key: str) -> list[Line]:
    """What the user of a conversation is to see: what they wrote, and what was said to them."""
    of_this = select(Conversation.id).where(Conversation.key == key).scalar_subquery()
    wrote = select(Inbox.seq, Inbox.text).where(Inbox.conversation_id == of_this)
    heard = select(Outbox.seq, Outbox.author, Outbox.text).where(
        Outbox.conversation_id == of_this, Outbox.state == "sent"
    )
    lines = [(row.seq, "user", row.text) for row in connection.execute(wrote)]
    return sorted(lines + [(row.seq, row.author, row.text) for row in connection.execute(heard)])
