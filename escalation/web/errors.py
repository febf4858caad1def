"""Error pages in both languages. They say what to do next and nothing about the inside."""

from __future__ import annotations

from traceback import extract_tb
from typing import Any

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ExceptionHandler

from channels.faults import NotStored
from escalation.web.headers import ALWAYS
from escalation.web.pages import Pages

log = structlog.get_logger()
_SAID = frozenset({401, 403, 404, 405, 409, 413, 422, 429, 503})


class Refused(HTTPException):
    """The request is refused; `key` is the sentence of the catalogue that says why and what to do."""

    def __init__(self, status: int, key: str, headers: dict[str, str] | None = None, **values: str) -> None:
        super().__init__(status, key, headers)
        self.key = key
        self.values = values


def handlers(pages: Pages) -> dict[int | type[Exception], ExceptionHandler]:
    """For `Starlette(exception_handlers=...)` and FastAPI alike."""

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        sentence = _sentence(pages, request, error)
        return error_page(pages, request, error.status_code, sentence, dict(error.headers or {}))

    async def not_stored(request: Request, error: Exception) -> Response:
        return error_page(pages, request, 503)

    async def broken(request: Request, error: Exception) -> Response:
        # Neither the address (it may hold a link's secret) nor the error's text (it may quote a message) is logged.
        place = extract_tb(error.__traceback__)[-1]
        log.error("page_failed", error=type(error).__name__, function=place.name, line=place.lineno)
        return error_page(pages, request, 500)

    return {HTTPException: refused, NotStored: not_stored, Exception: broken}


def error_page(
    pages: Pages, request: Request, status: int, sentence: str | None = None, headers: dict[str, str] | None = None
) -> Response:
    """A whole page; to htmx, an alert that is put into the page the person is looking at."""
    language = pages.language(request)
    said = status if status in _SAID else 500 if status >= 500 else 400
    values: dict[str, Any] = {
        "code": status,
        "heading": pages.say(f"web.error_{said}_heading", language),
        "sentence": sentence or pages.say(f"web.error_{said}", language),
    }
    template = "alert.html" if request.headers.get("hx-request") else "error.html"
    page = pages.show(request, template, status=status, **values)
    # Set here too, for an error outside of every part that adds its headers (an address that does not exist).
    page.headers.update({**ALWAYS, **(headers or {})})
    return page


def _sentence(pages: Pages, request: Request, error: HTTPException) -> str | None:
    if not isinstance(error, Refused):
        return None
    return pages.say(error.key, pages.language(request), **error.values)
