"""Which of our two languages a page speaks: ?lang=, else the cookie, else what the browser prefers."""

from __future__ import annotations

from starlette.requests import Request

from bot.wording import LANGUAGES

COOKIE = "lang"
YEAR_SECONDS = 365 * 24 * 3600


def asked_language(request: Request) -> str | None:
    """The language named in the address, if it is one of ours."""
    asked = request.query_params.get("lang")
    return asked if asked in LANGUAGES else None


def language_of(request: Request) -> str:
    kept = request.cookies.get(COOKIE)
    return asked_language(request) or (kept if kept in LANGUAGES else None) or preferred_language(request)


def preferred_language(request: Request) -> str:
    """The first of ours in Accept-Language, as browsers list them best first."""
    for part in request.headers.get("accept-language", "").split(",")[:20]:
        tag = part.split(";")[0].strip().lower()[:2]
        if tag in LANGUAGES:
            return tag
    return "en"
