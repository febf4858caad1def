"""Which of our languages and scripts a page speaks: ?lang=, else the cookie, else what the browser prefers."""

from __future__ import annotations

from collections.abc import Iterator

from starlette.requests import Request

from channels.contract import spoken

COOKIE = "lang"
YEAR_SECONDS = 365 * 24 * 3600


def asked_language(request: Request) -> str | None:
    """The language named in the address, if it is one of ours."""
    return spoken(request.query_params.get("lang"))


def language_of(request: Request) -> str:
    return asked_language(request) or spoken(request.cookies.get(COOKIE)) or preferred_language(request)


def preferred_language(request: Request) -> str:
    """The first of ours in Accept-Language, as browsers list them best first."""
    return next(_preferred(request), "en")


def other_language(request: Request, language: str) -> str:
    """What the switch of a page offers: English, or Chinese in the script that the browser prefers."""
    if language != "en":
        return "en"
    return next((each for each in _preferred(request) if each != "en"), "zh")


def _preferred(request: Request) -> Iterator[str]:
    tags = (part.split(";")[0] for part in request.headers.get("accept-language", "").split(",")[:20])
    return (ours for tag in tags if (ours := spoken(tag)) is not None)
