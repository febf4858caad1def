"""From which address does a request come? Behind a proxy of ours, from the one that the proxy names."""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import ip_address

from starlette.requests import Request

from channels.web.budget import place


def place_of(request: Request, proxies: Collection[str]) -> str | None:
    """None when it cannot be told: this machine's own address is everybody's when a proxy here is not named."""
    peer = request.client.host if request.client else ""
    named = [part.strip() for line in request.headers.getlist("x-forwarded-for") for part in line.split(",")]
    while peer in proxies and named:
        peer = named.pop()  # each proxy of ours adds whom it saw at the end; what stands before is anybody's claim
    return None if _is_here(peer) else place(peer)


def _is_here(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return True
