"""Refusals of the demo exchange as RFC 9457 problems; none repeats what was asked."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse


@dataclass(frozen=True, kw_only=True)
class ProblemBody:
    """What a refusal looks like; `code` is for programs, `title` for people."""

    code: str
    title: str
    status: int


class Problem(Exception):
    """Raised by a route to refuse a request."""

    def __init__(self, status: int, code: str, title: str) -> None:
        super().__init__(title)
        self.body = ProblemBody(code=code, title=title, status=status)


def install(app: FastAPI) -> None:
    """Makes every refusal of `app`, FastAPI's own included, a problem."""
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_invalid)


async def _on_problem(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Problem)
    return _answer(error.body)


async def _on_invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    places = ", ".join(".".join(map(str, fault["loc"])) for fault in error.errors())
    title = f"The request is not as the contract says it must be: {places}."
    return _answer(ProblemBody(code="invalid_request", title=title, status=422))


def _answer(body: ProblemBody) -> JSONResponse:
    headers = {"WWW-Authenticate": "Bearer"} if body.status == 401 else None
    content = {"code": body.code, "title": body.title, "status": body.status}
    return JSONResponse(content, body.status, headers, media_type="application/problem+json")
