"""The HTTP part of the chat protocol: sessions, and the history for apps that want it without a socket."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from channels.contract import Transcript
from channels.web.door import Door, HttpFault
from channels.web.sessions import Session
from channels.webchat.frames import MAX_SEQ, VERSION, entry_fields

MAX_BODY_BYTES = 4096
HISTORY_ENTRIES = 500
"""Entries in one answer; `more` says that there are further ones."""


class ChatHttp:
    def __init__(self, door: Door, transcript: Transcript) -> None:
        self._door = door
        self._transcript = transcript

    def routes(self) -> Sequence[BaseRoute]:
        return [
            Route("/chat/session", self._session, methods=["POST", "OPTIONS"]),
            Route("/chat/history", self._history, methods=["GET", "OPTIONS"]),
        ]

    async def _session(self, request: Request) -> Response:
        """Makes a session, or confirms the one that the client still has."""
        try:
            self._door.check_origin(request)
            if request.method == "OPTIONS":
                return self._door.answer(request, None)
            session = self._renewed(await json_object(request))
        except HttpFault as fault:
            return self._door.fault(request, fault)
        return self._door.answer(request, {"session": session.id, "secret": session.secret, "version": VERSION})

    async def _history(self, request: Request) -> Response:
        try:
            self._door.check_origin(request)
            if request.method == "OPTIONS":
                return self._door.answer(request, None)
            session_id, after = self._door.authorised(request), _after(request)
        except HttpFault as fault:
            return self._door.fault(request, fault)
        entries = await self._transcript.entries(session_id, after)
        shown = [entry_fields(entry) for entry in entries[:HISTORY_ENTRIES]]
        return self._door.answer(request, {"entries": shown, "more": len(entries) > HISTORY_ENTRIES})

    def _renewed(self, body: Mapping[str, Any]) -> Session:
        session_id, secret = body.get("session"), body.get("secret")
        sessions = self._door.sessions
        if isinstance(session_id, str) and isinstance(secret, str) and sessions.valid(session_id, secret):
            return Session(session_id, secret)
        return sessions.new()


async def json_object(request: Request) -> Mapping[str, Any]:
    """Insisting on the JSON type makes a browser ask first, so a foreign page's form cannot post here."""
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        raise HttpFault(415, "not_json")
    try:
        content = json.loads(await _body(request) or b"{}")
    except (ValueError, RecursionError):
        raise HttpFault(400, "bad_frame") from None
    if not isinstance(content, dict):
        raise HttpFault(400, "bad_frame")
    return content


async def _body(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise HttpFault(413, "bad_frame")
    return body


def _after(request: Request) -> int:
    text = request.query_params.get("after", "0")
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= MAX_SEQ):
        raise HttpFault(400, "bad_frame")
    return int(text)
