"""Keying in a call or a letter: the form, and what the agent then reads to the caller, prints or waits for."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bot.hub import OUTBOX, conversation_topic
from channels.faults import NotStored
from channels.live_contract import Upload, UploadRefused
from channels.record_contract import Recorder
from channels.web.body import Body
from escalation import repository
from escalation.by_hand import WAITING
from escalation.console import record_form
from escalation.console.desk import ConsoleDesk
from escalation.console.doors import row_id
from escalation.console.record_form import CHOICES, LIMITS, Fault, Filled
from escalation.console.repository import by_hand
from escalation.console.repository.by_hand import Kept
from escalation.console.sessions import Visitor
from escalation.merging import MERGED
from escalation.numbers import normalised
from escalation.repository import CaseRow
from escalation.web.errors import Refused
from escalation.web.pages import HTML_TAGS, Pages

MEGABYTE = 1024 * 1024
NUMBER_SECONDS = 4.0
"""How long the page after a stored call waits for its case number; then it looks again by itself."""


@dataclass(frozen=True, kw_only=True)
class _Sheet:
    """The form as it is given (back) to the agent."""

    filled: Filled
    files: Sequence[Upload] = ()
    """What has come already, of a form that is given back."""
    faults: Sequence[Fault] = ()
    not_saved: bool = False
    status: int = 200


class RecordPage:
    def __init__(self, desk: ConsoleDesk, pages: Pages) -> None:
        self._desk = desk
        self._pages = pages

    @property
    def max_bytes(self) -> int:
        """Of a form with its files; before the channels are there, of the form alone."""
        recorder = self._desk.recorder()
        return MEGABYTE if recorder is None else recorder.max_files * recorder.max_file_bytes + MEGABYTE

    async def show(self, request: Request, visitor: Visitor) -> Response:
        recorder = self._recorder()
        filled = record_form.fresh(_new_nonce(), visitor.agent, self._desk.clock())
        return self._sheet(request, visitor, recorder, _Sheet(filled=filled))

    async def take(self, request: Request, visitor: Visitor, body: Body) -> Response:
        """What is wrong is said on the form, with everything that was typed."""
        recorder, filled = self._recorder(), record_form.fill(body)
        key = _key(visitor, filled.nonce)
        files, wrong = [], list(record_form.faults(filled, self._desk.clock()))
        try:
            found = await self._files(recorder, key, body)
            files, case = found[0], await self._case(filled)
            wrong += [*found[1], *_about(filled, case)]
            if wrong:
                return self._sheet(
                    request, visitor, recorder, _Sheet(filled=filled, files=files, faults=wrong, status=422)
                )
            told = record_form.told(filled, visitor.agent, case.number if case else "")
            conversation_id = await recorder.record(key, told, [file.id for file in files])
        except UploadRefused as refused:
            fault = Fault(key=f"fault_{refused.fault.value}", field="files")
            return self._sheet(request, visitor, recorder, _Sheet(filled=filled, faults=[fault], status=422))
        except NotStored:
            return self._sheet(
                request, visitor, recorder, _Sheet(filled=filled, files=files, not_saved=True, status=503)
            )
        await self._settled(conversation_id)
        return RedirectResponse(f"/console/record/{conversation_id}", status_code=303)

    async def kept(self, request: Request, visitor: Visitor) -> Response:
        """What the agent does now, for the caller."""
        conversation_id = row_id(request)
        found = await self._desk.store.read(lambda connection: by_hand.kept(connection, conversation_id))
        if found is None:
            raise Refused(404, "web.error_404")
        return self._pages.show(
            request,
            "recorded.html",
            visitor=visitor,
            kept=found,
            waiting=[each for each in found.answers if each.state == WAITING],
            way=next((each.thread.get("way", "") for each in found.answers), ""),
            conversation_id=conversation_id,
            tags=HTML_TAGS,
        )

    def _recorder(self) -> Recorder:
        recorder = self._desk.recorder()
        if recorder is None:
            raise Refused(404, "web.error_404")
        return recorder

    async def _files(self, recorder: Recorder, key: str, body: Body) -> tuple[list[Upload], Sequence[Fault]]:
        """Keeps what came with the form, and finds what came with an earlier try of it. Raises NotStored."""
        here: list[Upload] = []
        wrong: list[Fault] = []
        wanted = tuple(dict.fromkeys(body.uploads))
        if len(wanted) + len(body.files) > recorder.max_files:
            return here, [Fault(key="fault_too_many", field="files", limit=recorder.max_files)]
        coming = [
            *(recorder.find(key, upload_id) for upload_id in wanted),
            *(recorder.keep(key, file.name, file.size, file.pieces()) for file in body.files),
        ]
        for one in coming:
            try:
                here.append(await one)
            except UploadRefused as refused:
                wrong.append(Fault(key=f"fault_{refused.fault.value}", field="files"))
        return here, tuple(dict.fromkeys(wrong))

    async def _case(self, filled: Filled) -> CaseRow | None:
        """The case that was named, if there is one. Raises NotStored."""
        number = normalised(filled.values["number"])
        if number is None:
            return None
        return await self._desk.store.read(lambda connection: repository.find(connection, number))

    async def _settled(self, conversation_id: int) -> None:
        """Returns when the number is there and what is to be told waits to be told, or after a moment."""
        found = await self._kept(conversation_id)
        if found is None:
            return
        async with self._desk.hub.watch(OUTBOX, conversation_topic(found.channel, found.key)) as changes:
            try:
                async with asyncio.timeout(NUMBER_SECONDS):
                    while not (found := await self._kept(conversation_id)) or not found.settled:
                        await anext(changes)
            except TimeoutError:
                return

    async def _kept(self, conversation_id: int) -> Kept | None:
        return await self._desk.store.read(lambda connection: by_hand.kept(connection, conversation_id))

    def _sheet(self, request: Request, visitor: Visitor, recorder: Recorder, sheet: _Sheet) -> Response:
        language = self._pages.language(request)
        megabytes = f"{recorder.max_file_bytes / MEGABYTE:g}"
        values: dict[str, Any] = {
            "filled": sheet.filled.values,
            "nonce": sheet.filled.nonce or _new_nonce(),
            "files": [file for file in sheet.files if file.sha256 is not None],
            "faults": [
                (fault.field, self._pages.say(f"record.{fault.key}", language, limit=fault.limit, megabytes=megabytes))
                for fault in sheet.faults
            ],
            "not_saved": sheet.not_saved,
            "choices": CHOICES,
            "limits": LIMITS,
            "max_files": recorder.max_files,
            "megabytes": megabytes,
            "recording": True,
        }
        return self._pages.show(request, "record.html", status=sheet.status, visitor=visitor, **values)


def _new_nonce() -> str:
    return secrets.token_urlsafe(16)


def _about(filled: Filled, case: CaseRow | None) -> Sequence[Fault]:
    if not filled.values["number"]:
        return ()
    if case is None:
        return [Fault(key="fault_no_case", field="number")]
    return [Fault(key="fault_merged", field="number")] if case.status == MERGED else ()


def _key(visitor: Visitor, nonce: str) -> str:
    """The conversation's: the same form of the same agent gives the same."""
    return hashlib.sha256(f"{visitor.agent.id}:{nonce}".encode()).hexdigest()[:32]
