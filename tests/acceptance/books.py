"""Compares, after a round, what people were told is stored with what is kept."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from sqlalchemy import Connection, Row, func, select, text

from bot import ledger
from bot.store.store import Store
from bot.store.tables import Base, Case, Inbox, Outbox
from tests.acceptance.crowd import Said

MARKER = re.compile(r"\[\d+\.\w+(?:\.\d+)?\]")
ORIGIN = re.compile(r"inbox:(\d+):(\d+)")
UNHAPPY = ("unknown", "failed", "parked")


@dataclass(frozen=True)
class Waiting:
    """Rows that are not finished."""

    inbox: frozenset[int]
    outbox: frozenset[int]

    def __bool__(self) -> bool:
        return bool(self.inbox or self.outbox)


def waiting(connection: Connection) -> Waiting:
    received = select(Inbox.id).where(Inbox.state == "new")
    unsent = select(Outbox.id).where(Outbox.state.in_(("new", "sending")))
    return Waiting(frozenset(connection.execute(received).scalars()), frozenset(connection.execute(unsent).scalars()))


class Books:
    """Looks at what came since the last look; the desk is at rest."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._last_id = 0

    async def faults(self, said: Sequence[Said], *, bot_was_there: bool) -> list[str]:
        """One sentence per fault. Without its bot the desk may open cases about questions as well."""
        found = await self._store.read(lambda connection: list(self._look(connection, said, bot_was_there)))
        # The ledger wants a transaction of its own.
        return found + await self._store.read(lambda connection: list(_books(connection)))

    def _look(self, connection: Connection, said: Sequence[Said], bot_was_there: bool) -> Iterator[str]:
        query = select(Inbox.id, Inbox.conversation_id, Inbox.seq, Inbox.text, Inbox.finished_at)
        rows = connection.execute(query.where(Inbox.id > self._last_id).order_by(Inbox.id)).all()
        self._last_id = max((row.id for row in rows), default=self._last_id)
        yield from _once_each(rows, said)
        yield from _cases(connection, rows, said, bot_was_there)
        yield from _order(connection, rows)
        yield from _sound(connection)


type Received = Row[int, int, int, str, datetime | None]
type Answer = Row[int, str, str, datetime | None]
type Rows = Sequence[Received]


def _once_each(rows: Rows, said: Sequence[Said]) -> Iterator[str]:
    """Each acknowledged message in exactly one row, and no row that nobody wrote."""
    kept = Counter(marker for row in rows for marker in MARKER.findall(row.text) or ["without a marker"])
    wanted = Counter(one.marker for one in said)
    yield from (f"lost {marker}" for marker in wanted - kept)
    yield from (f"duplicate {marker}" for marker in kept - wanted)


def _cases(connection: Connection, rows: Rows, said: Sequence[Said], bot_was_there: bool) -> Iterator[str]:
    """A conversation with a complaint has one case; another has none."""
    complained = {one.marker for one in said if one.complaint}
    wanted: dict[int, bool] = defaultdict(bool)
    for row in rows:
        wanted[row.conversation_id] |= bool(complained & set(MARKER.findall(row.text)))
    conversation_of = {row.id: row.conversation_id for row in rows}
    opened = connection.execute(select(Case.opened_by_inbox).where(Case.opened_by_inbox.in_(conversation_of)))
    cases = Counter(conversation_of[inbox_id] for inbox_id in opened.scalars())
    for conversation_id, complaint in wanted.items():
        right = (1,) if complaint else (0,) if bot_was_there else (0, 1)
        if cases[conversation_id] not in right:
            yield f"{cases[conversation_id]} cases in conversation {conversation_id}, complaint={complaint}"


def _order(connection: Connection, rows: Rows) -> Iterator[str]:
    """Per conversation: worked on, answered and sent in the order in which the messages came."""
    conversations: dict[int, list[Received]] = defaultdict(list)
    for row in rows:
        conversations[row.conversation_id].append(row)
    query = select(Outbox.conversation_id, Outbox.origin, Outbox.state, Outbox.sent_at).order_by(Outbox.seq)
    answers: dict[int, list[Answer]] = defaultdict(list)
    for answer in connection.execute(query.where(Outbox.conversation_id.in_(conversations))):
        answers[answer.conversation_id].append(answer)
    for conversation_id, received in conversations.items():
        received.sort(key=lambda row: row.seq)
        texts = [marker for row in received for marker in MARKER.findall(row.text)]
        origins = [found.groups() for one in answers[conversation_id] if (found := ORIGIN.fullmatch(one.origin))]
        sequences: Mapping[str, Sequence[object]] = {
            "received": texts,
            "worked on": [row.finished_at for row in received],
            "answered": [(int(inbox_id), int(ordinal)) for inbox_id, ordinal in origins],
            "sent": [one.sent_at for one in answers[conversation_id] if one.state == "sent"],
        }
        yield from (
            f"{what} out of order in conversation {conversation_id}"
            for what, values in sequences.items()
            if any(earlier > later for earlier, later in pairwise(values))  # type: ignore[operator] # of one kind
        )


def _books(connection: Connection) -> Iterator[str]:
    book = ledger.draw_up(connection)
    if not book.balanced:
        yield f"the ledger does not balance: {book}"
    if book.outcomes.get("parked") or book.outcomes.get("in_progress"):
        yield f"parked or unfinished: {dict(book.outcomes)}"
    unhappy = select(Outbox.state, func.count()).where(Outbox.state.in_(UNHAPPY)).group_by(Outbox.state)
    yield from (f"{count} answers are {state}" for state, count in connection.execute(unhappy))


def _sound(connection: Connection) -> Iterator[str]:
    """The database itself: SQLite checks all it has; PostgreSQL must find the same rows by index and without."""
    if connection.dialect.name == "sqlite":
        found = list(connection.execute(text("PRAGMA integrity_check")).scalars())
        broken = connection.execute(text("PRAGMA foreign_key_check")).all()
        if found != ["ok"] or broken:
            yield f"SQLite says {found} and {len(broken)} broken references"
        return
    for table in Base.metadata.sorted_tables:
        key = ", ".join(column.name for column in table.primary_key)
        rows = f"SELECT row({key})::text AS k FROM {table.name} ORDER BY {key}"
        query = text(f"SELECT count(*), md5(string_agg(k, ',')) FROM ({rows}) AS rows")
        found = [_by(connection, query, index=index) for index in (True, False)]
        if found[0] != found[1]:
            yield f"PostgreSQL finds {found} in {table.name}, by index and without"


def _by(connection: Connection, query: object, *, index: bool) -> tuple[object, ...]:
    for method in ("seqscan", "bitmapscan", "indexscan", "indexonlyscan"):
        on = index != (method == "seqscan")
        connection.execute(text(f"SET LOCAL enable_{method} = {'on' if on else 'off'}"))
    return tuple(connection.execute(query).one())  # type: ignore[call-overload] # a text clause
