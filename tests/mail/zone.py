"""DNS for tests: records in memory, behind the interface or on a UDP port, and mails signed with a key of the test."""

from __future__ import annotations

import asyncio
import base64
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import override

import dkim  # type: ignore[import-untyped]
import dns.flags
import dns.message
import dns.rcode
import dns.rrset

from channels.mail.resolver import DnsFault, Kind

type Records = dict[tuple[str, str], list[bytes]]
PEER = "203.0.113.9"
"""A server on the internet (RFC 5737)."""


class Zone:
    """What it does not know does not exist; names in `broken` (or all, with "*") get no answer."""

    def __init__(self, records: Records | None = None, broken: set[str] | None = None) -> None:
        self.records = records or {}
        self.broken = broken or set()
        self.asked: list[tuple[str, str]] = []

    def ask(self, name: str, kind: Kind, seconds: float) -> tuple[list[bytes], float]:
        self.asked.append((name, kind))
        if name in self.broken or "*" in self.broken:
            raise DnsFault("no answer")
        return self.records.get((name, kind), []), 300


class SlowZone(Zone):
    """Every question takes all the time that it may, and then has no answer."""

    @override
    def ask(self, name: str, kind: Kind, seconds: float) -> tuple[list[bytes], float]:
        self.asked.append((name, kind))
        time.sleep(seconds)
        raise DnsFault("no answer in time")


def domain(name: str, policy: str = "v=DMARC1; p=reject", spf: str = "v=spf1 ip4:203.0.113.0/24 -all") -> Records:
    """The records of a domain that sends from `PEER` and signs with `key()`."""
    return {
        (f"_dmarc.{name}", "TXT"): [policy.encode()],
        (name, "TXT"): [b"unrelated", spf.encode()],
        (f"k1._domainkey.{name}", "TXT"): [key()[1]],
    }


@asynccontextmanager
async def served(zone: Zone) -> AsyncIterator[int]:
    """The zone on a UDP port of this machine. A broken name is met with silence, `fault.…` with SERVFAIL."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Server(zone), ("127.0.0.1", 0))
    try:
        yield transport.get_extra_info("sockname")[1]
    finally:
        transport.close()


class _Server(asyncio.DatagramProtocol):
    def __init__(self, zone: Zone) -> None:
        self._zone = zone

    @override
    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override] # as UDP does
        self._transport = transport

    @override
    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        question = dns.message.from_wire(data)
        name, kind = question.question[0].name, question.question[0].rdtype.name
        plain = name.to_text(omit_final_dot=True)
        if plain in self._zone.broken:
            return
        answer = dns.message.make_response(question)
        answer.flags |= dns.flags.RA
        found = self._zone.records.get((plain, kind), [])
        if plain.startswith("fault."):
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif not any(known == plain for known, _ in self._zone.records):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        elif found:
            texts = [_quoted(record) if kind == "TXT" else record.decode() for record in found]
            answer.answer.append(dns.rrset.from_text(name, 300, "IN", kind, *texts))
        self._transport.sendto(answer.to_wire(), address)


def _quoted(record: bytes) -> str:
    text = record.decode()
    return " ".join(f'"{text[at : at + 200]}"' for at in range(0, len(text), 200))


def signed(mail: bytes, name: str = "user.example", *, fields: tuple[bytes, ...] = (), length: bool = False) -> bytes:
    """With a DKIM signature of the domain on top. `fields`: which ones it covers, else what the library chooses."""
    signer = dkim.DKIM(mail)
    covered = list(fields) or signer.default_sign_headers()
    private = key()[0]
    return bytes(signer.sign(b"k1", name.encode(), private, include_headers=covered, length=length) + mail)


@cache
def key() -> tuple[bytes, bytes]:
    """A private key as PEM, and the record of its public half."""
    while True:
        p, q = _prime(), _prime()
        n, phi = p * q, (p - 1) * (q - 1)
        if p != q and phi % 65537:
            break
    d = pow(65537, -1, phi)
    numbers = [0, n, 65537, d, p, q, d % (p - 1), d % (q - 1), pow(q, -1, p)]
    pem = b"-----BEGIN RSA PRIVATE KEY-----\n%s\n-----END RSA PRIVATE KEY-----\n"
    public = _der(0x30, _integer(n) + _integer(65537))
    algorithm = bytes.fromhex("300d06092a864886f70d0101010500")
    info = _der(0x30, algorithm + _der(0x03, b"\0" + public))
    private = _der(0x30, b"".join(map(_integer, numbers)))
    return pem % base64.b64encode(private), b"v=DKIM1; k=rsa; p=" + base64.b64encode(info)


def _prime(bits: int = 512) -> int:
    while True:
        candidate = secrets.randbits(bits) | (3 << (bits - 2)) | 1
        if all(pow(base, candidate - 1, candidate) == 1 for base in (2, 3, 5, 7, 11, 13)):
            return candidate


def _integer(value: int) -> bytes:
    return _der(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _der(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 128:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content
