"""The intake ledger: everything received is accounted for, or the books do not balance and someone must look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from bot.repository import inbox
from bot.store.tables import Inbox

OUTCOMES = ("answered", "opened", "joined", "rejected", "automatic", "parked", "in_progress")


@dataclass(frozen=True)
class Ledger:
    """received = answered + opened or joined a case or a person + rejected + automatic + parked + in progress"""

    received: int
    outcomes: Mapping[str, int]

    @property
    def balanced(self) -> bool:
        return self.received == sum(self.outcomes.get(name, 0) for name in OUTCOMES)


def draw_up(connection: Connection) -> Ledger:
    received = connection.execute(select(func.count()).select_from(Inbox)).scalar_one()
    return Ledger(received=received, outcomes=inbox.count_by_outcome(connection))
