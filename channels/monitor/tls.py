"""The certificates that the public servers are checked with: read once, and not for every client of ours anew."""

from __future__ import annotations

import ssl
from functools import cache

import httpx


@cache
def context() -> ssl.SSLContext:
    return httpx.create_ssl_context()
