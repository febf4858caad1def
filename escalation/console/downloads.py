"""Hands evidence to an agent as a file to save, never as something the browser interprets; and our own pictures of it.

Nothing that a stranger made is ever shown: a preview is a PNG that we drew (`bot/attachments/picture.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from urllib.parse import quote

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from bot import filenames
from bot.files import Files
from bot.repository import file_checks
from bot.repository.file_checks import Bar, CheckRow
from bot.store.store import Store
from escalation.console.doors import row_id
from escalation.console.repository import conversation as conversations
from escalation.console.repository.conversation import EvidenceRow
from escalation.console.sessions import Visitor
from escalation.web.errors import Refused
from escalation.web.headers import DOWNLOAD_POLICY

_STATUS: dict[Bar, int] = {"infected": 403, "unscanned": 409, "scan_failed": 409}


class Downloads:
    def __init__(
        self, store: Store, files: Files, preview: Callable[[str], Awaitable[bytes | None]], *, scanning: bool
    ) -> None:
        self._store = store
        self._files = files
        self._preview = preview
        self._scanning = scanning

    async def evidence(self, request: Request, visitor: Visitor) -> Response:
        """The stored bytes, checked against their hash while they are read."""
        row, _ = await self._harmless(request)
        try:
            data = await asyncio.to_thread(self._files.get, row.sha256)
        except FileNotFoundError as error:
            raise Refused(404, "console.evidence_missing") from error
        except ValueError as error:
            raise Refused(409, "console.evidence_changed") from error
        name = quote(filenames.clean(row.filename), safe="")
        headers = {
            "content-disposition": f"attachment; filename*=UTF-8''{name}",
            "content-security-policy": DOWNLOAD_POLICY,
        }
        return Response(data, media_type="application/octet-stream", headers=headers)

    async def preview(self, request: Request, visitor: Visitor) -> Response:
        row, check = await self._harmless(request)
        drawn = await self._preview(row.sha256) if check is not None and check.facts.get("preview") else None
        if drawn is None:
            raise Refused(404, "web.error_404")
        return Response(drawn, media_type="image/png", headers={"content-security-policy": DOWNLOAD_POLICY})

    async def _harmless(self, request: Request) -> tuple[EvidenceRow, CheckRow | None]:
        """Raises Refused when there is no such file, or it must not be opened."""
        evidence_id = row_id(request)

        def read(connection: Connection) -> tuple[EvidenceRow, CheckRow | None] | None:
            row = conversations.evidence(connection, evidence_id)
            return None if row is None else (row, file_checks.find(connection, row.sha256))

        found = await self._store.read(read)
        if found is None:
            raise Refused(404, "web.error_404")
        if (bar := file_checks.barred(found[1], scanning=self._scanning)) is not None:
            raise Refused(_STATUS[bar], f"console.file_{bar}")
        return found
