"""Which of our languages and scripts a page speaks: ?lang=, else the cookie, else what the browser prefers."""

from __future__ import annotations

from starlette.requests import Request

from channels.contract import spoken
from channels.web.languages import preferred

COOKIE = "lang"
YEAR_SECONDS = 365 * 24 * 3600


def asked_language(request: Request) -> str | None:
    """The language named in the address, if it is one of ours."""
    return spoken(request.query_params.get("lang"))


def language_of(request: Request) -> str:
    return asked_language(request) or spoken(request.cookies.get(COOKIE)) or preferred_language(request)


def preferred_language(request: Request) -> str:
    return next(preferred(request), "en")
