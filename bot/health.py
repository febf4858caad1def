"""Can messages be accepted (`/readyz`), what is out of order, and does the process live (`/healthz`)?"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import monotonic
from types import MappingProxyType

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from bot.clock import now
from bot.fresh import Fresh
from bot.rasa_client import RasaClient
from bot.repository import instance
from bot.store.store import Store
from channels.contract import Channel
from channels.faults import NotStored

NOTHING: Mapping[str, Callable[[], str | None]] = MappingProxyType({})
PROBE_BYTES = 4096
SECONDS = 1.0
"""A probe writes, syncs and asks Rasa; whoever asks more often than this hears the last answer."""
PATIENCE_SECONDS = 4.0
"""Longer than a writer waits for somebody else's row, shorter than whoever asks usually waits for the answer."""


@dataclass(frozen=True)
class State:
    blocked: Mapping[str, str]
    """Why messages cannot be accepted, by part; empty when they can."""
    degraded: Mapping[str, str]
    """Parts that are out of order while intake goes on."""


class Health:
    def __init__(
        self,
        *,
        store: Store,
        data_dir: Path,
        channels: Mapping[str, Channel],
        rasa: RasaClient,
        troubles: Mapping[str, Callable[[], str | None]] = NOTHING,
    ) -> None:
        """`troubles`: parts that can say at once what is wrong with them, if anything, while intake goes on."""
        self._store = store
        self._data_dir = data_dir
        self._channels = channels
        self._rasa = rasa
        self._troubles = troubles
        self._probed = Fresh(self._probe, SECONDS, monotonic)

    def routes(self) -> list[BaseRoute]:
        return [Route("/healthz", _alive), Route("/readyz", self._ready)]

    async def state(self) -> State:
        """At most a second old, but for the listeners: those are looked at each time, which costs nothing."""
        probed = await self._probed.get()
        deaf = {name: reason for name, channel in self._channels.items() if (reason := channel.deaf())}
        return State({**probed.blocked, **deaf}, probed.degraded)

    async def _probe(self) -> State:
        return State(*await asyncio.gather(self._blocked(), self._degraded()))

    async def _blocked(self) -> Mapping[str, str]:
        checks = {"database": self._database(), "data folder": self._folder()}
        reasons = await asyncio.gather(*checks.values())
        return {name: reason for name, reason in zip(checks, reasons, strict=True) if reason}

    async def _database(self) -> str | None:
        """Why it takes no message now: asked by writing, for one that is full or read-only answers every question."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._store.write(partial(instance.try_to_write, now=now()))
        except NotStored as error:
            return error.reason
        except TimeoutError:
            return f"does not take anything within {PATIENCE_SECONDS:g} s"
        return None

    async def _folder(self) -> str | None:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await asyncio.to_thread(_write_something, self._data_dir)
        except TimeoutError:  # before OSError, of which it is one
            return f"does not take anything within {PATIENCE_SECONDS:g} s"
        except OSError as error:
            return f"cannot be written ({error.strerror})"
        return None

    async def _degraded(self) -> Mapping[str, str]:
        asked = {name: channel.trouble for name, channel in self._channels.items()} | dict(self._troubles)
        found = {name: trouble for name, ask in asked.items() if (trouble := ask())}
        if not await self._rasa.ready():
            found["rasa"] = "does not answer; people take over meanwhile"
        elif self._rasa.keeps_old_model:
            found["model"] = "the newest one cannot be loaded; the one before keeps serving (Rasa's log says why)"
        return found

    async def _ready(self, _request: Request) -> JSONResponse:
        state = await self.state()
        doors = {name: door for name, channel in self._channels.items() if (door := channel.door())}
        ready = not state.blocked
        body = {"ready": ready, "reason": dict(state.blocked), "degraded": dict(state.degraded), "doors": doors}
        return JSONResponse(body, status_code=200 if ready else 503)


async def _alive(_request: Request) -> JSONResponse:
    return JSONResponse({"alive": True})


def _write_something(folder: Path) -> None:
    """Really writes: a full disk is noticed only by writing."""
    path = folder / f".probe-{secrets.token_hex(4)}"
    try:
        with path.open("wb") as file:
            file.write(b"\0" * PROBE_BYTES)
            file.flush()
            os.fsync(file.fileno())
    finally:
        path.unlink(missing_ok=True)
