"""The door for what Facebook posts: who cannot sign gets nowhere, and 200 is said only when all of it is stored."""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence
from hashlib import sha256

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from channels.facebook.intake import Intake
from channels.facebook.settings import WEBHOOK_PATH, FacebookSettings
from channels.faults import NotStored
from channels.monitor.deliveries import body_of, later

SIGNATURE_HEADER = "X-Hub-Signature-256"
MAX_BODY_BYTES = 4 * 1024 * 1024
"""Up to 1,000 changes come in one delivery (Graph API, "Webhooks")."""
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{1,200}")


class Webhook:
    def __init__(self, settings: FacebookSettings, intake: Intake) -> None:
        self._app_secret = settings.app_secret.get_secret_value().encode()
        self._verify_token = settings.verify_token.get_secret_value().encode()
        self._intake = intake

    def routes(self) -> Sequence[BaseRoute]:
        return [
            Route(WEBHOOK_PATH, self._verify, methods=["GET"]),
            Route(WEBHOOK_PATH, self._post, methods=["POST"]),
        ]

    async def _verify(self, request: Request) -> Response:
        """Facebook asks once, when the webhook is set up (Graph API, "Webhooks: verification requests")."""
        asked = request.query_params
        shown = asked.get("hub.verify_token", "").encode("utf-8", "replace")
        known = hmac.compare_digest(shown, self._verify_token) and bool(self._verify_token)
        if not known or asked.get("hub.mode") != "subscribe":
            self._intake.refused["wrong_verify_token"] += 1
            return Response(status_code=403)
        challenge = asked.get("hub.challenge", "")
        if not _CHALLENGE.fullmatch(challenge):
            return Response(status_code=400)
        return PlainTextResponse(challenge, headers={"X-Content-Type-Options": "nosniff"})

    async def _post(self, request: Request) -> Response:
        try:
            body = await body_of(request, MAX_BODY_BYTES)
        except ClientDisconnect:
            return Response(status_code=400)
        if body is None:
            self._intake.refused["too_large"] += 1
            return Response(status_code=413)
        if not self._is_signed(body, request.headers.get(SIGNATURE_HEADER, "")):
            self._intake.refused["wrong_signature"] += 1
            return Response(status_code=403)
        try:
            await self._intake.take(body)
        except NotStored as fault:
            return later(fault)
        return Response(status_code=200)

    def _is_signed(self, body: bytes, shown: str) -> bool:
        """Over the bytes as they came, before anything of them is interpreted."""
        right = f"sha256={hmac.new(self._app_secret, body, sha256).hexdigest()}".encode()
        return bool(self._app_secret) and hmac.compare_digest(shown.encode("utf-8", "replace"), right)
