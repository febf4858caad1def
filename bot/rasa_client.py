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
FAILURES_TO_REST = 3
REST_SECONDS = 5.0
REFUSED_SECONDS = 0.5


class TurnFailed(Exception):
    """Rasa gave no usable answer.

    `again_seconds` is how long to wait before the message may go there again; None when it may have been there
    already and must not be repeated. `ill` is True when Rasa itself seems to be down, whatever the message.
    """

    def __init__(self, reason: str, again_seconds: float | None = None, *, ill: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.again_seconds = again_seconds
        self.ill = ill


class RasaClient:
    """Talks to our own input channel in Rasa. After three failures in a row it fails at once for five seconds."""

    def __init__(self, url: str, secret: str, timeout_seconds: float) -> None:
        self._timeout_seconds = timeout_seconds
        self._failures = 0
        self._resting_until = 0.0
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
        self._insist_on_trust()
        body = {
            "sender": sender,
            "text": command or harmless(text),
            "inbox_id": inbox_id,
            "language": language,
            "metadata": dict(metadata),
        }
        try:
            commands = _commands(await self._post(body), inbox_id)
        except TurnFailed as failure:
            if failure.ill:
                self._count_failure()
            raise
        self._failures, self._resting_until = 0, 0.0
        return commands

    async def ready(self) -> bool:
        try:
            return (await self._http.get("/webhooks/redress/ready", timeout=2)).status_code == 200
        except httpx.HTTPError:
            return False

    async def close(self) -> None:
        await self._http.aclose()

    def _insist_on_trust(self) -> None:
        """While Rasa rests nobody asks; afterwards one message tries it while the others go on resting."""
        now = time.monotonic()
        if now < self._resting_until:
            raise TurnFailed("Rasa failed several times just now", self._resting_until - now + self._timeout_seconds)
        if self._failures >= FAILURES_TO_REST:
            self._resting_until = now + self._timeout_seconds

    def _count_failure(self) -> None:
        self._failures += 1
        if self._failures >= FAILURES_TO_REST:
            self._resting_until = time.monotonic() + REST_SECONDS

    async def _post(self, body: Mapping[str, Any]) -> bytes:
        """The whole call within one budget: httpx's own time-outs are per read, and a slow drip would pass them."""
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return await self._read(body)
        except httpx.ConnectError as error:
            raise TurnFailed("Rasa cannot be reached", REFUSED_SECONDS, ill=True) from error
        except TimeoutError as error:
            raise TurnFailed(f"Rasa gave no answer in {self._timeout_seconds:g} s", ill=True) from error
        except httpx.HTTPError as error:
            raise TurnFailed(f"Rasa broke off ({type(error).__name__})", ill=True) from error

    async def _read(self, body: Mapping[str, Any]) -> bytes:
        async with self._http.stream("POST", "/webhooks/redress/turn", json=body) as response:
            if response.status_code != 200:
                raise TurnFailed(f"Rasa answered {response.status_code}", ill=response.status_code >= 500)
            content = bytearray()
            async for chunk in response.aiter_bytes():
                content += chunk
                if len(content) > MAX_ANSWER_BYTES:
                    raise TurnFailed("Rasa's answer is too long")
            return bytes(content)


def _commands(content: bytes, inbox_id: int) -> Sequence[Command]:
    """Raises TurnFailed on anything but a complete, non-empty answer to this very message."""
    try:
        answer = json.loads(content)
        if answer["complete"] is not True or answer["inbox_id"] != inbox_id:
            raise TurnFailed("Rasa did not finish the turn")
        commands = [from_json(message["custom"]) for message in answer["messages"]]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        detail = str(error) if isinstance(error, UnknownCommand) else "Rasa's answer makes no sense"
        raise TurnFailed(detail) from error
    if not commands or len(commands) > MAX_COMMANDS:
        raise TurnFailed(f"Rasa answered with {len(commands)} commands")
    return commands
