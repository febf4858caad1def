"""Tracking links. The number is a name, not a secret: only the link opens the page, and it can be revoked."""

from __future__ import annotations

import hmac

from bot.keys import derive, signature

FIRST_VERSION = 1
"""Of a case whose links were never revoked."""


class TrackingLinks:
    def __init__(self, secret: bytes, public_url: str) -> None:
        self._key = derive(secret, "tracking link")
        self._public_url = public_url

    def path(self, number: str, version: int) -> str:
        return f"/track/{number}/{self._secret(number, version)}"

    def url(self, number: str, version: int) -> str:
        return self._public_url + self.path(number, version)

    def valid(self, number: str, version: int, secret: str) -> bool:
        return hmac.compare_digest(self._secret(number, version).encode(), secret.encode())

    def _secret(self, number: str, version: int) -> str:
        return signature(self._key, number, str(version))
