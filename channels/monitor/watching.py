"""A channel that looks at a network's feeds and says one sentence there: what is the same for every network."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Protocol, override

import structlog

from channels.caps_contract import Caps
from channels.contract import Capabilities, Channel, Figures, OutboundMessage, ReadMessage, SendReceipt
from channels.faults import RetryLater
from channels.monitor.files import Files
from channels.monitor.listening import Listener
from channels.monitor.receive import Receiver
from channels.monitor.sending import Sender
from channels.monitor.state import State

STOP_SECONDS = 4.5
CAPABILITIES = Capabilities(max_characters=4_000, patience_seconds=120, public=True)
"""Nothing that is said here leaves but the one sentence, so its length is no limit of a network."""

log = structlog.get_logger()


class Reader(Protocol):
    async def read(self, raw: bytes, envelope: Mapping[str, Any], *, fetching: bool = True) -> ReadMessage:
        """Raises RetryLater while a file of the message cannot be fetched, for a while. `fetching`: else files are only
        counted."""
        ...


@dataclass(frozen=True, kw_only=True)
class Parts:
    listener: Listener
    receiver: Receiver
    reader: Reader
    files: Files
    sender: Sender
    state: State
    caps: Caps


class Watching(Channel):
    capabilities = CAPABILITIES

    def __init__(self, parts: Parts, network: str, *, off: str) -> None:
        """`network`: its name. `off`: why the channel is off; "" when it is on. A channel that is off starts nothing
        and has no door."""
        self.capabilities = replace(CAPABILITIES, caps=parts.caps)
        self._network = network
        self._parts = parts
        self._off = off
        self._listening: asyncio.Task[None] | None = None

    @override
    def title(self, language: str) -> str:
        return self._network

    @override
    async def start(self) -> None:
        """Does not wait for the network: the desk serves its other channels whether it answers or not."""
        if not self._off and self._listening is None:
            self._listening = asyncio.create_task(self._parts.listener.run())

    @override
    async def stop(self) -> None:
        if self._listening is None:
            return
        self._listening.cancel()
        with suppress(asyncio.CancelledError):
            await self._listening
        self._listening = None
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self._parts.listener.finish()
        except TimeoutError:
            log.warning("stop_incomplete", channel=self.name)

    @override
    async def close(self) -> None:
        await self._parts.files.close()

    @override
    def deaf(self) -> str | None:
        return self._parts.state.deaf()

    @override
    def trouble(self) -> str | None:
        return self._parts.state.trouble()

    @override
    def figures(self) -> Figures:
        state = self._parts.state
        return Figures(connections=state.feeds_up, refused={**self._parts.receiver.refused, **state.quotas()})

    @override
    async def read(self, raw: bytes, envelope: Mapping[str, Any]) -> ReadMessage:
        return await self._parts.reader.read(raw, envelope)

    @override
    async def skim(self, raw: bytes, envelope: Mapping[str, Any]) -> ReadMessage:
        return await self._parts.reader.read(raw, envelope, fetching=False)

    @override
    async def send(self, message: OutboundMessage) -> SendReceipt:
        if self._off:
            raise RetryLater(self._off)
        return await self._parts.sender.send(message)
