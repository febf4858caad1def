"""The one door to Rasa: a turn is either complete or failed, and never something in between.

Rasa's own REST channel answers 200 with an empty list when anything goes wrong, believes whatever sender it
is told, and asks nobody who they are. docs/decisions/0004-our-own-rasa-channel.md says what this one does.
"""

from __future__ import annotations

import asyncio
import hmac
import re
from dataclasses import dataclass
from typing import Any, Awaitable, Callable, Dict, Mapping, Optional, Text

from rasa.core.channels.channel import CollectingOutputChannel, InputChannel, UserMessage
from rasa.shared.exceptions import RasaException
from sanic import Blueprint
from sanic.request import Request
from sanic.response import HTTPResponse, json

from actions.logs import log
from bot.rasa.processor import TurnFailed

TURN_SECONDS = 4.5
"""A turn that takes longer has failed; the desk itself waits 5 s."""
LANGUAGES = ("en", "zh")
RASA_OWN = frozenset({"restart", "back", "session_start", "nlu_fallback", "background"})
"""Intents with a meaning of their own inside Rasa, and those that nobody can choose: never a button."""

_SENDER = re.compile(r"[a-z][a-z0-9_]*:[^\s]{1,200}")
_BUTTON = re.compile(r"/([a-z0-9_]+)")

Handler = Callable[[UserMessage], Awaitable[Any]]


class BadTurn(ValueError):
    """The request is not a turn; the message says what is wrong with it, in a sentence."""


@dataclass(frozen=True)
class Turn:
    """One message of one conversation. `inbox_id` names it in the desk's inbox and is given back."""

    sender: str
    text: str
    inbox_id: int
    metadata: Mapping[str, Any]


class RedressInput(InputChannel):
    """POST /webhooks/redress/turn, behind a shared secret, and GET /webhooks/redress/ready."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    @classmethod
    def name(cls) -> Text:
        return "redress"

    @classmethod
    def from_credentials(cls, credentials: Optional[Dict[Text, Any]]) -> RedressInput:
        secret = str((credentials or {}).get("secret") or "").strip()
        if not secret:
            raise RasaException("The channel needs a shared secret: set REDRESS_RASA_SECRET.")
        return cls(secret)

    def blueprint(self, on_new_message: Handler) -> Blueprint:
        door = Blueprint("redress")

        @door.get("/ready")
        async def ready(request: Request) -> HTTPResponse:
            # The port opens after the model is loaded, see bot/rasa/app.py.
            serving = request.app.ctx.serving
            return json({"ready": True, "model": serving.model[:12], "fault": serving.fault})

        @door.post("/turn")
        async def turn(request: Request) -> HTTPResponse:
            if not self._knows(request):
                return _failure(401, "The shared secret is missing or wrong.")
            try:
                asked = read(request.json, request.app.ctx.serving.buttons)
            except BadTurn as error:
                return _failure(400, str(error))
            return await _run(asked, on_new_message)

        return door

    def _knows(self, request: Request) -> bool:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        return scheme == "Bearer" and hmac.compare_digest(given.encode(), self._secret)


def read(body: Any, buttons: frozenset[str]) -> Turn:
    """The turn in a request's JSON. Raises BadTurn, saying what is missing or of the wrong kind."""
    if not isinstance(body, dict):
        raise BadTurn("The body must be a JSON object.")
    sender, text, inbox_id = body.get("sender"), body.get("text"), body.get("inbox_id")
    language, metadata = body.get("language"), body.get("metadata", {})
    if not isinstance(sender, str) or not _SENDER.fullmatch(sender):
        raise BadTurn("`sender` must name one conversation as <channel>:<id>.")
    if not isinstance(text, str) or not text.strip():
        raise BadTurn("`text` must be a string that is not empty.")
    if not isinstance(inbox_id, int) or isinstance(inbox_id, bool):
        raise BadTurn("`inbox_id` must be a whole number.")
    if language not in LANGUAGES:
        raise BadTurn(f"`language` must be one of {', '.join(LANGUAGES)}.")
    if not isinstance(metadata, dict):
        raise BadTurn("`metadata` must be a JSON object.")
    _check_button(text, buttons)
    own = {"inbox_id": inbox_id, "language": language, "channel": sender.partition(":")[0]}
    return Turn(sender, text, inbox_id, {**metadata, **own})


def _check_button(text: str, buttons: frozenset[str]) -> None:
    """Rasa takes a text that starts with a slash for a command: only buttons may be that.

    The desk is the first guard (it knows what was typed and what was pressed); this is the second.
    """
    if not text.strip().startswith("/"):
        return
    pressed = _BUTTON.fullmatch(text)
    if not pressed or pressed.group(1) not in buttons:
        raise BadTurn("A text that starts with a slash must be exactly one of the buttons.")


async def _run(turn: Turn, handle: Handler) -> HTTPResponse:
    spoken = CollectingOutputChannel()
    metadata = dict(turn.metadata)
    message = UserMessage(turn.text, spoken, turn.sender, input_channel="redress", metadata=metadata)
    try:
        await asyncio.wait_for(handle(message), TURN_SECONDS)
    except asyncio.TimeoutError:
        log("error", "turn took too long", inbox_id=turn.inbox_id)
        return _failure(503, "The bot took too long.", turn.inbox_id)
    except TurnFailed as error:
        log("error", "turn failed", inbox_id=turn.inbox_id, reason=str(error))
        return _failure(502, "An action of the bot failed.", turn.inbox_id)
    except Exception as error:
        log("error", "turn failed", inbox_id=turn.inbox_id, exception=type(error).__name__)
        return _failure(500, "The bot failed.", turn.inbox_id)
    messages = [{key: said[key] for key in ("text", "custom") if key in said} for said in spoken.messages]
    if not messages or not all(messages):
        log("error", "turn without an answer", inbox_id=turn.inbox_id)
        return _failure(502, "The bot had no answer.", turn.inbox_id)
    return json({"complete": True, "inbox_id": turn.inbox_id, "messages": messages})


def _failure(status: int, sentence: str, inbox_id: Optional[int] = None) -> HTTPResponse:
    return json({"complete": False, "inbox_id": inbox_id, "error": sentence}, status=status)
