"""GET /track/<number>/<secret>: the page. Without the right secret nothing tells whether a number exists.

GET and POST /track: who lost the link asks for it again; what follows is for the owner only (`escalation/lost_links`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qsl

from sqlalchemy import Connection
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bot.clock import Clock
from bot.store.store import Store
from bot.wording import Wording
from escalation.links import TrackingLinks
from escalation.lost_links import ask_for_link
from escalation.numbers import normalised
from escalation.tracking import repository
from escalation.tracking.limit import WINDOW, WrongLinks
from escalation.tracking.repository import PublicCase, PublicEvent
from escalation.tracking.standing import standing
from escalation.web.headers import SecurityHeaders
from escalation.web.language import asked_language, preferred_language
from escalation.web.pages import Pages
from escalation.web.rate import Rate

HERE = Path(__file__).parent
WORDING = HERE / "wording"
_PRIVATE = {"x-robots-tag": "noindex, nofollow, noarchive"}
_NO_SUCH_VERSION = 0
ASKED = 10
"""So often in ten minutes a link may be asked for, by one client and for one number."""
MAX_FORM_BYTES = 4096


class Elsewhere(Protocol):
    """Other channels in which the owner of a case can go on."""

    def offers(self, language: str) -> bool: ...

    async def links(self, case_id: int, language: str) -> Sequence[tuple[str, str]]:
        """(title, one-time link) of each."""
        ...


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
    elsewhere: Elsewhere
    public_url: str = ""


def routes(desk: TrackingDesk) -> list[BaseRoute]:
    page = TrackingPage(desk)
    headers = Middleware(
        SecurityHeaders, referrer="no-referrer", https=desk.public_url.startswith("https://"), extra=_PRIVATE
    )
    return [
        Route("/track", page.hint, methods=["GET"], middleware=[headers]),
        Route("/track", page.ask, methods=["POST"], middleware=[headers]),
        Route("/track/{number}", page.hint, methods=["GET"], middleware=[headers]),
        Route("/track/{number}/{secret}", page.show, methods=["GET"], middleware=[headers]),
        Route("/track/{number}/{secret}/elsewhere", page.go_on, methods=["POST"], middleware=[headers]),
    ]


class TrackingPage:
    def __init__(self, desk: TrackingDesk) -> None:
        self._desk = desk
        self._wrong = WrongLinks(desk.clock)
        self._asking = Rate(desk.clock, ASKED, WINDOW)
        self._asked_for = Rate(desk.clock, ASKED, WINDOW)
        self._going = Rate(desk.clock, ASKED, WINDOW)
        self._pages = Pages(
            desk.words, desk.clock, desk.brands, HERE / "templates", language_of=_language_without_cookie
        )

    async def hint(self, request: Request) -> Response:
        """The number alone shows nothing, and the same for every number."""
        return self._pages.show(request, "hint.html", asked=False)

    async def ask(self, request: Request) -> Response:
        """Says the same whatever the number, and does the same up to here: one timer is written."""
        if self._asking.spent(_client(request)):
            return self._too_many(request)
        number = normalised(await _field(request, "number"))
        if number is not None and not self._asked_for.spent(number):
            await self._desk.store.write(lambda connection: ask_for_link(connection, number, self._desk.clock()))
        return self._pages.show(request, "hint.html", asked=True)

    async def go_on(self, request: Request) -> Response:
        """One-time links into other channels, for the holder of the tracking link."""
        client = _client(request)
        if self._wrong.blocked(client) or self._going.spent(client):
            return self._too_many(request)
        case, _ = await self._desk.store.read(lambda connection: self._look_up(connection, request))
        if case is None:
            return self._unknown(request, client)
        language = asked_language(request) or case.language
        links = await self._desk.elsewhere.links(case.id, language)
        return self._pages.show(request, "elsewhere.html", language=language, case=case, links=links)

    async def show(self, request: Request) -> Response:
        client = _client(request)
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
            links=self._desk.links,
            goes_on=case.status == "open" and self._desk.elsewhere.offers(language),
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


def _client(request: Request) -> str:
    return request.client.host if request.client else ""


async def _field(request: Request, name: str) -> str:
    """The field of a small form; "" when there is none, or when it is none of ours."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM_BYTES:
            return ""
    return dict(parse_qsl(body.decode(errors="replace"), max_num_fields=10)).get(name, "")


def _language_without_cookie(request: Request) -> str:
    return asked_language(request) or preferred_language(request)
