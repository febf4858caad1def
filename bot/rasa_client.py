"""One HTTP call to Rasa per turn. No answer, a late one, an empty or a broken one: all are a failed turn."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from actions.commands import Command, UnknownCommand, from_json
from bot.guard import harmless
from bot.metrics import RasaFailure, rasa_failed, step
from bot.rasa_line import BrokenOff, Line, TooLong

MAX_ANSWER_BYTES = 256 * 1024
MAX_COMMANDS = 8
FAILURES_TO_REST = 3
READY_SECONDS = 2.0
REST_SECONDS = 5.0
REFUSED_SECONDS = 0.5
NOWHERE = "http://127.0.0.1:9"
"""Port 9 discards (RFC 863), and nobody listens there."""


class TurnFailed(Exception):
    """Rasa gave no usable answer; `kind` says in one word how, for the metrics.

    `again_seconds` is how long to wait before the message may go there again; None when it may have been there
    already and must not be repeated. `ill` is True when Rasa itself seems to be out of order, whatever the message.
    """

    def __init__(
        self, reason: str, again_seconds: float | None = None, *, ill: bool = False, kind: RasaFailure = "nonsense"
    ) -> None:
        super().__init__(reason)
        self.kind = kind
        self.reason = reason
        self.again_seconds = again_seconds
        self.ill = ill


class RasaClient:
    """Talks to our own input channel in Rasa. After three failures in a row it fails at once for five seconds.

    A connection that is refused or breaks is no such failure: it costs nothing, and whoever comes next may find Rasa
    started again. What is feared is a Rasa that takes messages and does nothing with them.
    """

    def __init__(self, url: str, secret: str, timeout_seconds: float) -> None:
        """`url` is empty where there is no Rasa: then it cannot be reached. Raises ValueError when it is no address."""
        self._timeout_seconds = timeout_seconds
        self._failures = 0
        self._resting_until = 0.0
        headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
        self._line = Line(url or NOWHERE, headers, most_bytes=MAX_ANSWER_BYTES)
        self.keeps_old_model = False
        """A newer model than the one that answers could not be loaded."""

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
            with step("rasa"):
                commands = _commands(await self._post(body), inbox_id)
        except TurnFailed as failure:
            rasa_failed(failure.kind)
            if failure.ill:
                self._count_failure()
            raise
        self._failures, self._resting_until = 0, 0.0
        return commands

    async def ready(self) -> bool:
        """Whether it answers. `keeps_old_model` says afterwards whether it does so with its newest model."""
        try:
            async with asyncio.timeout(READY_SECONDS):
                answer = await self._line.call("GET", "/webhooks/redress/ready")
        except (OSError, BrokenOff, TooLong, TimeoutError):
            return False
        self.keeps_old_model = _fault(answer.content)
        return answer.status == 200

    async def close(self) -> None:
        self._line.close()

    def _insist_on_trust(self) -> None:
        """While Rasa rests nobody asks; afterwards one message tries it while the others go on resting."""
        now = time.monotonic()
        if now < self._resting_until:
            rasa_failed("resting")
            raise TurnFailed("Rasa failed several times just now", self._resting_until - now + self._timeout_seconds)
        if self._failures >= FAILURES_TO_REST:
            self._resting_until = now + self._timeout_seconds

    def _count_failure(self) -> None:
        self._failures += 1
        if self._failures >= FAILURES_TO_REST:
            self._resting_until = time.monotonic() + REST_SECONDS

    async def _post(self, body: Mapping[str, Any]) -> bytes:
        """The whole call within one budget, connecting included."""
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return await self._read(body)
        except TimeoutError as error:
            raise TurnFailed(f"Rasa gave no answer in {self._timeout_seconds:g} s", ill=True, kind="late") from error
        except OSError as error:
            raise TurnFailed("Rasa cannot be reached", REFUSED_SECONDS, kind="unreachable") from error
        except BrokenOff as error:
            raise TurnFailed(f"Rasa broke off: {error}", kind="broken_off") from error
        except TooLong as error:
            raise TurnFailed("Rasa's answer is too long") from error

    async def _read(self, body: Mapping[str, Any]) -> bytes:
        data = json.dumps(body, ensure_ascii=False).encode()
        answer = await self._line.call("POST", "/webhooks/redress/turn", data)
        if answer.status != 200:
            raise TurnFailed(f"Rasa answered {answer.status}", ill=answer.status >= 500, kind="refused")
        return answer.content


def _fault(content: bytes) -> bool:
    """Whether what Rasa says of itself names a fault."""
    try:
        said = json.loads(content)
    except ValueError:
        return False
    return isinstance(said, dict) and bool(said.get("fault"))


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
