"""The demo exchange's own back office over real HTTP, inside the test's event loop; can be told to be down."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from actions.backoffice.demo.app import create_app
from actions.backoffice.demo.seed import seed
from actions.backoffice.demo.site import Site
from actions.backoffice.demo.store import Store

TOKEN = "the back office token of the tests"
EMMA = {"uid": "10001", "name": "Emma Clarke", "email": "emma.clarke@example.com"}
XIAOWEN = {"uid": "10002", "name": "林晓雯", "email": "xiaowen.lin@example.com"}


class FakeExchange:
    """`asked` holds the path of every question; while `down`, all are answered 503."""

    def __init__(self, folder: Path) -> None:
        self.down = False
        self.asked: list[str] = []
        self._file = folder / "exchange.sqlite3"
        store = Store(self._file)
        store.fill(seed(datetime.now(UTC)))
        self._app = create_app(store, TOKEN, Site(widget_url="", token_secret="-"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked.append(scope["path"])
        if self.down:
            await JSONResponse({"code": "down"}, status_code=503)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def change_address(self, uid: str, email: str) -> None:
        """The user has changed the address registered with the account."""
        with sqlite3.connect(self._file) as db:
            query = "SELECT body FROM records WHERE kind = 'User' AND owner = ?"
            [body] = db.execute(query, (uid,)).fetchone()
            changed = json.dumps({**json.loads(body), "email": email})
            db.execute("UPDATE records SET body = ? WHERE kind = 'User' AND owner = ?", (changed, uid))
        db.close()
