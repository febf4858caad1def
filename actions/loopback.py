"""The one address our helper processes listen on. Standard library only: both Python sides use it."""

from __future__ import annotations

import socket

HOST = "127.0.0.1"


class PortTaken(Exception):
    """Something else listens on the port; the message says so and what to do."""


def bind(port: int) -> socket.socket:
    """A socket bound to the port, not yet listening: callers are refused until the server listens on it.

    Binding comes first of all so that a taken port is said at once. Raises PortTaken.
    """
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((HOST, port))
    except OSError as error:
        bound.close()
        raise PortTaken(f"Port {port} on {HOST} cannot be used ({error.strerror}): choose another one.") from error
    return bound
