"""Which pages may talk to the chat (reliability: browsers do not guard WebSockets, the server must)."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

DEFAULT_PORTS = {"http": 80, "https": 443}


def as_origin(text: str) -> str:
    """The origin of a URL as browsers write it (RFC 6454 section 6.2). Raises ValueError when there is none."""
    parts = urlsplit(text.strip())
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
        raise ValueError(f"{text!r} is not an origin; write it like https://app.example")
    if parts.path not in ("", "/") or parts.query or parts.fragment or parts.username:
        raise ValueError(f"{text!r} has more than an origin; leave out everything after the host and port")
    return _written(parts.scheme, parts.hostname, parts.port)


def origin_of_url(url: str) -> str:
    parts = urlsplit(url)
    return as_origin(f"{parts.scheme}://{parts.netloc}")


class Origins:
    """The allow-list: the desk's own address and the sites of the settings, compared exactly."""

    def __init__(self, public_url: str, others: Iterable[str]) -> None:
        own = origin_of_url(public_url)
        self._allowed = frozenset({own, *_loopback_names(own), *others})

    def allows(self, origin: str | None) -> bool:
        """None is a native app: it sends no Origin, which a browser cannot leave out. "null" is nobody."""
        return origin is None or origin in self._allowed

    def listed(self) -> frozenset[str]:
        return self._allowed


def _written(scheme: str, host: str, port: int | None) -> str:
    name = f"[{host}]" if ":" in host else host
    return f"{scheme}://{name}" if port in (None, DEFAULT_PORTS[scheme]) else f"{scheme}://{name}:{port}"


def _loopback_names(origin: str) -> list[str]:
    """A desk on this very machine is reached as localhost and as 127.0.0.1: both are its own address."""
    parts = urlsplit(origin)
    if not _is_loopback(parts.hostname or ""):
        return []
    return [_written(parts.scheme, host, parts.port) for host in ("localhost", "127.0.0.1", "::1")]


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
