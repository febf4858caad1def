"""The headers that every response of our pages carries, whatever the page is."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
DOWNLOAD_POLICY = "sandbox; default-src 'none'"
"""For files of strangers: even when a browser shows one, it has no origin and loads nothing."""

ALWAYS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "no-store",
}
_OVER_HTTPS = {"strict-transport-security": "max-age=31536000"}


class SecurityHeaders:
    """Adds what a response does not set itself.

    `referrer` is the Referrer-Policy. Pages with forms need "same-origin": under "no-referrer" browsers send
    `Origin: null` with a form (Fetch standard, "append a request Origin header"), and the Origin check would
    refuse our own pages.
    """

    def __init__(self, app: ASGIApp, *, referrer: str, https: bool, extra: Mapping[str, str] | None = None) -> None:
        self._app = app
        self._headers = {**ALWAYS, "referrer-policy": referrer, **(_OVER_HTTPS if https else {}), **(extra or {})}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)
