"""Notices to subscribers, put together for whoever needs a part of it. Nothing of it holds a state."""

from __future__ import annotations

from bot.bootstrap.parts import Parts, brands, channel_of_letters
from escalation.broadcast import assembly
from escalation.broadcast.assembly import Broadcasting
from escalation.broadcast.policy import Rules


def broadcasting_of(parts: Parts) -> Broadcasting:
    settings = parts.settings
    return assembly.build(
        Rules(**settings.broadcast.model_dump()),
        secret=parts.secret,
        public_url=settings.url,
        store=parts.store,
        clock=parts.clock,
        words=parts.words,
        brands=brands(settings),
        channels=parts.channels,
        letters=lambda: channel_of_letters(parts.channels),
    )
