"""Whether a server may send for a domain (SPF, RFC 7208)."""

from __future__ import annotations

import ipaddress
import warnings
from typing import Any, override

from channels.mail.resolver import DnsFault, Kind, Lookups

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the module is older than Python's present rules for backslashes
    import spf  # type: ignore[import-untyped]

RESULTS = frozenset(("pass", "fail", "softfail", "neutral", "none", "temperror", "permerror"))
_KINDS: dict[str, Kind] = {"A": "A", "AAAA": "AAAA", "MX": "MX", "PTR": "PTR", "TXT": "TXT"}
_INNER = [ipaddress.ip_network(n) for n in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")]


def spf_result(peer: str, helo: str, sender: str, lookups: Lookups) -> str:
    """One of `RESULTS`. "none" also when the mail came through a server of our own network: it then says nothing.
    With the null sender, `helo` is asked about (RFC 7208 section 2.4)."""
    if not is_from_outside(peer):
        return "none"
    try:
        result = str(_Query(peer, sender, helo, lookups).check()[0])
    except Exception:  # the library raises several kinds on names and records that are none
        return "permerror"
    return result if result in RESULTS else "permerror"


def is_from_outside(peer: str) -> bool:
    """Whether a client's address is none of this machine or of a private network."""
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_link_local or any(address in inner for inner in _INNER))


class _Query(spf.query):  # type: ignore[misc] # untyped in the library
    """The library's evaluation with our way of asking."""

    def __init__(self, peer: str, sender: str, helo: str, lookups: Lookups) -> None:
        super().__init__(peer, sender, helo)
        self._asked = lookups

    @override
    def dns(self, name: str, qtype: str, cnames: Any = None, ignore_void: bool = False) -> list[Any]:
        kind = _KINDS.get(qtype)
        if not name or kind is None:
            return []
        try:
            found = self._asked.ask(str(name), kind)
        except DnsFault as fault:
            raise spf.TempError(str(fault)) from fault
        if not found and not ignore_void:
            self.void_lookups += 1
            if self.void_lookups > spf.MAX_VOID_LOOKUPS:
                raise spf.PermError("too many questions without an answer")
        return [_as_expected(record, kind) for record in found]


def _as_expected(record: bytes, kind: Kind) -> Any:
    if kind == "TXT":
        return (record,)
    text = record.decode("ascii", "replace").rstrip(".")
    if kind == "MX":
        preference, _, name = text.partition(" ")
        return int(preference), name
    return text
