"""Can messages be accepted (`/readyz`), what is out of order, and does the process live (`/healthz`)?"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from bot.rasa_client import RasaClient
from bot.store.store import Store
from channels.contract import Channel, NotStored

PROBE_BYTES = 4096


@dataclass(frozen=True, kw_only=True)
class Health:
    store: Store
    data_dir: Path
    channels: Mapping[str, Channel]
    rasa: RasaClient

    async def blocked(self) -> Mapping[str, str]:
        """Why messages cannot be accepted, by part; empty when they can."""
        found: dict[str, str] = {}
        try:
            await self.store.write(lambda connection: connection.execute(text("SELECT 1")))
        except NotStored as error:
            found["database"] = error.reason
        try:
            await asyncio.to_thread(_probe, self.data_dir)
        except OSError as error:
            found["data folder"] = f"cannot be written ({error.strerror})"
        return found

    async def degraded(self) -> Mapping[str, str]:
        """Parts that are down while intake goes on."""
        troubles = {name: channel.trouble() for name, channel in self.channels.items()}
        found = {name: trouble for name, trouble in troubles.items() if trouble is not None}
        if not await self.rasa.ready():
            found["rasa"] = "does not answer; people take over meanwhile"
        return found

    def routes(self) -> list[BaseRoute]:
        return [Route("/healthz", _alive), Route("/readyz", self._ready)]

    async def _ready(self, _request: Request) -> JSONResponse:
        blocked, degraded = await self.blocked(), await self.degraded()
        doors = {name: door for name, channel in self.channels.items() if (door := channel.door())}
        body = {"ready": not blocked, "reason": dict(blocked), "degraded": dict(degraded), "doors": doors}
        return JSONResponse(body, status_code=503 if blocked else 200)


async def _alive(_request: Request) -> JSONResponse:
    return JSONResponse({"alive": True})


def _probe(folder: Path) -> None:
    """Really writes: a full disk is noticed only by writing."""
    path = folder / f".probe-{secrets.token_hex(4)}"
    try:
        with path.open("wb") as file:
            file.write(b"\0" * PROBE_BYTES)
            file.flush()
            os.fsync(file.fileno())
    finally:
        path.unlink(missing_ok=True)
