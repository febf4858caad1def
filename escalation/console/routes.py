"""The console as one mounted application: its routes, its error pages, its headers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from escalation.console.auth import LogIn
from escalation.console.broadcasts_page import BroadcastsPage
from escalation.console.conversation_page import ConversationPage
from escalation.console.deeds import Deeds
from escalation.console.desk import ConsoleDesk
from escalation.console.doors import Doors
from escalation.console.downloads import Downloads
from escalation.console.entrance import Entrance
from escalation.console.formatted import FormattedMessages
from escalation.console.forms import MAX_FORM_BYTES
from escalation.console.gaps_page import GapsPage
from escalation.console.letter_page import LetterPage
from escalation.console.live import Live
from escalation.console.queue_page import QueuePage
from escalation.console.record_page import RecordPage
from escalation.console.sessions import Cookies, Sessions
from escalation.console.signs import Signs
from escalation.web.errors import handlers
from escalation.web.headers import SecurityHeaders
from escalation.web.pages import Pages

HERE = Path(__file__).parent
WORDING = HERE / "wording"


def routes(desk: ConsoleDesk) -> list[BaseRoute]:
    """Everything under /console. The static files are `escalation.web.static.routes()`."""
    pages = Pages(desk.words, desk.clock, desk.brands, HERE / "templates", remember_language=True)
    application = Starlette(
        routes=_routes(desk, pages),
        exception_handlers=handlers(pages),
        middleware=[Middleware(SecurityHeaders, referrer="same-origin", https=desk.https)],
        max_body_size=MAX_FORM_BYTES,
    )
    recording = Starlette(  # by itself, because recordings are larger than any form
        routes=_record_routes(desk, pages),
        exception_handlers=handlers(pages),
        middleware=[Middleware(SecurityHeaders, referrer="same-origin", https=desk.https)],
    )
    return [Mount("/console/record", app=recording, name="record"), Mount("/console", app=application, name="console")]


def _record_routes(desk: ConsoleDesk, pages: Pages) -> Sequence[BaseRoute]:
    doors = Doors(_sessions(desk), desk.public_url)
    page = RecordPage(desk, pages)

    async def take(request: Request) -> Response:
        """How much it may be is known when the channels are there."""
        return await doors.files(page.take, page.max_bytes)(request)

    return [
        Route("/", doors.page(page.show), methods=["GET"]),
        Route("/", take, methods=["POST"]),
        Route("/{id:int}", doors.page(page.kept), methods=["GET"]),
    ]


def _sessions(desk: ConsoleDesk) -> Sessions:
    return Sessions(desk.store, desk.clock, Cookies.of(desk.public_url))


def _routes(desk: ConsoleDesk, pages: Pages) -> Sequence[BaseRoute]:
    sessions = _sessions(desk)
    doors = Doors(sessions, desk.public_url)
    live = Live(desk.store, desk.hub, sessions, desk.presence, desk.closing)
    entrance = Entrance(pages, sessions, LogIn(desk.store, desk.clock), desk.public_url)
    queue, gaps = QueuePage(desk.store, pages), GapsPage(desk.store, pages)
    return [
        Route("/login", entrance.show, methods=["GET"]),
        Route("/login", entrance.enter, methods=["POST"]),
        Route("/logout", doors.form(entrance.leave), methods=["POST"]),
        Route("/", doors.page(queue.show), methods=["GET"]),
        Route("/parts", doors.part(queue.parts), methods=["GET"]),
        Route("/live", doors.part(live.queue), methods=["GET"]),
        *_conversation_routes(desk, pages, doors, live),
        *_paper_routes(desk, pages, doors),
        *BroadcastsPage(desk.store, pages, desk.broadcasts).routes(doors),
        Route("/gaps", doors.page(gaps.show), methods=["GET"]),
        Route("/gaps.csv", doors.page(gaps.file), methods=["GET"]),
    ]


def _conversation_routes(desk: ConsoleDesk, pages: Pages, doors: Doors, live: Live) -> Sequence[BaseRoute]:
    page = ConversationPage(
        desk.store,
        pages,
        desk.words,
        desk.links,
        desk.public_url,
        desk.clock,
        capabilities=desk.capabilities,
        can_prove=desk.can_prove,
        scanning=desk.scanning,
    )
    signs = Signs(desk.store, desk.hub)
    deeds = Deeds(desk.store, desk.handling, page)
    acts = {
        "take": deeds.take_over,
        "reply": deeds.reply,
        "note": deeds.note,
        "hand-back": deeds.hand_back,
        "ask-proof": deeds.ask_proof,
        "resolve": deeds.resolve,
        "open-case": deeds.open_case,
        "join-case": deeds.join_case,
        "teach": deeds.teach,
    }
    return [
        Route("/c/{id:int}", doors.page(page.show), methods=["GET"]),
        Route("/c/{id:int}/parts", doors.part(page.parts), methods=["GET"]),
        Route("/c/{id:int}/live", doors.part(live.conversation), methods=["GET"]),
        Route("/c/{id:int}/seen", doors.form(signs.seen, active=False), methods=["POST"]),
        Route("/c/{id:int}/typing", doors.form(signs.typing), methods=["POST"]),
        *(Route(f"/c/{{id:int}}/{name}", doors.form(act), methods=["POST"]) for name, act in acts.items()),
    ]


def _paper_routes(desk: ConsoleDesk, pages: Pages, doors: Doors) -> Sequence[BaseRoute]:
    """Letters to print, mails as they were laid out, and files."""
    letters = LetterPage(desk, pages)
    formatted = FormattedMessages(desk.store, desk.raw, pages, desk.formatted)
    downloads = Downloads(desk.store, desk.evidence, desk.preview, scanning=desk.scanning)
    return [
        Route("/letter/{id:int}", doors.page(letters.show), methods=["GET"]),
        Route("/letter/{id:int}", doors.form(letters.settle), methods=["POST"]),
        Route("/message/{id:int}/formatted", doors.page(formatted.show), methods=["GET"]),
        Route("/evidence/{id:int}", doors.page(downloads.evidence), methods=["GET"]),
        Route("/evidence/{id:int}/preview", doors.part(downloads.preview), methods=["GET"]),
    ]
