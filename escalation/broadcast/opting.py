"""Opting in by e-mail in two steps, and out in one; what the public pages do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot.clock import Clock
from bot.store.store import Store
from channels.contract import Words
from escalation.broadcast import subscribing
from escalation.broadcast.links import SubscriptionLinks
from escalation.broadcast.repository import subscriptions
from escalation.broadcast.repository.subscriptions import ACTIVE, ASKED, Proof, SubscriptionRow
from escalation.letters import open_letter

ASK_AGAIN_AFTER = timedelta(days=1)
CONFIRM_WITHIN = timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class Wished:
    address: str
    language: str
    time_zone: str | None


@dataclass(frozen=True, kw_only=True)
class Opting:
    store: Store
    clock: Clock
    words: Words
    links: SubscriptionLinks
    brand: Callable[[str], str]
    letters: Callable[[], str | None]
    """The channel that can write to an e-mail address; None when there is none."""

    async def ask(self, wished: Wished, origin: str) -> None:
        """Has the owner of the address asked, at most once a day. Whoever calls learns nothing about the address."""
        channel = self.letters()
        if channel is None:
            return

        def write(connection: Connection) -> None:
            now = self.clock()
            subscriptions.forget_unconfirmed(connection, now - CONFIRM_WITHIN)
            row = subscriptions.find(connection, channel, wished.address)
            if row is None:
                row = self._add(connection, channel, wished, now)
            elif row.state == ACTIVE or (row.asked_at is not None and now - row.asked_at < ASK_AGAIN_AFTER):
                return
            else:
                # Not the state: a subscription that was ended stays so until its owner confirms.
                values = {"language": wished.language, "time_zone": wished.time_zone}
                subscriptions.change(connection, row.id, asked_at=now, **values)
            subscriptions.add_deed(connection, row.id, "asked", Proof(how="page", origin=origin), now)
            self._write_letter(connection, channel, row, wished, now)

        await self.store.write(write)

    def _add(self, connection: Connection, channel: str, wished: Wished, now: datetime) -> SubscriptionRow:
        return subscriptions.add(
            connection,
            channel=channel,
            address=wished.address,
            language=wished.language,
            time_zone=wished.time_zone,
            state=ASKED,
            asked_at=now,
            changed_at=now,
        )

    def _write_letter(
        self, connection: Connection, channel: str, row: SubscriptionRow, wished: Wished, now: datetime
    ) -> None:
        """Fixed words: whoever typed the address cannot have us say anything to its owner."""
        language = wished.language
        open_letter(
            connection,
            channel=channel,
            address=wished.address,
            language=language,
            subject=self.words.say("broadcast.confirm_subject", language, brand=self.brand(language)),
            text=self.words.say(
                "broadcast.confirm_text",
                language,
                brand=self.brand(language),
                link=f"{self.links.confirm(row.name)}?lang={language}",
            ),
            origin=f"subscription:{row.id}:{now.isoformat()}",
            now=now,
        )

    async def confirm(self, name: str, origin: str) -> bool:
        """The second step; False when the link is too old or was never asked for."""

        def write(connection: Connection) -> bool:
            row = subscriptions.find_name(connection, name)
            now = self.clock()
            if row is None or row.asked_at is None:
                return False
            if row.state == ACTIVE:
                return True
            if now - row.asked_at > CONFIRM_WITHIN or _left_since(connection, row):
                return False
            proof = Proof(how="link", origin=origin)
            return subscribing.subscribe(connection, row.channel, row.address, row.language, proof, now)

        return await self.store.write(write)

    async def leave(self, name: str, proof: Proof) -> bool:
        """True when it is ended, by this or before; False when there is no such subscription."""

        def write(connection: Connection) -> bool:
            row = subscriptions.find_name(connection, name)
            subscribing.unsubscribe(connection, row, proof, self.clock())
            return row is not None

        return await self.store.write(write)

    async def language_of(self, name: str) -> str | None:
        row = await self.store.read(lambda connection: subscriptions.find_name(connection, name))
        return None if row is None else row.language


def _left_since(connection: Connection, row: SubscriptionRow) -> bool:
    """An old confirmation link does not bring back who has left since: only a new one does."""
    last = subscriptions.deeds(connection, row.id)[-1]
    return last[0] == "unsubscribed"
