"""Continuing here what began elsewhere: a link brings a token, and nothing happens before the user says so."""

from __future__ import annotations

import math
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from channels.contract import Words
from channels.faults import NotStored
from channels.live_contract import Invitations, Invited
from channels.web.budget import Budgets
from channels.web.door import Door, HttpFault, language_of
from channels.webchat.http import json_object

MAX_TOKEN_CHARACTERS = 64
RETRY_SECONDS = 5.0


class ChatInvitations:
    def __init__(self, door: Door, invitations: Invitations, budgets: Budgets, words: Words) -> None:
        """`budgets` bound what one session may ask."""
        self._door = door
        self._invitations = invitations
        self._budgets = budgets
        self._words = words

    def routes(self) -> Sequence[BaseRoute]:
        methods = ["POST", "OPTIONS"]
        return [
            Route("/chat/invitation", self._look, methods=methods),
            Route("/chat/invitation/follow", self._follow, methods=methods),
        ]

    async def _look(self, request: Request) -> Response:
        """What the user is asked. A machine that fetches links does not come here, and would use nothing up."""
        try:
            self._door.check_origin(request)
            if request.method == "OPTIONS":
                return self._door.answer(request, None)
            _, token = await self._asked(request)
            invited = await self._invitations.look(token, language_of(request))
            if invited is None:
                raise HttpFault(410, "invitation_over")
        except NotStored as fault:
            return self._door.fault(request, _busy(fault))
        except HttpFault as fault:
            return self._door.fault(request, fault)
        return self._door.answer(request, {"question": self._question(invited, language_of(request))})

    async def _follow(self, request: Request) -> Response:
        try:
            self._door.check_origin(request)
            if request.method == "OPTIONS":
                return self._door.answer(request, None)
            session_id, token = await self._asked(request)
            if not await self._invitations.follow(token, session_id, language_of(request)):
                raise HttpFault(410, "invitation_over")
        except NotStored as fault:
            return self._door.fault(request, _busy(fault))
        except HttpFault as fault:
            return self._door.fault(request, fault)
        return self._door.answer(request, {})

    async def _asked(self, request: Request) -> tuple[str, str]:
        """The session, which must be proven, and the token."""
        session_id = self._door.authorised(request)
        if wait := self._budgets.of(session_id).take():
            raise HttpFault(429, "too_fast", {"Retry-After": str(math.ceil(wait))})
        token = (await json_object(request)).get("token")
        if not isinstance(token, str) or len(token) > MAX_TOKEN_CHARACTERS:
            raise HttpFault(400, "bad_frame")
        return session_id, token

    def _question(self, invited: Invited, language: str) -> str:
        if not invited.title:
            return self._words.say("webchat.invitation_case", language)
        key = "webchat.invitation_public" if invited.public else "webchat.invitation_private"
        return self._words.say(key, language, channel=invited.title)


def _busy(fault: NotStored) -> HttpFault:
    return HttpFault(503, "not_saved", {"Retry-After": str(math.ceil(fault.after_seconds or RETRY_SECONDS))})
