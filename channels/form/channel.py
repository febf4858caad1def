"""The form as the desk sees it."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, override

from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from channels.contract import Capabilities, Channel, ChannelContext, Figures, OutboundMessage, ReadMessage, SendReceipt
from channels.faults import NotStored
from channels.form.caller import place_of
from channels.form.fields import Fault, faults, fill, known_topic
from channels.form.filing import CHANNEL, Filing
from channels.form.pages import Pages, Sheet
from channels.form.reading import read_form
from channels.form.settings import FormSettings
from channels.live_contract import UploadRefused
from channels.web import body as bodies
from channels.web.body import BadBody, Body, TooLarge
from channels.web.budget import Budgets
from channels.web.door import Door, HttpFault, language_of
from channels.web.files import WebFiles
from channels.web.origins import Origins
from channels.web.sessions import Session, Sessions

LOOKS = 20
"""How often the page after a stored form looks for the number by itself: for about a minute."""
SMALL_BYTES = 1024 * 1024
"""Forms up to this size bring no files worth queueing for."""


class FormChannel(Channel):
    name = CHANNEL

    def __init__(self, context: ChannelContext, settings: FormSettings) -> None:
        self.capabilities = Capabilities(
            max_characters=20_000, patience_seconds=120, immediate=True, repeat_harmless=True
        )
        self._public_url = context.public_url
        self._settings = settings
        self._words = context.words
        self._transcript = context.transcript
        self._sessions = Sessions(context.secret, "form session v1", "f")
        origins = Origins(context.public_url, ())
        self._door = Door(CHANNEL, self._sessions, origins, context.words, settings.figures)
        self._filing = Filing(settings, context.accept, context.uploads, context.transcript)
        self._pages = Pages(settings, context.exchange_names, context.words)
        begun = Budgets(settings.files_per_minute, time.monotonic)
        self._files = WebFiles("/form/files", self._door, context.uploads, settings.upload_limits, begun)
        self._posts = Budgets(settings.forms_per_minute, time.monotonic)
        self._large = asyncio.Semaphore(settings.max_posts_at_once)
        self._refused: Counter[str] = Counter()

    @override
    async def stop(self) -> None:
        await self._filing.stop()

    @override
    def door(self) -> str:
        return f"{self._public_url}/form"

    @override
    def deaf(self) -> str | None:
        return "the form is being closed" if self._filing.is_shut else None

    @override
    def figures(self) -> Figures:
        return Figures(refused=self._refused)

    @override
    def routes(self) -> Sequence[BaseRoute]:
        return [
            Route("/form", self._show, methods=["GET"]),
            Route("/form", self._post, methods=["POST"]),
            Route("/form/receipt/{token}", self._receipt, methods=["GET"]),
            Route("/form/static/{name}", self._static, methods=["GET"]),
            *self._files.routes(),
        ]

    @override
    async def read(self, raw: bytes, envelope: Mapping[str, Any]) -> ReadMessage:
        return read_form(raw, envelope, self._words)

    @override
    async def send(self, message: OutboundMessage) -> SendReceipt:
        """Nothing travels here: the page of the receipt shows what counts as sent."""
        return SendReceipt(peer_id=message.message_id)

    async def _show(self, request: Request) -> Response:
        """The topics, or the form about one of them."""
        language, added = language_of(request), self._session(request.query_params.get("add", ""))
        topic = known_topic(request.query_params.get("class", ""))
        if topic is None and added is None:
            return self._pages.choose(request, language)
        filled = fill({"topic": topic or ""})
        session = added or self._sessions.new()
        return self._pages.sheet(
            request, Sheet(language=language, session=session, filled=filled, adds=added is not None)
        )

    async def _post(self, request: Request) -> Response:
        language = language_of(request)
        try:
            self._door.check_origin(request)
            async with await self._body(request) as body:
                return await self._take(request, language, body)
        except HttpFault:
            return self._refuse(request, language, "refused", 403)
        except BadBody:
            return self._refuse(request, language, "refused", 400)
        except TooLarge:
            return self._refuse(request, language, "too_large", 413)
        except (OSError, _Busy):
            return self._refuse(request, language, "busy", 503)
        except ClientDisconnect:
            return Response(status_code=499)  # nobody hears it

    async def _body(self, request: Request) -> Body:
        """Raises BadBody, TooLarge, OSError, _Busy."""
        length = request.headers.get("content-length", "")
        size = int(length) if length.isascii() and length.isdigit() and len(length) < 16 else None
        if size is not None and size > self._settings.max_post_bytes:
            raise TooLarge
        if size is not None and size <= SMALL_BYTES:
            return await bodies.read(request, size)
        if self._large.locked():
            raise _Busy
        async with self._large:
            return await bodies.read(request, self._settings.max_post_bytes)

    async def _take(self, request: Request, language: str, body: Body) -> Response:
        """What is wrong with the form is said on the form, with everything that was typed."""
        known = self._session(body.fields.get("form", ""))
        session, filled = known or self._sessions.new(), fill(body.fields)
        sheet = Sheet(language=language, session=session, filled=filled, adds="adds" in body.fields)
        if wait := self._wait(request):
            self._refused["too_fast"] += 1
            return self._again(request, sheet, 429, "too_fast", seconds=int(wait) + 1)
        if known is None:
            return self._again(request, sheet, 422, faults=[Fault(key="fault_session")])
        try:
            files = await self._filing.take_files(session.id, body)
            wrong = [*faults(filled, self._settings.max_characters), *files.faults]
            if body.fields.get("website"):
                wrong.append(Fault(key="fault_trap"))
            if wrong:
                return self._again(request, sheet, 422, faults=wrong, files=files.here)
            try:
                await self._filing.store(session.id, filled, language, files.here)
            except UploadRefused as refused:
                return self._again(request, sheet, 422, faults=[Fault(key=f"error_{refused.fault.value}")])
            except NotStored:
                return self._again(request, sheet, 503, "not_saved", files=files.here)
        except NotStored:
            return self._again(request, sheet, 503, "not_saved")
        await self._filing.receipt(session.id, self._settings.number_seconds)
        path = f"/form/receipt/{session.id}.{session.secret}?lang={language}&look={LOOKS}"
        return RedirectResponse(path, status_code=303, headers={"Cache-Control": "no-store"})

    async def _receipt(self, request: Request) -> Response:
        language, token = language_of(request), request.path_params["token"]
        session = self._session(token)
        receipt = None if session is None else await self._filing.receipt(session.id, 0)
        if session is None or receipt is None:
            return self._pages.plain(request, language, "receipt_unknown", 404)
        entries = await self._transcript.entries(session.id, 0)
        return self._pages.receipt(request, language, token, receipt, entries, _looks_left(request))

    async def _static(self, request: Request) -> Response:
        return self._pages.file(request)

    def _session(self, token: str) -> Session | None:
        session_id, _, secret = token.partition(".")
        return Session(session_id, secret) if self._sessions.valid(session_id, secret) else None

    def _wait(self, request: Request) -> float:
        place = place_of(request, self._settings.proxies)
        return 0.0 if place is None else self._posts.of(place).take()

    def _again(
        self,
        request: Request,
        sheet: Sheet,
        status: int,
        notice: str = "",
        *,
        faults: Sequence[Fault] = (),
        files: Sequence[Any] = (),
        **values: object,
    ) -> Response:
        complete = [file for file in files if file.sha256 is not None]
        given_back = Sheet(
            language=sheet.language,
            session=sheet.session,
            filled=sheet.filled,
            adds=sheet.adds,
            files=complete,
            faults=faults,
            notice=notice,
            values=values,
            status=status,
        )
        return self._pages.sheet(request, given_back)

    def _refuse(self, request: Request, language: str, notice: str, status: int) -> Response:
        self._refused[notice] += 1
        return self._pages.plain(request, language, notice, status)


class _Busy(Exception):
    """As many forms with files are coming in as may."""


def _looks_left(request: Request) -> int:
    text = request.query_params.get("look", "")
    return max(0, min(LOOKS, int(text)) - 1) if text.isascii() and text.isdigit() and len(text) < 4 else 0
