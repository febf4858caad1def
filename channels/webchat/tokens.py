"""The exchange app's signed token: which user speaks, proven by the app (JWT, RFC 7519; HS256, RFC 7518 3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import jwt

from channels.contract import Account

AUDIENCE = "redress"
PROVEN_BY = "app token"
CLOCK_SKEW_SECONDS = 10
MAX_UID_CHARACTERS = 64
MAX_NAME_CHARACTERS = 120
MAX_EMAIL_CHARACTERS = 254
"""RFC 5321 section 4.5.3.1.3, without the angle brackets."""


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
        uid, name, email = claims["sub"], claims.get("name", ""), claims.get("email", "")
        if not uid or len(uid) > MAX_UID_CHARACTERS or not isinstance(name, str) or not isinstance(email, str):
            raise BadToken
        account = Account(
            uid=uid,
            name=name[:MAX_NAME_CHARACTERS],
            proven_by=PROVEN_BY,
            email=email if len(email) <= MAX_EMAIL_CHARACTERS else "",
            until=until,
        )
        return Proof(account, until)
