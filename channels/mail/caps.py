"""How much automatic mail may leave: caps per address and day, and for all together per hour.

They bound what two robots can say to each other (RFC 3834 section 2), and what strangers can have us send to whom they
like. A letter over its address's cap is given the time at which its turn comes, so that of many waiting ones each
knows its own. Kept in a small database, for restarts and for several processes on one folder; addresses only as
digests. It is no evidence of anything: a damaged one is begun anew.
"""

from __future__ import annotations

import asyncio
import hmac
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import structlog

from channels.contract import OutboundMessage
from channels.faults import NeedsPerson, RetryLater
from channels.mail.addresses import participant
from channels.mail.settings import MailSettings

DAY = 86_400.0
HOUR = 3_600.0
BUSY_SECONDS = 10.0
log = structlog.get_logger()

_SCHEMA = """
CREATE TABLE IF NOT EXISTS turn (letter TEXT PRIMARY KEY, address TEXT NOT NULL, due REAL NOT NULL, gone REAL);
CREATE INDEX IF NOT EXISTS turn_address ON turn (address, due);
CREATE INDEX IF NOT EXISTS turn_gone ON turn (gone);
"""
"""`due`: when the letter's address may get it. `gone`: when it was let out; seconds since 1970."""


class Caps:
    def __init__(
        self, folder: Path, settings: MailSettings, secret: bytes, clock: Callable[[], float] = time.time
    ) -> None:
        self._file = folder / "automatic.sqlite"
        self._per_address = settings.automatic_per_address
        self._per_hour = settings.automatic_per_hour
        self._key = hmac.digest(secret, b"mail caps v1", "sha256")
        self._clock = clock
        self._full_until = 0.0
        self._held_until = 0.0

    async def take(self, message: OutboundMessage) -> None:
        """Lets an automatic letter out, now and whenever it comes again. Raises RetryLater with the time when it may
        go, or NeedsPerson where that is more than a day away."""
        if not self._per_address and not self._per_hour:
            return
        try:
            await asyncio.to_thread(self._take, message.message_id, self._address(message))
        except (OSError, sqlite3.Error) as error:
            raise RetryLater(f"automatic mail could not be counted ({error})") from error

    def trouble(self) -> str | None:
        """Until the hour has room again; and for an hour after a letter was held back from its address."""
        if self._clock() < self._full_until:
            return (
                f"more than {self._per_hour} automatic mails within an hour: further ones wait. If this is no attack, "
                "raise channel.mail.automatic_per_hour"
            )
        if self._clock() < self._held_until:
            return (
                f"more than {self._per_address} automatic mails to one address within 24 hours: further ones wait. "
                "Maybe a robot answers us; its conversation is the one with an answer that is not sent"
            )
        return None

    def _address(self, message: OutboundMessage) -> str:
        """Letters that the desk began itself (codes, reminders) have a count of their own, so that nobody can use it
        up by writing under somebody's address."""
        purpose = "answer" if message.thread else "letter"
        return hmac.digest(self._key, f"{purpose}\n{participant(message.recipient)}".encode(), "sha256").hex()

    def _take(self, letter: str, address: str) -> None:
        with self._database() as database:
            now = self._clock()
            known = database.execute("SELECT due, gone FROM turn WHERE letter = ?", (letter,)).fetchone()
            if known is None:
                database.execute("DELETE FROM turn WHERE due < ? AND coalesce(gone, 0) < ?", (now - 2 * DAY, now - DAY))
                due = self._due(database, address, now)
                database.execute("INSERT INTO turn VALUES (?, ?, ?, NULL)", (letter, address, due))
            elif known[1] is not None:
                return
            else:
                due = known[0]
            full_for = self._full_for(database, now) if due <= now else 0.0
            if due <= now and not full_for:
                database.execute("UPDATE turn SET due = ?, gone = ? WHERE letter = ?", (now, now, letter))
        if due > now:
            log.warning("mail_cap_address", per_day=self._per_address)
            raise RetryLater("this address got as many automatic mails as it may within 24 hours", due - now)
        if full_for:
            self._full_until = now + full_for
            log.warning("mail_cap_all", per_hour=self._per_hour)
            raise RetryLater("as many automatic mails as may were sent within this hour", full_for)

    def _due(self, database: sqlite3.Connection, address: str, now: float) -> float:
        """A day after the letter that is `automatic_per_address` places before this one, sent or waiting."""
        if not self._per_address:
            return now
        query = "SELECT due FROM turn WHERE address = ? ORDER BY due DESC LIMIT 1 OFFSET ?"
        before = database.execute(query, (address, self._per_address - 1)).fetchone()
        due: float = now if before is None else max(now, before[0] + DAY)
        if due > now:
            self._held_until = now + HOUR
        if due - now > DAY:
            raise NeedsPerson("this address got more automatic mails than it may within two days; maybe it is a robot")
        return due

    def _full_for(self, database: sqlite3.Connection, now: float) -> float:
        """Seconds until the cap of all has room; 0 when it has."""
        if not self._per_hour:
            return 0.0
        query = "SELECT gone FROM turn WHERE gone > ? ORDER BY gone DESC LIMIT 1 OFFSET ?"
        oldest = database.execute(query, (now - HOUR, self._per_hour - 1)).fetchone()
        return 0.0 if oldest is None else max(1.0, float(oldest[0]) + HOUR - now)

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        """One transaction that no other thread or process can be in."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self._file, timeout=BUSY_SECONDS, isolation_level=None)) as database:
            try:
                database.execute("PRAGMA synchronous=OFF")  # a count that a power cut loses does no harm
                database.executescript(_SCHEMA)
                database.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                raise
            except sqlite3.DatabaseError:
                log.warning("mail_caps_begun_anew")
                self._file.unlink(missing_ok=True)
                raise
            with database:
                yield database
