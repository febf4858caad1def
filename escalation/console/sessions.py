"""Log-ins that last: a random cookie, of which the server keeps only the hash, and can end at any moment."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from bot.clock import Clock
from bot.store.store import Store
from escalation.console.repository import people
from escalation.console.repository.people import SessionRow
from escalation.handling import AgentRef

TOKEN_BYTES = 32
ABSOLUTE = timedelta(hours=12)
IDLE = timedelta(minutes=30)
TOUCH_EVERY = timedelta(minutes=1)
"""How exactly `seen_at` is kept; a page seen more often writes nothing."""


@dataclass(frozen=True)
class Visitor:
    """A signed-in agent, as the database knows them at this request."""

    agent: AgentRef
    csrf: str


@dataclass(frozen=True)
class Cookies:
    """The console's cookies. Over HTTPS they are bound to this very host (`__Host-`, RFC 6265bis 4.1.3.2)."""

    session: str
    log_in: str
    secure: bool

    @classmethod
    def of(cls, public_url: str) -> Cookies:
        """Cookies are shared by all ports of a host: the port in the name keeps two desks on one machine apart."""
        parts = urlsplit(public_url)
        secure = parts.scheme == "https"
        prefix = "__Host-" if secure else ""
        port = f"-{parts.port}" if parts.port else ""
        return cls(f"{prefix}desk{port}", f"{prefix}desk-login{port}", secure)

    def set(self, response: Response, name: str, value: str) -> None:
        response.set_cookie(name, value, path="/", httponly=True, samesite="lax", secure=self.secure)

    def drop(self, response: Response, name: str) -> None:
        response.delete_cookie(name, path="/", httponly=True, samesite="lax", secure=self.secure)


class Sessions:
    def __init__(self, store: Store, clock: Clock, cookies: Cookies) -> None:
        self._store = store
        self._clock = clock
        self.cookies = cookies

    async def start(self, request: Request, response: Response, agent_id: int) -> None:
        """A new session under a new name; the one that the browser had before, if any, ends."""
        token, csrf, at = secrets.token_urlsafe(TOKEN_BYTES), secrets.token_urlsafe(TOKEN_BYTES), self._clock()
        before = self._hash(request)

        def replace(connection: Connection) -> None:
            people.end_session(connection, before)
            people.drop_dead_sessions(connection, at - ABSOLUTE, at - IDLE)
            people.add_session(connection, agent_id, _hashed(token), csrf, at)

        await self._store.write(replace)
        self.cookies.set(response, self.cookies.session, token)

    async def end(self, request: Request, response: Response) -> None:
        token_hash = self._hash(request)
        await self._store.write(lambda connection: people.end_session(connection, token_hash))
        self.cookies.drop(response, self.cookies.session)

    async def visitor(self, request: Request, *, active: bool = True) -> Visitor | None:
        """Who asks, or None. `active=False` for what the page asks by itself: it does not keep a session alive."""
        token_hash, at = self._hash(request), self._clock()
        row = await self._store.read(
            lambda connection: people.live_session(connection, token_hash, at - ABSOLUTE, at - IDLE)
        )
        if row is None:
            return None
        if active:
            await self._touch(row, at)
        return Visitor(AgentRef(id=row.agent_id, name=row.name, role=row.role), row.csrf)

    async def _touch(self, row: SessionRow, at: datetime) -> None:
        if at - row.seen_at >= TOUCH_EVERY:
            await self._store.write(lambda connection: people.touch_session(connection, row.id, at))

    def _hash(self, request: Request) -> str:
        return _hashed(request.cookies.get(self.cookies.session, ""))


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
