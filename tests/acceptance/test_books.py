"""The books of bar A1 find what is wrong: each fault put into a database by hand is named, and a sound one is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, insert

from bot.store.store import Store
from bot.store.tables import Case, Conversation, Inbox, Outbox
from tests.acceptance.books import Books
from tests.acceptance.crowd import Said

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
QUESTION, COMPLAINT = Said("[1.mail0]", complaint=False), Said("[1.mail1]", complaint=True)


@dataclass(frozen=True)
class Kept:
    """A message as it is kept: in which conversation, what it says, when it was done with, whether it opened a case."""

    conversation: int
    text: str
    finished: int = 0
    case: bool = False


SOUND = (Kept(1, "a question [1.mail0]"), Kept(2, "投诉 [1.mail1]", case=True))
FAULTS: dict[str, tuple[Sequence[Kept], Sequence[Said], str]] = {
    "lost": (SOUND, (QUESTION, COMPLAINT, Said("[1.mail2]", complaint=False)), "lost [1.mail2]"),
    "twice": ((*SOUND, Kept(3, "again [1.mail0]")), (QUESTION, COMPLAINT), "duplicate [1.mail0]"),
    "from nowhere": ((*SOUND, Kept(3, "")), (QUESTION, COMPLAINT), "duplicate without a marker"),
    "no case": ((SOUND[0], Kept(2, "投诉 [1.mail1]")), (QUESTION, COMPLAINT), "0 cases"),
    "a case too many": ((Kept(1, "[1.mail0]", case=True), SOUND[1]), (QUESTION, COMPLAINT), "1 cases"),
    "worked on in the wrong order": (
        (Kept(1, "[1.chat0.0]", finished=2), Kept(1, "[1.chat0.1]", finished=1)),
        (Said("[1.chat0.0]", complaint=False), Said("[1.chat0.1]", complaint=False)),
        "worked on out of order",
    ),
    "received in the wrong order": (
        (Kept(1, "[1.chat0.1]"), Kept(1, "[1.chat0.0]")),
        (Said("[1.chat0.0]", complaint=False), Said("[1.chat0.1]", complaint=False)),
        "received out of order",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_a_fault_is_named(store: Store, name: str) -> None:
    kept, said, expected = FAULTS[name]
    await store.write(lambda connection: _keep(connection, kept))
    found = await Books(store).faults(said, bot_was_there=True)
    assert [fault for fault in found if fault.startswith(expected)]


async def test_a_sound_round_has_none(store: Store) -> None:
    await store.write(lambda connection: _keep(connection, SOUND))
    assert await Books(store).faults((QUESTION, COMPLAINT), bot_was_there=True) == []


def _keep(connection: Connection, kept: Sequence[Kept]) -> None:
    places: dict[int, int] = {}
    for number, one in enumerate(kept, 1):
        if one.conversation not in places:
            _begin(connection, one.conversation)
        places[one.conversation] = places.get(one.conversation, 0) + 2
        _receive(connection, number, one, places[one.conversation])


def _begin(connection: Connection, conversation_id: int) -> None:
    values = {"id": conversation_id, "channel": "some", "key": str(conversation_id), "recipient": "somebody"}
    connection.execute(insert(Conversation).values(**values, created_at=NOW, active_at=NOW))


def _receive(connection: Connection, inbox_id: int, one: Kept, seq: int) -> None:
    finished = NOW + timedelta(seconds=one.finished)
    place = {"conversation_id": one.conversation, "seq": seq}
    received = {"id": inbox_id, "channel": "some", "external_id": str(inbox_id), "sender": "somebody"}
    raw = {"received_at": NOW, "raw_sha256": "0" * 64, "raw_size": 0, "text": one.text}
    outcome = {"state": "done", "outcome": "opened" if one.case else "answered", "finished_at": finished}
    connection.execute(insert(Inbox).values(**received, **place, **raw, **outcome))
    answer = {
        "origin": f"inbox:{inbox_id}:0",
        "message_id": str(inbox_id),
        "author": "bot",
        "text": "",
        "state": "sent",
    }
    sent = {
        "conversation_id": one.conversation,
        "seq": seq + 1,
        "language": "zh",
        "created_at": NOW,
        "sent_at": finished,
    }
    connection.execute(insert(Outbox).values(**answer, **sent))
    if one.case:
        due = {"first_contact_at": NOW, "opened_at": NOW, "answer_due_at": NOW, "decision_due_at": NOW}
        case = {"number": f"RD-{inbox_id}", "opened_by_inbox": inbox_id, "label": "unclassified", "severity": "normal"}
        connection.execute(insert(Case).values(**case, **due, language="zh"))
