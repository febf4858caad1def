"""Who is registered with the exchange: the one question that the app asks the back office by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import structlog

from actions.backoffice.contract import BackOfficeDown, BackOfficeRefused
from actions.backoffice.http import HttpBackOffice
from bot.identity.claims import Claim

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Registered:
    """A user as the exchange knows them; `email` is the address that codes go to."""

    uid: str
    name: str
    email: str


class Unreachable(Exception):
    """The exchange cannot be asked now: nothing is known, and nothing may be concluded."""


class Directory(Protocol):
    async def find(self, claim: Claim) -> Registered | None:
        """The account that is claimed, or None when there is none. Raises Unreachable."""
        ...


class BackOfficeDirectory:
    """`Directory` over the published contract (`actions/backoffice/openapi.yml`)."""

    def __init__(self, url: str, token: str, timeout_seconds: float) -> None:
        self._backoffice = HttpBackOffice(url, token, timeout_seconds)

    async def find(self, claim: Claim) -> Registered | None:
        try:
            by_email = claim.kind == "email"
            user = await (
                self._backoffice.user_by_email(claim.value) if by_email else self._backoffice.user(claim.value)
            )
        except (BackOfficeDown, BackOfficeRefused) as error:
            log.error("back_office_silent", kind=type(error).__name__)
            raise Unreachable from error
        if user is None or "@" not in user.email:
            return None
        return Registered(uid=user.uid, name=user.name, email=user.email)

    async def close(self) -> None:
        await self._backoffice.aclose()
