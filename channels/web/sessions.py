"""Sessions of browsers: made by the server, proven by a secret that needs no row."""

from __future__ import annotations

import base64
import hmac
import re
import secrets
from dataclasses import dataclass
from hashlib import sha256

_ID = re.compile(r"[a-z]1[A-Za-z0-9_-]{24}")


@dataclass(frozen=True)
class Session:
    """`id` names the conversation; who knows `secret` may read and write in it."""

    id: str
    secret: str


class Sessions:
    """The secret is an HMAC over the id, so a session costs nothing until its first message."""

    def __init__(self, secret: bytes, purpose: str, kind: str) -> None:
        """`purpose` keeps the secrets of one channel from opening another; `kind` is the letter that ids begin with."""
        self._key = hmac.digest(secret, purpose.encode(), sha256)
        self._kind = kind

    def new(self) -> Session:
        session_id = f"{self._kind}1{secrets.token_urlsafe(18)}"
        return Session(session_id, self._secret_of(session_id))

    def valid(self, session_id: str, secret: str) -> bool:
        if not _ID.fullmatch(session_id):
            return False
        return hmac.compare_digest(self._secret_of(session_id).encode(), secret.encode("utf-8", "replace"))

    def _secret_of(self, session_id: str) -> str:
        digest = hmac.digest(self._key, session_id.encode(), sha256)
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
