"""The HTTP part of the chat protocol: sessions, and the history for apps that want it without a socket."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from channels.contract import Transcript, Words
from channels.webchat.frames import VERSION, entry_fields
from channels.webchat.origins import Origins
from channels.webchat.sessions import Session, Sessions

MAX_BODY_BYTES = 4096
HISTORY_ENTRIES = 500
"""Entries in one answer; `more` says that there are further ones."""
MAX_SEQ = 2**31 - 1


class HttpFault(Exception):
    """The request cannot be served. `code` names the sentence `webchat.error_<code>`."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code


class ChatHttp:
    def __init__(self, sessions: Sessions, origins: Origins, transcript: Transcript, words: Words) -> None:
        self._sessions = sessions
        self._origins = origins
        self._transcript = transcript
        self._words = words

    def routes(self) -> Sequence[BaseRoute]:
        return [
            Route("/chat/session", self._session, methods=["POST", "OPTIONS"]),
            Route("/chat/history", self._history, methods=["GET", "OPTIONS"]),
        ]

    async def _session(self, request: Request) -> Response:
        """Makes a session, or confirms the one that the client still has."""
        try:
            self._check_origin(request)
            if request.method == "OPTIONS":
                return self._answer(request, None)
            session = self._renewed(await _json_object(request))
        except HttpFault as fault:
            return self._fault(request, fault)
        return self._answer(request, {"session": session.id, "secret": session.secret, "version": VERSION})

    async def _history(self, request: Request) -> Response:
        try:
            self._check_origin(request)
            if request.method == "OPTIONS":
                return self._answer(request, None)
            session_id, after = self._authorised(request), _after(request)
        except HttpFault as fault:
            return self._fault(request, fault)
        entries = await self._transcript.entries(session_id, after)
        shown = [entry_fields(entry) for entry in entries[:HISTORY_ENTRIES]]
        return self._answer(request, {"entries": shown, "more": len(entries) > HISTORY_ENTRIES})

    def _check_origin(self, request: Request) -> None:
        origins = request.headers.getlist("origin")
        if len(origins) > 1 or not self._origins.allows(origins[0] if origins else None):
            raise HttpFault(403, "foreign_origin")

    def _renewed(self, body: Mapping[str, Any]) -> Session:
        session_id, secret = body.get("session"), body.get("secret")
        if isinstance(session_id, str) and isinstance(secret, str) and self._sessions.valid(session_id, secret):
            return Session(session_id, secret)
        return self._sessions.new()

    def _authorised(self, request: Request) -> str:
        scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
        session_id, _, secret = credentials.strip().partition(".")
        if scheme.lower() != "bearer" or not self._sessions.valid(session_id, secret):
            raise HttpFault(401, "bad_session")
        return session_id

    def _answer(self, request: Request, content: Mapping[str, Any] | None, status: int = 200) -> Response:
        headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", **cors(request, self._origins)}
        if content is None:
            return Response(status_code=204, headers=headers)
        return JSONResponse(content, status_code=status, headers=headers)

    def _fault(self, request: Request, fault: HttpFault) -> Response:
        message = self._words.say(f"webchat.error_{fault.code}", language_of(request), limit="")
        answer = self._answer(request, {"code": fault.code, "message": message}, fault.status)
        if fault.status == 401:
            answer.headers["WWW-Authenticate"] = "Bearer"
        return answer


def cors(request: Request, origins: Origins) -> dict[str, str]:
    """Headers that let an allowed page, and no other, read the answer (Fetch standard, "CORS protocol")."""
    origin = request.headers.get("origin")
    if origin is None or origin not in origins.listed():
        return {"Vary": "Origin"}
    allowed = {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}
    if request.method == "OPTIONS":
        allowed["Access-Control-Allow-Methods"] = "GET, POST"
        allowed["Access-Control-Allow-Headers"] = "Content-Type, Authorization"
        allowed["Access-Control-Max-Age"] = "600"
    return allowed


def language_of(request: Request) -> str:
    """`?lang=` when it is one of ours, else the first of the browser's languages that is, else English."""
    wanted = [request.query_params.get("lang", ""), *request.headers.get("accept-language", "").split(",")]
    for tag in wanted:
        primary = tag.split(";")[0].split("-")[0].strip().lower()
        if primary in ("en", "zh"):
            return primary
    return "en"


async def _json_object(request: Request) -> Mapping[str, Any]:
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
