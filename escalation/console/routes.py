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
    letters = LetterPage(desk, pages)
    entrance = Entrance(pages, sessions, LogIn(desk.store, desk.clock), desk.public_url)
    queue = QueuePage(desk.store, pages)
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
    deeds = Deeds(desk.store, desk.handling, page)
    live = Live(desk.store, desk.hub, sessions, desk.presence, desk.closing)
    signs = Signs(desk.store, desk.hub)
    downloads = Downloads(desk.store, desk.evidence, desk.preview, scanning=desk.scanning)
    formatted = FormattedMessages(desk.store, desk.raw, pages, desk.formatted)
    downloads = Downloads(desk.store, desk.evidence, desk.preview, scanning=desk.scanning)
    gaps = GapsPage(desk.store, pages)
    broadcasts = BroadcastsPage(desk.store, pages, desk.broadcasts)
    return [
        Route("/login", entrance.show, methods=["GET"]),
        Route("/login", entrance.enter, methods=["POST"]),
        Route("/logout", doors.form(entrance.leave), methods=["POST"]),
        Route("/", doors.page(queue.show), methods=["GET"]),
        Route("/parts", doors.part(queue.parts), methods=["GET"]),
        Route("/live", doors.part(live.queue), methods=["GET"]),
        Route("/c/{id:int}", doors.page(page.show), methods=["GET"]),
        Route("/c/{id:int}/parts", doors.part(page.parts), methods=["GET"]),
        Route("/c/{id:int}/live", doors.part(live.conversation), methods=["GET"]),
        Route("/c/{id:int}/seen", doors.form(signs.seen, active=False), methods=["POST"]),
        Route("/c/{id:int}/typing", doors.form(signs.typing), methods=["POST"]),
        Route("/c/{id:int}/take", doors.form(deeds.take_over), methods=["POST"]),
        Route("/c/{id:int}/reply", doors.form(deeds.reply), methods=["POST"]),
        Route("/c/{id:int}/note", doors.form(deeds.note), methods=["POST"]),
        Route("/c/{id:int}/hand-back", doors.form(deeds.hand_back), methods=["POST"]),
        Route("/c/{id:int}/ask-proof", doors.form(deeds.ask_proof), methods=["POST"]),
        Route("/c/{id:int}/resolve", doors.form(deeds.resolve), methods=["POST"]),
        Route("/c/{id:int}/open-case", doors.form(deeds.open_case), methods=["POST"]),
        Route("/c/{id:int}/join-case", doors.form(deeds.join_case), methods=["POST"]),
        Route("/c/{id:int}/teach", doors.form(deeds.teach), methods=["POST"]),
        Route("/letter/{id:int}", doors.page(letters.show), methods=["GET"]),
        Route("/letter/{id:int}", doors.form(letters.settle), methods=["POST"]),
        *broadcasts.routes(doors),
        Route("/gaps", doors.page(gaps.show), methods=["GET"]),
        Route("/gaps.csv", doors.page(gaps.file), methods=["GET"]),
        Route("/message/{id:int}/formatted", doors.page(formatted.show), methods=["GET"]),
        Route("/evidence/{id:int}", doors.page(downloads.evidence), methods=["GET"]),
        Route("/evidence/{id:int}/preview", doors.part(downloads.preview), methods=["GET"]),
    ]
