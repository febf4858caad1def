"""The whole catalogue of words: our own, the pages' and the channels', from their folders."""

from __future__ import annotations

from pathlib import Path

from bot.wording import HERE, Wording, load
from channels import registry

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("web", "console", "tracking", "help", "confirming", "broadcast")


def whole() -> Wording:
    """Raises WordingError when a sentence lacks its twin."""
    return load(HERE, *(ROOT / "escalation" / part / "wording" for part in PAGES), *registry.folders())
