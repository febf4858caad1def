"""What is wrong on the platform right now, as far as it may be behind a user's matter. Asked for seldom."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from actions.backoffice.contract import BackOffice, BackOfficeDown, BackOfficeRefused, Incident

KEPT = timedelta(seconds=30)
"""So long an answer is believed, and a silent exchange left alone."""
PATIENCE_SECONDS = 0.7
"""It is a courtesy beside the answer: a turn has three seconds, and the records come first."""


class RunningIncidents:
    """Never raises for the peer: an exchange that does not answer has no incident to tell of."""

    def __init__(self, backoffice: BackOffice, clock: Callable[[], datetime]) -> None:
        self._backoffice = backoffice
        self._clock = clock
        self._answer: asyncio.Future[tuple[Incident, ...]] | None = None
        self._until: datetime | None = None

    async def title_for(self, entities: Mapping[str, tuple[str, ...]], language: str) -> str | None:
        """The newest incident that fits what the matter names; one of the whole platform fits everything."""
        for incident in await self._running():
            if fits(incident, entities):
                return incident.title_zh if language == "zh" else incident.title_en
        return None

    async def _running(self) -> tuple[Incident, ...]:
        """Whoever comes while the exchange is being asked waits for the same answer."""
        now = self._clock()
        if self._answer is None or self._until is None or now >= self._until:
            self._until = now + KEPT
            self._answer = asyncio.ensure_future(self._ask(now))
        return await asyncio.shield(self._answer)

    async def _ask(self, now: datetime) -> tuple[Incident, ...]:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                found = await self._backoffice.incidents(now)
        except (BackOfficeDown, BackOfficeRefused, TimeoutError):
            return ()
        return tuple(incident for incident in found if incident.until is None or incident.until > now)


def fits(incident: Incident, entities: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether the incident touches a coin or a network that is named; of one that names none everybody is touched."""
    if not incident.assets and not incident.networks:
        return True
    networks = set(entities.get("network", ()))
    if incident.networks and networks:
        return not networks.isdisjoint(incident.networks)
    amounts = {amount.split()[-1] for amount in entities.get("amount", ())}
    return not incident.networks and not (amounts | set(entities.get("asset", ()))).isdisjoint(incident.assets)
