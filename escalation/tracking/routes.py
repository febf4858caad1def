"""GET /track/<number>/<secret>: the page. Without the right secret nothing tells whether a number exists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bot.clock import Clock
from bot.store.store import Store
from bot.wording import Wording
from escalation.links import TrackingLinks
from escalation.tracking import repository
from escalation.tracking.limit import WINDOW, WrongLinks
from escalation.tracking.repository import PublicCase, PublicEvent
from escalation.tracking.standing import standing
from escalation.web.headers import SecurityHeaders
from escalation.web.language import asked_language, preferred_language
from escalation.web.pages import Pages

HERE = Path(__file__).parent
WORDING = HERE / "wording"
_PRIVATE = {"x-robots-tag": "noindex, nofollow, noarchive"}
_NO_SUCH_VERSION = 0


@dataclass(frozen=True, kw_only=True)
class TrackingDesk:
    """What the tracking page needs; the composition root fills it in."""

    store: Store
    clock: Clock
    words: Wording
    """Holds at least the catalogues of `escalation/web/wording` and `escalation/tracking/wording`."""
    links: TrackingLinks
    brands: Mapping[str, str]
    """The exchange's name by language."""
    public_url: str = ""


def routes(desk: TrackingDesk) -> list[BaseRoute]:
    page = TrackingPage(desk)
    headers = Middleware(
        SecurityHeaders, referrer="no-referrer", https=desk.public_url.startswith("https://"), extra=_PRIVATE
    )
    return [
        Route("/track", page.hint, methods=["GET"], middleware=[headers]),
        Route("/track/{number}", page.hint, methods=["GET"], middleware=[headers]),
        Route("/track/{number}/{secret}", page.show, methods=["GET"], middleware=[headers]),
    ]


class TrackingPage:
    def __init__(self, desk: TrackingDesk) -> None:
        self._desk = desk
        self._wrong = WrongLinks(desk.clock)
        self._pages = Pages(
            desk.words, desk.clock, desk.brands, HERE / "templates", language_of=_language_without_cookie
        )

    async def hint(self, request: Request) -> Response:
        """The number alone shows nothing, and the same for every number."""
        return self._pages.show(request, "hint.html")

    async def show(self, request: Request) -> Response:
        client = request.client.host if request.client else ""
        if self._wrong.blocked(client):
            return self._too_many(request)
        case, events = await self._desk.store.read(lambda connection: self._look_up(connection, request))
        if case is None:
            return self._unknown(request, client)
        language = asked_language(request) or case.language
        now = self._desk.clock()
        return self._pages.show(
            request,
            "case.html",
            language=language,
            case=case,
            events=events,
            standing=standing(case, events, now),
        )

    def _look_up(self, connection: Connection, request: Request) -> tuple[PublicCase | None, list[PublicEvent]]:
        """The same query and the same comparison whether or not the number exists, so that time tells nothing."""
        number, secret = request.path_params["number"].upper(), request.path_params["secret"]
        case = repository.find(connection, number)
        version = _NO_SUCH_VERSION if case is None else case.link_version
        right = self._desk.links.valid(number, version, secret)
        if case is None or not right:
            return None, []
        return case, repository.events(connection, case.id)

    def _unknown(self, request: Request, client: str) -> Response:
        if self._wrong.full():
            return self._too_many(request)
        self._wrong.count(client)
        return self._pages.show(request, "unknown.html", status=404)

    def _too_many(self, request: Request) -> Response:
        page = self._pages.show(request, "too_many.html", status=429)
        page.headers["retry-after"] = str(int(WINDOW.total_seconds()))
        return page


def _language_without_cookie(request: Request) -> str:
    return asked_language(request) or preferred_language(request)
