"""What people of the desk do with broadcasts: write, look who would get it, start, stop. Who may is checked here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from bot.clock import Clock
from bot.repository import timers
from bot.store.store import Store
from escalation.broadcast import policy, sending
from escalation.broadcast.policy import Rules
from escalation.broadcast.repository import broadcasts, recipients, subscriptions
from escalation.broadcast.repository.broadcasts import DRAFT, PLANNED, RUNNING, STOPPED, BroadcastRow
from escalation.broadcast.repository.subscriptions import ACTIVE, BOUNCE, ENDED, Group

MAY = frozenset({"supervisor", "admin"})


class NotAllowed(Exception):
    """This person's role does not send broadcasts."""


class Faulty(Exception):
    """The draft cannot be kept; `faults` are last parts of wording keys."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__(", ".join(faults))
        self.faults = faults


class WrongState(Exception):
    """Somebody else was faster, or the page was old: this cannot be done to it now."""


@dataclass(frozen=True, kw_only=True)
class Doer:
    agent_id: int
    role: str

    def insist(self) -> None:
        if self.role not in MAY:
            raise NotAllowed


@dataclass(frozen=True, kw_only=True)
class Draft:
    kind: str
    titles: Mapping[str, str]
    texts: Mapping[str, str]
    starts_at: datetime
    shown_until: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Who would get it if it were started as things are now; nothing is written."""

    get: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """By channel and language."""
    later: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """Of these, those whose quiet hours it would begin in."""
    skipped: Mapping[str, int] = field(default_factory=dict)
    """Who gets nothing, by reason: unconfirmed, unsubscribed, bounced, channel_off."""


@dataclass(frozen=True, kw_only=True)
class Broadcasts:
    store: Store
    clock: Clock
    rules: Rules
    channels: sending.Channels

    async def keep(self, doer: Doer, draft: Draft, broadcast_id: int | None = None) -> int:
        """Keeps a draft, a new one or one that has not been started. Raises NotAllowed, Faulty, WrongState."""
        doer.insist()
        wrong = policy.faults(draft.kind, dict(draft.titles), dict(draft.texts))
        if draft.shown_until is not None and draft.shown_until <= draft.starts_at:
            wrong.append("until_before_start")
        if wrong:
            raise Faulty(wrong)
        values = {
            "kind": draft.kind,
            **{f"title_{language}": draft.titles[language].strip() for language in policy.LANGUAGES},
            **{f"text_{language}": draft.texts[language].strip() for language in policy.LANGUAGES},
            "starts_at": draft.starts_at,
            "shown_until": draft.shown_until,
        }

        def write(connection: Connection) -> int:
            if broadcast_id is None:
                return broadcasts.add(connection, created_by=doer.agent_id, created_at=self.clock(), **values)
            _locked(connection, broadcast_id, DRAFT)
            broadcasts.change(connection, broadcast_id, **values)
            return broadcast_id

        return await self.store.write(write)

    def plan(self, connection: Connection, row: BroadcastRow) -> Plan:
        """The dry run."""
        at, able = max(self.clock(), row.starts_at), self.channels()
        get: Counter[tuple[str, str]] = Counter()
        later: Counter[tuple[str, str]] = Counter()
        skipped: Counter[str] = Counter()
        for group in subscriptions.groups(connection):
            if (reason := _why_not(group, able)) is not None:
                skipped[reason] += group.count
                continue
            get[group.channel, group.language] += group.count
            quiet = not able[group.channel].immediate and policy.quiet_until(at, group.time_zone, self.rules)
            later[group.channel, group.language] += group.count if quiet else 0
        return Plan(get=get, later=later, skipped=skipped)

    async def start(self, doer: Doer, broadcast_id: int) -> None:
        """It leaves at its time, by itself. Raises NotAllowed, WrongState."""
        doer.insist()

        def write(connection: Connection) -> None:
            row = _locked(connection, broadcast_id, DRAFT)
            now = self.clock()
            values = {"state": PLANNED, "started_by": doer.agent_id, "started_at": now}
            broadcasts.change(connection, broadcast_id, starts_at=max(row.starts_at, now), **values)
            sending.set_timer(connection, broadcast_id, max(row.starts_at, now))

        await self.store.write(write)

    async def stop(self, doer: Doer, broadcast_id: int) -> None:
        """What has not left stays here, and the public page shows it no more. Raises NotAllowed, WrongState."""
        doer.insist()

        def write(connection: Connection) -> None:
            _locked(connection, broadcast_id, PLANNED, RUNNING, broadcasts.DONE)
            broadcasts.change(
                connection, broadcast_id, state=STOPPED, stopped_by=doer.agent_id, stopped_at=self.clock()
            )
            timers.cancel(connection, sending.BROADCAST_TIMER, str(broadcast_id))
            recipients.skip_waiting(connection, broadcast_id, recipients.STOPPED)
            recipients.drop_queued(connection, recipients.STOPPED, recipients.of_broadcast(broadcast_id))

        await self.store.write(write)


def _locked(connection: Connection, broadcast_id: int, *states: str) -> BroadcastRow:
    row = broadcasts.lock(connection, broadcast_id)
    if row is None or row.state not in states:
        raise WrongState
    return row


def _why_not(group: Group, able: Mapping[str, object]) -> str | None:
    if group.state == ENDED:
        return recipients.BOUNCED if group.how == BOUNCE else recipients.UNSUBSCRIBED
    if group.state != ACTIVE:
        return "unconfirmed"
    return None if group.channel in able else recipients.CHANNEL_OFF
