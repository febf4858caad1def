"""A tiny back office over real HTTP: one user with one withdrawal, and nothing else."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, override

TOKEN = "a token of the tests"
WITHDRAWAL = {
    "id": "w1",
    "asset": "USDT",
    "network": "TRC20",
    "amount": "500.00",
    "fee": "1.00",
    "address": "TQ5NMqJjhpQGK7YJbESKNjcw1Wk5d6pE2x",
    "tx_hash": None,
    "status": "in_review",
    "created_at": "2026-11-20T10:00:00Z",
    "updated_at": "2026-11-20T10:00:00Z",
    "reason_code": None,
}


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self._answer(401, {"error": "unauthorized"})
        if self.path.startswith("/v1/users/u1/withdrawals"):
            return self._answer(200, {"items": [WITHDRAWAL], "next_cursor": None})
        return self._answer(503, {"error": "down"})

    def _answer(self, status: int, body: Any) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Silent."""


class Records:
    def __init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
