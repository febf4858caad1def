"""The whole catalogue of words: our own, the pages' and the channels', from their folders."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from bot.wording import HERE, Wording, load
from channels import registry

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("web", "console", "tracking", "help", "confirming", "broadcast")


def whole() -> Wording:
    """Read once. Raises WordingError when a sentence lacks its twin."""
    return _read(HERE, *(ROOT / "escalation" / part / "wording" for part in PAGES), *registry.folders())


_read = lru_cache(maxsize=2)(load)
