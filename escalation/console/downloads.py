"""Hands evidence to an agent as a file to save, never as something the browser interprets."""

from __future__ import annotations

import asyncio
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from bot.files import Files
from bot.store.store import Store
from escalation.console.doors import row_id
from escalation.console.repository import conversation as conversations
from escalation.console.sessions import Visitor
from escalation.web.errors import Refused
from escalation.web.headers import DOWNLOAD_POLICY


class Downloads:
    def __init__(self, store: Store, files: Files) -> None:
        self._store = store
        self._files = files

    async def evidence(self, request: Request, visitor: Visitor) -> Response:
        """The stored bytes, checked against their hash while they are read."""
        evidence_id = row_id(request)
        row = await self._store.read(lambda connection: conversations.evidence(connection, evidence_id))
        if row is None:
            raise Refused(404, "web.error_404")
        try:
            data = await asyncio.to_thread(self._files.get, row.sha256)
        except FileNotFoundError as error:
            raise Refused(404, "console.evidence_missing") from error
        except ValueError as error:
            raise Refused(409, "console.evidence_changed") from error
        headers = {
            "content-disposition": f"attachment; filename*=UTF-8''{quote(row.filename, safe='')}",
            "content-security-policy": DOWNLOAD_POLICY,
        }
        return Response(data, media_type="application/octet-stream", headers=headers)
