"""A host of pictures and films on a free port that can be told to fail."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.fakes.web import serving


class MediaHost:
    def __init__(self) -> None:
        self.url = ""
        self.files: dict[str, bytes] = {}
        """By the path without the first slash."""
        self.fail_next: list[Response] = []
        self.down: set[str] = set()
        """Paths that cannot be had now."""
        self.asked: list[str] = []

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        async with serving(Starlette(routes=[Route("/{path:path}", self._give)])) as url:
            self.url = url
            yield self

    async def _give(self, request: Request) -> Response:
        path = str(request.path_params["path"])
        self.asked.append(path)
        if self.fail_next:
            return self.fail_next.pop(0)
        if path in self.down:
            return Response(status_code=503)
        return Response(self.files[path]) if path in self.files else Response(status_code=404)


def redirect(url: str) -> Response:
    return Response(status_code=302, headers={"Location": url})
