"""The links of a subscription: who holds one may confirm or end it, without a cookie and without logging in."""

from __future__ import annotations

import hmac

from bot.keys import derive, signature


class SubscriptionLinks:
    def __init__(self, secret: bytes, public_url: str) -> None:
        self._key = derive(secret, "subscription link")
        self._public_url = public_url

    def confirm(self, name: str) -> str:
        return self._url("confirm", name)

    def leave(self, name: str) -> str:
        """Also the address of a one-click POST (RFC 8058)."""
        return self._url("leave", name)

    def valid(self, deed: str, name: str, secret: str) -> bool:
        return hmac.compare_digest(self._secret(deed, name).encode(), secret.encode())

    def _url(self, deed: str, name: str) -> str:
        return f"{self._public_url}/subscription/{deed}/{name}/{self._secret(deed, name)}"

    def _secret(self, deed: str, name: str) -> str:
        return signature(self._key, deed, name)
