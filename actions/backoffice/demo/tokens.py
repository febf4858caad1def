"""The token by which the exchange's app tells the desk who its user is."""

from __future__ import annotations

from datetime import datetime, timedelta

import jwt

from actions.backoffice.contract import User

LIFETIME = timedelta(minutes=30)


def app_token(user: User, secret: str, now: datetime) -> str:
    """A JWT (RFC 7519, HS256) that names `user` to the desk from `now` on for LIFETIME."""
    claims = {
        "iss": "exchange",
        "aud": "redress",
        "sub": user.uid,
        "name": user.name,
        "iat": now,
        "exp": now + LIFETIME,
    }
    return jwt.encode(claims, secret, algorithm="HS256")
