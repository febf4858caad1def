"""Starts the demo exchange: `python -m actions.backoffice.demo --port 8090 --data FOLDER`."""

from __future__ import annotations

import argparse
import errno
import json
import secrets
import socket
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import override
from urllib.parse import urlsplit

import uvicorn
from fastapi import FastAPI

from actions.backoffice.demo.app import create_app
from actions.backoffice.demo.seed import seed
from actions.backoffice.demo.site import Site
from actions.backoffice.demo.store import Store

HOST = "127.0.0.1"
MIN_SECRET_BYTES = 32  # RFC 7518 section 3.2: an HS256 key is at least as long as its hash


class CannotStart(Exception):
    """Says in one sentence what stops the demo exchange and what to do about it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Serves until interrupted. Returns 0, or 2 after a sentence on standard error."""
    options = _options(arguments)
    try:
        app = _prepare(options)
        listener = _listen(options.port)
    except CannotStart as reason:
        print(f"demo exchange: {reason}", file=sys.stderr)
        return 2
    # No access log: its lines would hold uids.
    server = _Server(uvicorn.Config(app, log_level="warning", access_log=False, server_header=False))
    # uvicorn stops in order and then raises the interrupt again.
    with listener, suppress(KeyboardInterrupt):
        server.run(sockets=[listener])
    return 0


class _Server(uvicorn.Server):
    """Says where it listens as one JSON line on standard output, once it can be asked and interrupted."""

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listener in sockets or ():
            print(json.dumps({"listening": f"http://{HOST}:{listener.getsockname()[1]}"}), flush=True)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="actions.backoffice.demo", description="The demo exchange of Redress.")
    parser.add_argument("--port", type=_port, default=8090, help="0 takes any free port (default: %(default)s)")
    parser.add_argument("--data", type=Path, required=True, help="folder for its books and its secrets")
    parser.add_argument("--public-url", type=_url, help="address under which browsers reach it")
    parser.add_argument("--widget-url", type=_url, help="address of the desk; without it no chat")
    parser.add_argument("--app-token-secret-file", type=Path, help="secret shared with the desk (default: in --data)")
    parser.add_argument("--api-token-file", type=Path, help="the desk's bearer token (default: in --data)")
    return parser.parse_args(arguments)


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: 0 to 65535")
    return int(text)


def _url(text: str) -> str:
    """An origin such as "https://desk.example", without a final slash."""
    parts = urlsplit(text.rstrip("/"))
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query or parts.fragment:
        raise argparse.ArgumentTypeError(f"{text!r} is not an address like https://desk.example")
    return f"{parts.scheme}://{parts.netloc}"


def _prepare(options: argparse.Namespace) -> FastAPI:
    try:
        options.data.mkdir(parents=True, exist_ok=True)
        store = Store(options.data / "exchange.sqlite3")
        if store.is_empty():
            store.fill(seed(datetime.now(UTC)))
    except (OSError, sqlite3.Error) as error:
        reason = f"The folder {options.data} cannot hold its books ({error}); name another with --data."
        raise CannotStart(reason) from error
    api_token = _secret(options.api_token_file, options.data / "api-token")
    token_secret = _secret(options.app_token_secret_file, options.data / "app-token-secret")
    pages = Site(widget_url=options.widget_url or "", token_secret=token_secret)
    hosts = [urlsplit(options.public_url).hostname or ""] if options.public_url else []
    return create_app(store, api_token, pages, hosts)


def _secret(given: Path | None, own: Path) -> str:
    """The text of the file the operator named; else of our own file, made on the first start."""
    path = given or own
    try:
        if given is None and not own.exists():
            own.touch(mode=0o600, exist_ok=False)
            own.write_text(secrets.token_urlsafe(48), encoding="ascii")
        secret = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeError) as error:
        raise CannotStart(f"The secret in {path} cannot be read ({error}).") from error
    if len(secret) < MIN_SECRET_BYTES:
        raise CannotStart(f"The secret in {path} is shorter than {MIN_SECRET_BYTES} characters; make it longer.")
    return secret


def _listen(port: int) -> socket.socket:
    try:
        return socket.create_server((HOST, port))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            sentence = f"Port {port} on {HOST} is in use; stop what uses it or choose another with --port."
        else:
            sentence = f"Port {port} on {HOST} cannot be opened ({error.strerror}); choose another with --port."
        raise CannotStart(sentence) from error


if __name__ == "__main__":
    sys.exit(main())
