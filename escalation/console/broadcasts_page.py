"""Broadcasts: write a notice in both languages, see who would get it, start and stop it, see what became of each."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from bot.store.store import Store
from escalation.broadcast import policy
from escalation.broadcast.repository import broadcasts as rows
from escalation.broadcast.repository import recipients
from escalation.broadcast.repository.broadcasts import BroadcastRow
from escalation.broadcast.repository.recipients import Result
from escalation.broadcast.service import Broadcasts, Doer, Draft, Faulty, NotAllowed, WrongState
from escalation.console.doors import Doors, row_id
from escalation.console.forms import Form
from escalation.console.sessions import Visitor
from escalation.web.errors import Refused
from escalation.web.pages import Pages

HOME = "/console/broadcasts"
SHOWN = 100
IN_FILE = 1_000
"""Rows read at a time: a file of all results is written while it is read."""
_MINUTES = "%Y-%m-%dT%H:%M"
_COLUMNS = ("channel", "language", "address", "state", "reason", "due_at", "sent_at")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would carry out (CWE-1236)."""


class BroadcastsPage:
    def __init__(self, store: Store, pages: Pages, service: Broadcasts) -> None:
        self._store = store
        self._pages = pages
        self._service = service

    def routes(self, doors: Doors) -> list[Route]:
        one = "/broadcasts/{id:int}"
        return [
            Route("/broadcasts", doors.page(self.index), methods=["GET"]),
            Route("/broadcasts", doors.form(self.keep), methods=["POST"]),
            Route(one, doors.page(self.show), methods=["GET"]),
            Route(one, doors.form(self.keep), methods=["POST"]),
            Route(f"{one}/start", doors.form(self.start), methods=["POST"]),
            Route(f"{one}/stop", doors.form(self.stop), methods=["POST"]),
            Route(f"{one}/results.csv", doors.page(self.file), methods=["GET"]),
        ]

    async def index(self, request: Request, visitor: Visitor) -> Response:
        _insist(visitor)
        found = await self._store.read(rows.newest)
        return self._form(request, visitor, "broadcasts.html", fields=_EMPTY, rows=found)

    async def show(self, request: Request, visitor: Visitor) -> Response:
        _insist(visitor)
        return await self._show(request, visitor)

    async def keep(self, request: Request, visitor: Visitor, form: Form) -> Response:
        broadcast_id = row_id(request) if "id" in request.path_params else None
        try:
            draft = self._draft(form)
            kept = await _allowed(self._service.keep(_doer(visitor), draft, broadcast_id))
        except Faulty as error:
            return await self._again(request, visitor, form, error.faults)
        return RedirectResponse(f"{HOME}/{kept}", status_code=303)

    async def start(self, request: Request, visitor: Visitor, form: Form) -> Response:
        return await self._do(request, self._service.start, visitor)

    async def stop(self, request: Request, visitor: Visitor, form: Form) -> Response:
        return await self._do(request, self._service.stop, visitor)

    async def file(self, request: Request, visitor: Visitor) -> Response:
        _insist(visitor)
        broadcast_id = row_id(request)
        await self._found(broadcast_id)
        headers = {"content-disposition": f'attachment; filename="broadcast-{broadcast_id}.csv"'}
        return StreamingResponse(self._csv(broadcast_id), media_type="text/csv; charset=utf-8", headers=headers)

    async def _do(self, request: Request, deed: Callable[[Doer, int], Awaitable[None]], visitor: Visitor) -> Response:
        await _allowed(deed(_doer(visitor), row_id(request)))
        return RedirectResponse(f"{HOME}/{row_id(request)}", status_code=303)

    async def _again(self, request: Request, visitor: Visitor, form: Form, wrong: Sequence[str]) -> Response:
        """What was typed, and what is wrong with it."""
        found = await self._store.read(rows.newest)
        fields = {name: form.get(name, "") for name in _EMPTY}
        return self._form(
            request,
            visitor,
            "broadcasts.html",
            fields=fields,
            rows=found,
            wrong=wrong,
            editing=request.path_params.get("id"),
            status=422,
        )

    async def _show(self, request: Request, visitor: Visitor) -> Response:
        row = await self._found(row_id(request))

        def read(connection: Connection) -> dict[str, Any]:
            return {
                "people": rows.people(connection, row.id),
                "plan": self._service.plan(connection, row) if row.state == rows.DRAFT else None,
                "counts": recipients.counts(connection, row.id),
                "results": recipients.results(connection, row.id, 0, SHOWN),
            }

        values = await self._store.read(read)
        fields = self._fields(row)
        return self._form(request, visitor, "broadcast.html", fields=fields, row=row, **values)

    def _form(self, request: Request, visitor: Visitor, template: str, *, status: int = 200, **values: Any) -> Response:
        return self._pages.show(
            request,
            template,
            status=status,
            visitor=visitor,
            broadcasts_page=True,
            zone=self._service.rules.time_zone,
            rules=self._service.rules,
            kinds=policy.KINDS,
            most={"title": policy.MAX_TITLE_CHARACTERS, "text": policy.MAX_TEXT_CHARACTERS},
            **{"wrong": (), "editing": None, **values},
        )

    async def _found(self, broadcast_id: int) -> BroadcastRow:
        row = await self._store.read(lambda connection: rows.get(connection, broadcast_id))
        if row is None:
            raise Refused(404, "web.error_404")
        return row

    def _draft(self, form: Form) -> Draft:
        """Raises Faulty."""
        starts_at, until = self._moment(form, "starts_at"), self._moment(form, "shown_until")
        return Draft(
            kind=form.get("kind", ""),
            titles={language: form.get(f"title_{language}", "") for language in policy.LANGUAGES},
            texts={language: form.get(f"text_{language}", "").replace("\r\n", "\n") for language in policy.LANGUAGES},
            starts_at=starts_at or self._service.clock(),
            shown_until=until,
        )

    def _moment(self, form: Form, name: str) -> datetime | None:
        """Times are typed as they are at the exchange. Raises Faulty."""
        typed = form.get(name, "").strip()
        if not typed:
            return None
        try:
            local = datetime.strptime(typed[:16], _MINUTES)  # noqa: DTZ007 - its zone follows
            return local.replace(tzinfo=ZoneInfo(self._service.rules.time_zone)).astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise Faulty([f"{name}_wrong"]) from error

    def _fields(self, row: BroadcastRow) -> Mapping[str, str]:
        zone = ZoneInfo(self._service.rules.time_zone)
        until = "" if row.shown_until is None else row.shown_until.astimezone(zone).strftime(_MINUTES)
        starts_at = row.starts_at.astimezone(zone).strftime(_MINUTES)
        texts = {name: str(getattr(row, name)) for name in _EMPTY if name not in ("starts_at", "shown_until")}
        return {**texts, "starts_at": starts_at, "shown_until": until}

    async def _csv(self, broadcast_id: int) -> AsyncIterator[str]:
        """Begins with a byte-order mark, without which spreadsheets misread Chinese."""
        yield "\ufeff" + _lines([_COLUMNS])
        found = await self._results(broadcast_id, 0)
        while found:
            yield _lines([_cells(each) for each in found])
            found = await self._results(broadcast_id, found[-1].id)

    async def _results(self, broadcast_id: int, after_id: int) -> Sequence[Result]:
        return await self._store.read(
            lambda connection: recipients.results(connection, broadcast_id, after_id, IN_FILE)
        )


_EMPTY = dict.fromkeys(("kind", "title_en", "title_zh", "text_en", "text_zh", "starts_at", "shown_until"), "")


def _doer(visitor: Visitor) -> Doer:
    return Doer(agent_id=visitor.agent.id, role=visitor.agent.role)


def _insist(visitor: Visitor) -> None:
    try:
        _doer(visitor).insist()
    except NotAllowed as error:
        raise Refused(403, "broadcasts.not_allowed") from error


async def _allowed[T](deed: Awaitable[T]) -> T:
    try:
        return await deed
    except NotAllowed as error:
        raise Refused(403, "broadcasts.not_allowed") from error
    except WrongState as error:
        raise Refused(409, "broadcasts.wrong_state") from error


def _lines(table: Sequence[Sequence[str]]) -> str:
    file = io.StringIO()
    csv.writer(file).writerows(table)
    return file.getvalue()


def _cells(result: Result) -> Sequence[str]:
    sent_at = "" if result.sent_at is None else result.sent_at.isoformat()
    values = (
        result.channel,
        result.language,
        result.address,
        result.state,
        result.reason or "",
        result.due_at.isoformat(),
        sent_at,
    )
    return [f"'{value}" if value.startswith(_FORMULA) else value for value in values]
