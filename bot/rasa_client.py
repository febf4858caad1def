"""One HTTP call to Rasa per turn. No answer, a late one, an empty or a broken one: all are a failed turn."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from actions.commands import Command, UnknownCommand, from_json
from bot.guard import harmless

MAX_ANSWER_BYTES = 256 * 1024
MAX_COMMANDS = 8
FAILURES_TO_OPEN = 3
OPEN_SECONDS = 5.0


class TurnFailed(Exception):
    """Rasa gave no usable answer. `reached` is False when the message never got to it and may be sent again."""

    def __init__(self, reason: str, *, reached: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.reached = reached


class RasaClient:
    """Talks to our own input channel in Rasa. After three failures in a row it fails at once for five seconds."""

    def __init__(self, url: str, secret: str, timeout_seconds: float) -> None:
        self._timeout_seconds = timeout_seconds
        self._failures = 0
        self._closed_until = 0.0
        self._http = httpx.AsyncClient(
            base_url=url,
            headers={"Authorization": f"Bearer {secret}"},
            timeout=httpx.Timeout(timeout_seconds),
            limits=httpx.Limits(max_connections=100, max_keepalive_connections=20),
            trust_env=False,
        )

    async def turn(
        self, sender: str, text: str, command: str | None, inbox_id: int, language: str, metadata: Mapping[str, Any]
    ) -> Sequence[Command]:
        """What the bot wants done about one message. `command` is a pressed button's; typed text cannot be one.

        Raises TurnFailed.
        """
        if time.monotonic() < self._closed_until:
            raise TurnFailed("Rasa failed several times just now", reached=False)
        body = {
            "sender": sender,
            "text": command or harmless(text),
            "inbox_id": inbox_id,
            "language": language,
            "metadata": dict(metadata),
        }
        try:
            commands = _commands(await self._post(body), inbox_id)
        except TurnFailed:
            self._count_failure()
            raise
        self._failures = 0
        return commands

    async def ready(self) -> bool:
        try:
            return (await self._http.get("/webhooks/redress/ready", timeout=2)).status_code == 200
        except httpx.HTTPError:
            return False

    async def close(self) -> None:
        await self._http.aclose()

    def _count_failure(self) -> None:
        self._failures += 1
        if self._failures >= FAILURES_TO_OPEN:
            self._closed_until = time.monotonic() + OPEN_SECONDS

    async def _post(self, body: Mapping[str, Any]) -> bytes:
        """The whole call within one budget: httpx's own time-outs are per read, and a slow drip would pass them."""
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return await self._read(body)
        except httpx.ConnectError as error:
            raise TurnFailed("Rasa cannot be reached", reached=False) from error
        except TimeoutError as error:
            raise TurnFailed(f"Rasa gave no answer in {self._timeout_seconds:g} s", reached=True) from error
        except httpx.HTTPError as error:
            raise TurnFailed(f"Rasa broke off ({type(error).__name__})", reached=True) from error

    async def _read(self, body: Mapping[str, Any]) -> bytes:
        async with self._http.stream("POST", "/webhooks/redress/turn", json=body) as response:
            if response.status_code != 200:
                raise TurnFailed(f"Rasa answered {response.status_code}", reached=True)
            content = bytearray()
            async for chunk in response.aiter_bytes():
                content += chunk
                if len(content) > MAX_ANSWER_BYTES:
                    raise TurnFailed("Rasa's answer is too long", reached=True)
            return bytes(content)


def _commands(content: bytes, inbox_id: int) -> Sequence[Command]:
    """Raises TurnFailed on anything but a complete, non-empty answer to this very message."""
    try:
        answer = json.loads(content)
        if answer["complete"] is not True or answer["inbox_id"] != inbox_id:
            raise TurnFailed("Rasa did not finish the turn", reached=True)
        commands = [from_json(message["custom"]) for message in answer["messages"]]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        detail = str(error) if isinstance(error, UnknownCommand) else "Rasa's answer makes no sense"
        raise TurnFailed(detail, reached=True) from error
    if not commands or len(commands) > MAX_COMMANDS:
        raise TurnFailed(f"Rasa answered with {len(commands)} commands", reached=True)
    return commands
