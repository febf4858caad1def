"""Who gets a WebSocket at all: origin, capacity, shutdown. What fails behind the gate is logged and closed here."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect

from channels.web.origins import Origins
from channels.webchat.connection import POLICY, Connection, Goodbye
from channels.webchat.settings import WebChatSettings

INTERNAL_ERROR, SERVICE_RESTART = 1011, 1012
"""Close codes: RFC 6455 section 7.4.1, and the IANA registry for 1012."""

log = structlog.get_logger(__name__)


class Gate:
    def __init__(self, settings: WebChatSettings, origins: Origins) -> None:
        self._settings = settings
        self._origins = origins
        self._open: set[WebSocket] = set()
        self._of_session: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        """What was not taken since the start, by reason."""
        self._shut = False

    async def serve(self, websocket: WebSocket, connect: Callable[[WebSocket], Connection]) -> None:
        """Refusing before the handshake is done answers it with HTTP 403."""
        if not self._welcomes(websocket):
            self.refused["connections"] += 1
            await websocket.close(POLICY)
            return
        await websocket.accept()
        self._open.add(websocket)
        try:
            await connect(websocket).run()
        except WebSocketDisconnect:
            return
        except Exception:
            log.exception("chat_connection_failed")
            await _close(websocket, INTERNAL_ERROR)
        finally:
            self._open.discard(websocket)

    @contextmanager
    def admit(self, session_id: str) -> Iterator[None]:
        if self._of_session[session_id] >= self._settings.max_connections_per_session:
            self.refused["too_many_connections"] += 1
            raise Goodbye(POLICY, "too_many_connections")
        self._of_session[session_id] += 1
        try:
            yield
        finally:
            self._of_session[session_id] -= 1
            if not self._of_session[session_id]:
                del self._of_session[session_id]

    @property
    def open_count(self) -> int:
        return len(self._open)

    @property
    def is_shut(self) -> bool:
        return self._shut

    def shut(self) -> None:
        """Takes no new connections."""
        self._shut = True

    async def close_all(self) -> None:
        """Sends every client away; they come back when the desk does."""
        await asyncio.gather(*(_close(websocket, SERVICE_RESTART) for websocket in tuple(self._open)))

    def _welcomes(self, websocket: WebSocket) -> bool:
        origins = websocket.headers.getlist("origin")
        known = len(origins) <= 1 and self._origins.allows(origins[0] if origins else None)
        return known and not self._shut and len(self._open) < self._settings.max_connections


async def _close(websocket: WebSocket, code: int) -> None:
    """A socket that is gone already is closed enough."""
    with suppress(RuntimeError, WebSocketDisconnect, OSError):
        await websocket.close(code)
