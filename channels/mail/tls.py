"""STARTTLS on the listener (RFC 3207): the certificate, renewed while the desk runs, and the encrypted line."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from pathlib import Path

import structlog

HANDSHAKE_SECONDS = 30.0
log = structlog.get_logger()

type _State = Sequence[tuple[int, int, int]]


class Certificate:
    """The certificate chain and key in two PEM files. Renewed files are taken for the next session; while they cannot
    be used, the ones before stay."""

    def __init__(self, certificate: Path, key: Path) -> None:
        """Raises ValueError when they cannot be used, with a sentence that names the setting."""
        self._files = certificate, key
        self._seen = self._state()
        self._trouble: str | None = None
        try:
            self._context = _loaded(certificate, key)
        except (OSError, ValueError) as error:
            raise ValueError(
                "tls_certificate and tls_key do not name a certificate and the key that belongs to it, both in PEM "
                f"without a password ({_reason(error)}): {certificate}, {key}"
            ) from None

    def context(self) -> ssl.SSLContext:
        state = self._state()
        if state != self._seen:
            self._seen = state
            try:
                self._context, self._trouble = _loaded(*self._files), None
                log.info("mail_certificate_renewed")
            except (OSError, ValueError) as error:
                self._trouble = (
                    f"the changed certificate or key cannot be used ({_reason(error)}); the one before still is. "
                    "Look at tls_certificate and tls_key"
                )
                log.warning("mail_certificate_unusable", fault=type(error).__name__)
        return self._context

    def trouble(self) -> str | None:
        return self._trouble

    def _state(self) -> _State:
        """What changes when a file is written or replaced; nothing of a file that is not there."""
        found = []
        for file in self._files:
            try:
                of = file.stat()
            except OSError:
                continue
            found.append((of.st_ino, of.st_mtime_ns, of.st_size))
        return found


async def encrypted(
    transport: asyncio.Transport, protocol: asyncio.Protocol, context: ssl.SSLContext
) -> asyncio.Transport:
    """The line as it is after the handshake. `transport` was paused before "ready" was said, so that no byte of the
    handshake went elsewhere. Raises OSError (also for what TLS itself finds wrong)."""
    upgraded = await asyncio.get_running_loop().start_tls(
        transport, protocol, context, server_side=True, ssl_handshake_timeout=HANDSHAKE_SECONDS
    )
    if upgraded is None:
        raise ConnectionResetError
    return upgraded


def _loaded(certificate: Path, key: Path) -> ssl.SSLContext:
    """Raises OSError (SSLError is one), ValueError."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key, password=_no_password)
    return context


def _no_password() -> str:
    """Instead of a question on the terminal."""
    raise ValueError("the key has a password")


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return error.reason or "not PEM"
    return error.strerror or type(error).__name__ if isinstance(error, OSError) else str(error)
