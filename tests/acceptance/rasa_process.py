"""A Rasa as a process of its own, to be killed and started again: python -m tests.acceptance.rasa_process PORT"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence
from typing import Any

import httpx

from actions.commands import Command, HandToPerson, OpenCase, Say
from tests.fakes.rasa import FakeRasa
from tests.fakes.web import serving
from tests.process.desk import ROOT, START_SECONDS, clean_environment, free_port

COMPLAINTS = ("complaint", "投诉")


def propose(body: dict[str, Any]) -> Sequence[Command]:
    """Opens a case for what says that it is a complaint, and greets the rest."""
    if any(word in body["text"] for word in COMPLAINTS):
        return (OpenCase(label="withdrawal_issue"), HandToPerson(reasons=("money_missing",)))
    return (Say(key="greeting"),)


class RasaProcess:
    def __init__(self) -> None:
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> float:
        """Starts it and waits until it answers; how many seconds that took."""
        began = time.monotonic()
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.acceptance.rasa_process", str(self._port)),
            cwd=ROOT,
            env=clean_environment(),
        )
        async with asyncio.timeout(START_SECONDS), httpx.AsyncClient(trust_env=False, timeout=5) as http:
            while not await self._answers(http):
                await asyncio.sleep(0.05)
        return time.monotonic() - began

    async def kill(self) -> None:
        assert self._process is not None
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()

    async def _answers(self, http: httpx.AsyncClient) -> bool:
        try:
            return (await http.get(f"{self.url}/webhooks/redress/ready")).status_code == 200
        except httpx.HTTPError:
            return False


async def _serve(port: int) -> None:
    async with serving(FakeRasa(propose).app, port):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
