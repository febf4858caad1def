"""What the console needs from the rest of the desk; the composition root fills it in."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.clock import Clock
from bot.files import Files
from bot.hub import Hub
from bot.presence import Presence
from bot.store.store import Store
from bot.wording import Wording
from escalation.handling import Handling
from escalation.links import TrackingLinks


@dataclass(frozen=True, kw_only=True)
class ConsoleDesk:
    store: Store
    hub: Hub
    clock: Clock
    words: Wording
    """Holds at least the catalogues of `escalation/web/wording` and `escalation/console/wording`."""
    handling: Handling
    presence: Presence
    links: TrackingLinks
    evidence: Files
    public_url: str
    brands: Mapping[str, str]
    """The exchange's name by language."""
    can_prove: bool = False
    """Whether users can prove who they are by a code, so that agents can ask them to."""
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    """Set it when the server stops: it ends the live streams, which would otherwise hold the server up."""

    @property
    def https(self) -> bool:
        return self.public_url.startswith("https://")
