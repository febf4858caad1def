"""What the console needs from the rest of the desk; the composition root fills it in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.clock import Clock
from bot.files import Files
from bot.hub import Hub
from bot.presence import Presence
from bot.store.store import Store
from bot.wording import Wording
from channels.contract import Capabilities
from channels.record_contract import Recorder
from escalation.broadcast.service import Broadcasts
from escalation.handling import Handling
from escalation.links import TrackingLinks

type Formatted = Callable[[str, bytes, Mapping[str, Any]], Awaitable[str | None]]
"""(channel, raw bytes, envelope) -> `channels.contract.Channel.formatted`."""


@dataclass(frozen=True, kw_only=True)
class ConsoleDesk:
    store: Store
    hub: Hub
    clock: Clock
    words: Wording
    """Holds at least the catalogues of `escalation/web/wording` and `escalation/console/wording`."""
    handling: Handling
    presence: Presence
    broadcasts: Broadcasts
    links: TrackingLinks
    evidence: Files
    capabilities: Callable[[str], Capabilities]
    """Of a channel, by its name."""
    formatted: Formatted
    """A message as its sender laid it out; None where there is no such form."""
    raw: Files
    """The original bytes that are too large for a row."""
    preview: Callable[[str], Awaitable[bytes | None]]
    """A small PNG of a picture, by the SHA-256 of the original; None when there is none."""
    recorder: Callable[[], Recorder | None] = lambda: None
    """Takes the calls and letters that agents key in; None when no channel does."""
    scanning: bool = False
    """Whether a virus scanner is configured: then no file is handed out before its word."""
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
