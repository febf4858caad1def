"""GET and POST /confirm/<secret>: the page behind the link. Looking at it does nothing: mail scanners follow links."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bot.clock import Clock
from bot.hub import OUTBOX, QUEUE, Hub
from bot.store.store import Store
from bot.wording import Wording
from escalation.confirming.deed import Confirm, Outcome
from escalation.web.errors import Refused
from escalation.web.headers import SecurityHeaders
from escalation.web.language import asked_language, preferred_language
from escalation.web.pages import Pages
from escalation.web.rate import Rate

HERE = Path(__file__).parent
LOOKS = (60, timedelta(minutes=10))
"""How many from one place in what time. The secret has 256 bits: this spares the database, not the secret."""
STATUS = {Outcome.OPEN: 200, Outcome.CONFIRMED: 200, Outcome.UNKNOWN: 404}
_PRIVATE = {"x-robots-tag": "noindex, nofollow, noarchive"}


@dataclass(frozen=True, kw_only=True)
class ConfirmingDesk:
    """What the page needs; the composition root fills it in."""

    store: Store
    hub: Hub
    clock: Clock
    words: Wording
    confirm: Confirm
    brands: Mapping[str, str]
    public_url: str


def routes(desk: ConfirmingDesk) -> list[BaseRoute]:
    page = ConfirmingPage(desk)
    https = desk.public_url.startswith("https://")
    headers = Middleware(SecurityHeaders, referrer="no-referrer", https=https, extra=_PRIVATE)
    return [
        Route("/confirm/{secret}", page.show, methods=["GET"], middleware=[headers]),
        Route("/confirm/{secret}", page.confirm, methods=["POST"], middleware=[headers]),
    ]


class ConfirmingPage:
    def __init__(self, desk: ConfirmingDesk) -> None:
        self._desk = desk
        self._rate = Rate(desk.clock, *LOOKS)
        self._pages = Pages(desk.words, desk.clock, desk.brands, HERE / "templates", language_of=_language)

    async def show(self, request: Request) -> Response:
        self._insist_on_calm(request)
        secret, now = request.path_params["secret"], self._desk.clock()
        outcome, _ = await self._desk.store.read(lambda connection: self._desk.confirm.look(connection, secret, now))
        return self._page(request, outcome)

    async def confirm(self, request: Request) -> Response:
        """Whoever has the secret may: no other proof of the page is asked for."""
        self._insist_on_calm(request)
        secret, now = request.path_params["secret"], self._desk.clock()
        carry_out = self._desk.confirm.carry_out
        outcome, channel = await self._desk.store.write(lambda connection: carry_out(connection, secret, now))
        if channel is not None:
            self._desk.hub.publish(QUEUE, OUTBOX)
        return self._page(request, outcome)

    def _insist_on_calm(self, request: Request) -> None:
        if self._rate.spent(request.client.host if request.client else ""):
            raise Refused(429, "web.error_429", {"retry-after": str(int(LOOKS[1].total_seconds()))})

    def _page(self, request: Request, outcome: Outcome) -> Response:
        return self._pages.show(request, "confirm.html", status=STATUS[outcome], outcome=outcome.value)


def _language(request: Request) -> str:
    return asked_language(request) or preferred_language(request)
