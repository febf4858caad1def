"""The exchange app's signed token: which user speaks, proven by the app (JWT, RFC 7519; HS256, RFC 7518 3.2)."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import structlog

from channels.contract import Account

AUDIENCE = "redress"
PROVEN_BY = "app token"
CLOCK_SKEW_SECONDS = 10
MAX_UID_CHARACTERS = 64
MAX_NAME_CHARACTERS = 120
MAX_EMAIL_CHARACTERS = 254
"""RFC 5321 section 4.5.3.1.3, without the angle brackets."""
_NO_TEXT = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
"""Unicode categories: control (PostgreSQL takes no NUL), format (marks that turn the direction), halves of characters
(no UTF-8 has them), private use, line and paragraph ends."""
_JOINERS = frozenset("\u200c\u200d")
"""Format characters that names and emoji are spelled with."""

log = structlog.get_logger()


class BadToken(Exception):
    """The token proves nothing: wrong signature, audience or form, or expired. The user goes on as a guest."""


@dataclass(frozen=True)
class Proof:
    """An account, proven until a time."""

    account: Account
    until: datetime

    def holds(self, now: datetime) -> bool:
        return now < self.until


class AppTokens:
    def __init__(self, secret: str, longest: timedelta = timedelta(hours=24)) -> None:
        """A token that runs for more than `longest` from now is no proof: whoever finds it could use it for years."""
        self._secret = secret
        self._longest = longest

    def check(self, token: str) -> Proof:
        """Raises BadToken. `sub`, `aud` = "redress" and `exp` are required, `name` and `email` are optional."""
        if not self._secret:
            raise BadToken
        try:
            claims = jwt.decode(
                token,
                self._secret,
                algorithms=["HS256"],
                audience=AUDIENCE,
                leeway=CLOCK_SKEW_SECONDS,
                options={"require": ["sub", "exp", "aud"]},
            )
            until = datetime.fromtimestamp(int(claims["exp"]) + CLOCK_SKEW_SECONDS, UTC)
        except (jwt.PyJWTError, ValueError, OverflowError, OSError) as error:
            raise BadToken from error
        if until - datetime.now(UTC) > self._longest + timedelta(seconds=CLOCK_SKEW_SECONDS):
            raise BadToken
        return Proof(_account(claims, until), until)


def _account(claims: Mapping[str, Any], until: datetime) -> Account:
    """Raises BadToken. A name is only shown, so it is cleaned; an id that is not as the app knows it is nobody's."""
    uid, name, email = claims["sub"], claims.get("name", ""), claims.get("email", "")
    if not uid or len(uid) > MAX_UID_CHARACTERS or not isinstance(name, str) or not isinstance(email, str):
        raise BadToken
    if not all(map(_is_text, uid)):
        log.warning("app_token_refused", reason="its sub has characters that are no text")
        raise BadToken
    return Account(
        uid=uid,
        name="".join(filter(_is_text, name)).strip()[:MAX_NAME_CHARACTERS],
        proven_by=PROVEN_BY,
        email=email if len(email) <= MAX_EMAIL_CHARACTERS and all(map(_is_text, email)) else "",
        until=until,
    )


def _is_text(character: str) -> bool:
    return character in _JOINERS or unicodedata.category(character) not in _NO_TEXT
