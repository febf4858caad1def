"""GET and POST /subscribe, /subscription/confirm/..., /subscription/leave/...: without a script and without a cookie.

Opening a link does nothing: mail programs and virus scanners open links. Only a POST does. The POST of "leave" is the
one of RFC 8058: it takes the form body "List-Unsubscribe=One-Click", needs no cookie and is not redirected.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qsl
from zoneinfo import available_timezones

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bot.clock import Clock
from bot.wording import Wording
from escalation.broadcast.links import SubscriptionLinks
from escalation.broadcast.opting import Opting, Wished
from escalation.broadcast.repository.subscriptions import Proof
from escalation.web.errors import Refused
from escalation.web.headers import SecurityHeaders
from escalation.web.language import asked_language, preferred_language
from escalation.web.pages import Pages
from escalation.web.rate import Rate

HERE = Path(__file__).parent
WORDING = HERE / "wording"
MAX_BODY_BYTES = 4096
MAX_ADDRESS_CHARACTERS = 254
"""RFC 5321 section 4.5.3.1.3, without the angle brackets."""
PER_CLIENT, OF_ALL = (10, timedelta(hours=1)), (300, timedelta(hours=1))
"""Confirmations that may be asked for: from one place, and by everybody together."""
_PRIVATE = {"x-robots-tag": "noindex, nofollow"}
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z0-9-]{2,63}")
"""As browsers check it (HTML standard, "valid e-mail address"), and with a dot in the domain."""
_ZONES = tuple(sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith("Etc/")))


@dataclass(frozen=True, kw_only=True)
class SubscriptionDesk:
    clock: Clock
    words: Wording
    brands: Mapping[str, str]
    public_url: str
    links: SubscriptionLinks
    opting: Opting


def routes(desk: SubscriptionDesk) -> list[BaseRoute]:
    pages = SubscriptionPages(desk)
    headers = Middleware(
        SecurityHeaders, referrer="no-referrer", https=desk.public_url.startswith("https://"), extra=_PRIVATE
    )
    return [
        Route("/subscribe", pages.form, methods=["GET"], middleware=[headers]),
        Route("/subscribe", pages.ask, methods=["POST"], middleware=[headers]),
        Route("/subscription/{deed}/{name}/{secret}", pages.question, methods=["GET"], middleware=[headers]),
        Route("/subscription/confirm/{name}/{secret}", pages.confirm, methods=["POST"], middleware=[headers]),
        Route("/subscription/leave/{name}/{secret}", pages.leave, methods=["POST"], middleware=[headers]),
    ]


class SubscriptionPages:
    def __init__(self, desk: SubscriptionDesk) -> None:
        self._desk = desk
        self._pages = Pages(desk.words, desk.clock, desk.brands, HERE / "templates", language_of=_language)
        self._asked = Rate(desk.clock, *PER_CLIENT)
        self._asked_in_all = Rate(desk.clock, *OF_ALL)

    async def form(self, request: Request) -> Response:
        return self._form(request)

    def _form(self, request: Request, *, wrong: bool = False, address: str = "", zone: str = "") -> Response:
        return self._pages.show(
            request,
            "subscribe.html",
            status=422 if wrong else 200,
            zones=_ZONES,
            wrong=wrong,
            address=address,
            zone=zone,
        )

    async def ask(self, request: Request) -> Response:
        """The same answer whether the address is known, new, or was asked for today already."""
        fields = await _form(request)
        address, zone = fields.get("address", "").strip(), fields.get("zone", "")
        if len(address) > MAX_ADDRESS_CHARACTERS or not _ADDRESS.fullmatch(address):
            return self._form(request, wrong=True, address=address[:MAX_ADDRESS_CHARACTERS], zone=zone)
        if self._asked.spent(_client(request)) or self._asked_in_all.spent("all"):
            raise Refused(429, "broadcast.too_many", {"retry-after": str(int(PER_CLIENT[1].total_seconds()))})
        wished = Wished(
            address=address.lower(), language=_language(request), time_zone=zone if zone in _ZONES else None
        )
        await self._desk.opting.ask(wished, _client(request))
        return self._outcome(request, "asked")

    async def question(self, request: Request) -> Response:
        deed, name = self._checked(request)
        language = asked_language(request) or await self._desk.opting.language_of(name)
        return self._pages.show(request, "question.html", language=language, deed=deed)

    async def confirm(self, request: Request) -> Response:
        _, name = self._checked(request, "confirm")
        done = await self._desk.opting.confirm(name, _client(request))
        return self._outcome(request, "confirmed" if done else "too_old", status=200 if done else 410)

    async def leave(self, request: Request) -> Response:
        _, name = self._checked(request, "leave")
        one_click = (await _form(request)).get("List-Unsubscribe") == "One-Click"
        proof = Proof(how="one_click" if one_click else "page", origin=_client(request))
        if not await self._desk.opting.leave(name, proof):
            raise Refused(404, "broadcast.no_such_link")
        return self._outcome(request, "left")

    def _outcome(self, request: Request, outcome: str, status: int = 200) -> Response:
        return self._pages.show(request, "outcome.html", status=status, outcome=outcome)

    def _checked(self, request: Request, deed: str | None = None) -> tuple[str, str]:
        """Deed and name of a link that we made. Raises Refused 404 for all others."""
        path = request.path_params
        deed = deed or path["deed"]
        if deed not in ("confirm", "leave") or not self._desk.links.valid(deed, path["name"], path["secret"]):
            raise Refused(404, "broadcast.no_such_link")
        return deed, path["name"]


async def _form(request: Request) -> Mapping[str, str]:
    """The fields. Raises Refused 413 and 422."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise Refused(413, "web.error_422")
    if request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        # RFC 8058 section 3.2 allows it; what it says is all that is asked of it.
        return {"List-Unsubscribe": "One-Click"} if b"One-Click" in body else {}
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=10))
    except ValueError as error:
        raise Refused(422, "web.error_422") from error


def _client(request: Request) -> str:
    return request.client.host if request.client else ""


def _language(request: Request) -> str:
    return asked_language(request) or preferred_language(request)
