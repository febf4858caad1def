"""Two desks on one PostgreSQL send codes to one account at the same moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, create_engine, func, insert, select

from bot.identity import repository
from bot.identity.claims import Claim
from bot.identity.codes import Codes
from bot.identity.directory import Registered
from bot.identity.policy import Limits
from bot.identity.steps import SendCode
from bot.repository import conversations
from bot.store.identity_tables import IdentityCode
from bot.store.store import Store
from bot.store.tables import Conversation
from tests.fakes.exchange import EMMA

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
STEP = SendCode(
    claim=Claim("uid", EMMA["uid"]),
    registered=Registered(**EMMA),
    waiting=None,
    language="en",
    codes=Codes(b"s" * 32),
    limits=Limits(code_life=timedelta(minutes=10), tries=3, sends=3, proof_life=timedelta(hours=12)),
)


@pytest.fixture
def desk(postgres: Callable[[], str]) -> Iterator[Store]:
    with closing(Store(postgres())) as store:
        yield store


def begin(connection: Connection, key: str) -> None:
    values = {"channel": "fake", "key": key, "recipient": key, "created_at": NOW, "active_at": NOW}
    connection.execute(insert(Conversation).values(**values))


def send(connection: Connection, key: str) -> None:
    conversation = conversations.find(connection, "fake", key)
    assert conversation is not None
    list(STEP.carry_out(connection, conversation, NOW))


async def test_a_code_committed_between_the_two_reads_is_counted(desk: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for key in ("one", "two", "three", "four"):
        await desk.write(lambda connection, key=key: begin(connection, key))  # type: ignore[misc]
    for key in ("one", "two"):
        await desk.write(lambda connection, key=key: send(connection, key))  # type: ignore[misc]
    count = repository.sends_of_account
    raced: list[int] = []

    def count_and_lose(connection: Connection, account_key: str, now: datetime) -> object:
        found = count(connection, account_key, now)
        if not raced:
            raced.append(len(found))
            engine = create_engine(desk.url)
            with engine.begin() as other:
                send(other, "three")
            engine.dispose()
        return found

    monkeypatch.setattr(repository, "sends_of_account", count_and_lose)
    await desk.write(lambda connection: send(connection, "four"))
    sent = select(func.count()).where(IdentityCode.uid.is_not(None))
    assert raced == [2]
    assert await desk.read(lambda connection: connection.execute(sent).scalar_one()) == 3
    everything = select(func.count()).select_from(IdentityCode)
    assert await desk.read(lambda connection: connection.execute(everything).scalar_one()) == 4
