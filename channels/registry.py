"""Finds the channels by folder. The only module that loads them; an unknown or unfinished one stops the start."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from channels.contract import Channel, ChannelContext

HERE = Path(__file__).parent


class UnknownChannel(Exception):
    """The configuration names a channel that has no folder."""


def names() -> list[str]:
    """A folder with a checklist is a channel; one without is what several channels share."""
    return sorted(p.parent.name for p in HERE.glob("*/__init__.py") if (p.parent / "checklist.yml").exists())


def folders() -> list[Path]:
    return [HERE / name for name in names()]


def build_all(context_for: Callable[[str], ChannelContext], configured: Iterable[str]) -> Mapping[str, Channel]:
    """Builds every channel. Raises UnknownChannel for a configuration section without a folder."""
    if unknown := set(configured) - set(names()):
        raise UnknownChannel(
            f"the configuration has a section for the channel {', '.join(sorted(unknown))}, "
            f"which does not exist; there are {', '.join(names())}"
        )
    return {name: _build(name, context_for(name)) for name in names()}


def _build(name: str, context: ChannelContext) -> Channel:
    channel: Channel = importlib.import_module(f"channels.{name}").build(context)
    if channel.name != name:
        raise UnknownChannel(f"the folder channels/{name} builds a channel that calls itself {channel.name!r}")
    return channel
