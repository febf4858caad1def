"""Who is this? Passwords (argon2id, RFC 9106) and the brake on guessing them."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import datetime, timedelta
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from bot.clock import Clock, now
from bot.store.store import Store
from escalation.console.repository import people
from escalation.console.repository.people import AgentRow

ROLES = ("agent", "supervisor", "admin")
MIN_PASSWORD_CHARACTERS = 10
MAX_PASSWORD_CHARACTERS = 1024
MAX_NAME_CHARACTERS = 120

WINDOW = timedelta(minutes=15)
ATTEMPTS_PER_LOGIN = 5
ATTEMPTS_IN_TOTAL = 100

VERIFIED_AT_ONCE = 4
"""One verification takes 64 MiB: a flood of log-ins must not take the machine's memory."""

_HASHER = PasswordHasher()


@cache
def _hash_of_nobody() -> str:
    """The hash that the password of an unknown login is compared with."""
    return _HASHER.hash("nobody has this password")


class Throttled(Exception):
    """Too many failed log-ins; try again after WINDOW."""


class LogIn:
    """`await log_in(login, password)` -> the agent, or None. Raises Throttled."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._turn = asyncio.Semaphore(VERIFIED_AT_ONCE)
        self._nobody = _hash_of_nobody()

    async def __call__(self, login: str, password: str) -> AgentRow | None:
        """Unknown login, wrong password and disabled agent take the same time and give the same answer."""
        login = normal_login(login)
        trace = _trace(login)
        if not await self._store.write(lambda connection: _reserve(connection, trace, self._clock())):
            raise Throttled
        agent = await self._store.read(lambda connection: people.agent_by_login(connection, login))
        password_hash = agent.password_hash if agent else self._nobody
        async with self._turn:
            right = await asyncio.to_thread(_matches, password_hash, password)
        if agent is None or agent.disabled or not right:
            return None
        await self._store.write(lambda connection: people.forget_attempts(connection, trace))
        return agent


async def create_agent(store: Store, login: str, name: str, role: str, password: str, clock: Clock = now) -> int:
    """Adds a person to the desk and returns their id. Raises ValueError with a sentence that says what to change."""
    login, name = normal_login(login), name.strip()
    _check(login, name, role, password)
    password_hash = await asyncio.to_thread(_HASHER.hash, password)
    try:
        return await store.write(
            lambda connection: people.add_agent(
                connection, login=login, name=name, role=role, password_hash=password_hash, at=clock()
            )
        )
    except IntegrityError as error:
        raise ValueError(f"somebody already uses the login {login}: choose another one") from error


async def disable_agent(store: Store, agent_id: int) -> None:
    """Ends a person's access at once."""
    await store.write(lambda connection: people.disable(connection, agent_id))


def normal_login(login: str) -> str:
    return login.strip().casefold()[:MAX_NAME_CHARACTERS]


def _check(login: str, name: str, role: str, password: str) -> None:
    if not login or not name or len(name) > MAX_NAME_CHARACTERS:
        raise ValueError(f"a login and a name have between 1 and {MAX_NAME_CHARACTERS} characters")
    if role not in ROLES:
        raise ValueError(f"there is no role {role}: choose one of {', '.join(ROLES)}")
    if not MIN_PASSWORD_CHARACTERS <= len(password) <= MAX_PASSWORD_CHARACTERS:
        raise ValueError(f"a password has between {MIN_PASSWORD_CHARACTERS} and {MAX_PASSWORD_CHARACTERS} characters")


def _trace(login: str) -> str:
    """What is kept of a failed log-in. Hashed, because people type passwords into the wrong field."""
    return hashlib.sha256(login.encode()).hexdigest()


def _reserve(connection: Connection, trace: str, at: datetime) -> bool:
    """Counts this try before it is judged, so that a hundred at once cannot all find the counter at zero."""
    mine, total = people.attempts(connection, trace, at - WINDOW)
    if mine >= ATTEMPTS_PER_LOGIN or total >= ATTEMPTS_IN_TOTAL:
        return False
    people.add_attempt(connection, trace, at, forget_before=at - WINDOW)
    return True


def _matches(password_hash: str, password: str) -> bool:
    try:
        return _HASHER.verify(password_hash, password[: MAX_PASSWORD_CHARACTERS + 1])
    except (VerificationError, InvalidHashError):
        return False
