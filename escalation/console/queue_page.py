"""The queue: who waits, what is mine, what is open, what is resolved."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from bot.store.store import Store
from escalation.console.repository import queue
from escalation.console.repository.queue import View
from escalation.console.sessions import Visitor
from escalation.web.pages import Pages


class QueuePage:
    def __init__(self, store: Store, pages: Pages) -> None:
        self._store = store
        self._pages = pages

    async def show(self, request: Request, visitor: Visitor) -> Response:
        return self._pages.show(request, "queue.html", visitor=visitor, **await self._values(request, visitor))

    async def parts(self, request: Request, visitor: Visitor) -> Response:
        """The list alone, for a page that was told that something changed."""
        return self._pages.show(request, "queue_list.html", **await self._values(request, visitor))

    async def _values(self, request: Request, visitor: Visitor) -> dict[str, Any]:
        view, owner = _view(request), visitor.agent.owner

        def read(connection: Connection) -> dict[str, Any]:
            return {"rows": queue.rows(connection, view, owner), "counts": queue.counts(connection, owner)}

        return {"view": view, "views": list(View), "limit": queue.LIMIT, **await self._store.read(read)}


def _view(request: Request) -> View:
    """An unknown view is the first one: a link of an older version still leads somewhere."""
    try:
        return View(request.query_params.get("view", View.WAITING))
    except ValueError:
        return View.WAITING
