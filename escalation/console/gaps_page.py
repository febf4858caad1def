"""Knowledge gaps: what users asked and no article answered, and how the articles are judged by their readers."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from bot.store.store import Store
from escalation.console.sessions import Visitor
from escalation.help import repository
from escalation.help.repository import GapGroup
from escalation.web.errors import Refused
from escalation.web.pages import Pages

MAY_SEE = frozenset({"supervisor", "admin"})
SHOWN = 200
IN_FILE = 10_000
_COLUMNS = ("last_at", "first_at", "times", "language", "class", "why", "article", "question")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would carry out (CWE-1236); the questions are strangers' words."""


class GapsPage:
    def __init__(self, store: Store, pages: Pages) -> None:
        self._store = store
        self._pages = pages

    async def show(self, request: Request, visitor: Visitor) -> Response:
        _insist(visitor)

        def read(connection: Connection) -> tuple[Sequence[GapGroup], int, Sequence[repository.Votes]]:
            groups = repository.gap_groups(connection, SHOWN)
            return groups, repository.count_groups(connection), repository.votes(connection)

        groups, count, votes = await self._store.read(read)
        return self._pages.show(
            request,
            "gaps.html",
            visitor=visitor,
            gap_classes=_by_class(groups),
            count=count,
            shown=len(groups),
            votes=votes,
        )

    async def file(self, request: Request, visitor: Visitor) -> Response:
        _insist(visitor)
        groups = await self._store.read(lambda connection: repository.gap_groups(connection, IN_FILE))
        headers = {"content-disposition": 'attachment; filename="knowledge-gaps.csv"'}
        # Begins with a byte-order mark, without which spreadsheets misread Chinese.
        return Response("\ufeff" + _csv(groups), media_type="text/csv; charset=utf-8", headers=headers)


def _insist(visitor: Visitor) -> None:
    if visitor.agent.role not in MAY_SEE:
        raise Refused(403, "gaps.not_allowed")


def _by_class(groups: Sequence[GapGroup]) -> dict[str | None, list[GapGroup]]:
    """Newest first, the classes too."""
    found: dict[str | None, list[GapGroup]] = {}
    for group in groups:
        found.setdefault(group.label, []).append(group)
    return found


def _csv(groups: Sequence[GapGroup]) -> str:
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(_COLUMNS)
    writer.writerows(_cells(group) for group in groups)
    return file.getvalue()


def _cells(group: GapGroup) -> Iterator[str]:
    values = (
        group.last_at.isoformat(),
        group.first_at.isoformat(),
        group.times,
        group.language,
        group.label or "",
        group.why,
        group.article or "",
        group.text,
    )
    for value in map(str, values):
        yield f"'{value}" if value.startswith(_FORMULA) else value
