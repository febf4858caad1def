"""What every HTTP door of a channel for browsers does first: which page asks, which session, in which language it hears
a refusal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from channels.contract import Words, spoken
from channels.web.languages import preferred
from channels.web.origins import Origins
from channels.web.sessions import Sessions

METHODS = ("GET", "POST")
HEADERS = ("Content-Type", "Authorization")


class HttpFault(Exception):
    """The request cannot be served. `code` names the sentence `error_<code>` of the channel's catalogue."""

    def __init__(self, status: int, code: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.headers = dict(headers or {})


class Door:
    def __init__(
        self, catalogue: str, sessions: Sessions, origins: Origins, words: Words, limits: Mapping[str, object]
    ) -> None:
        """`catalogue` holds the channel's sentences; `limits` fill their gaps, by name."""
        self._catalogue = catalogue
        self.sessions = sessions
        self.origins = origins
        self._words = words
        self._limits = limits

    def check_origin(self, request: Request) -> None:
        origins = request.headers.getlist("origin")
        if len(origins) > 1 or not self.origins.allows(origins[0] if origins else None):
            raise HttpFault(403, "foreign_origin")

    def authorised(self, request: Request) -> str:
        """The session whose secret the request carries."""
        scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
        session_id, _, secret = credentials.strip().partition(".")
        if scheme.lower() != "bearer" or not self.sessions.valid(session_id, secret):
            raise HttpFault(401, "bad_session", {"WWW-Authenticate": "Bearer"})
        return session_id

    def answer(self, request: Request, content: Mapping[str, Any] | None, status: int = 200) -> Response:
        headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", **cors(request, self.origins)}
        if content is None:
            return Response(status_code=204, headers=headers)
        return JSONResponse(content, status_code=status, headers=headers)

    def fault(self, request: Request, fault: HttpFault) -> Response:
        message = self._words.say(f"{self._catalogue}.error_{fault.code}", language_of(request), **self._limits)
        answer = self.answer(request, {"code": fault.code, "message": message}, fault.status)
        answer.headers.update(fault.headers)
        return answer


def cors(
    request: Request,
    origins: Origins,
    *,
    methods: Sequence[str] = METHODS,
    headers: Sequence[str] = HEADERS,
    exposed: Sequence[str] = (),
) -> dict[str, str]:
    """Headers that let an allowed page, and no other, read the answer (Fetch standard, "CORS protocol")."""
    origin = request.headers.get("origin")
    if origin is None or origin not in origins.listed():
        return {"Vary": "Origin"}
    allowed = {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}
    if exposed:
        allowed["Access-Control-Expose-Headers"] = ", ".join(exposed)
    if request.method == "OPTIONS":
        allowed["Access-Control-Allow-Methods"] = ", ".join(methods)
        allowed["Access-Control-Allow-Headers"] = ", ".join(headers)
        allowed["Access-Control-Max-Age"] = "600"
    return allowed


def language_of(request: Request) -> str:
    """`?lang=` when it is one of ours, else the first of the browser's languages that is, else English."""
    return spoken(request.query_params.get("lang")) or next(preferred(request), "en")
