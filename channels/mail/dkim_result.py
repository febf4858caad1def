"""Which domains signed a mail (DKIM, RFC 6376). Pure: the keys were looked up before. Runs in a parser process.

The library is stricter in some things than in others, so a signature counts only if it also covers From (section
5.4), covers the only Subject, and covers the body to its end ("l=" lets anybody add to it, section 8.2).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from channels.mail.headers import Fields, values

MOST_SIGNATURES = 5
LONGEST_KEY = 1000
"""Characters of a key record; one with an RSA key of 4,096 bits has about 750. Longer keys cost too much."""

_RUN = b" " * 1000
"""No line of a mail may be longer (RFC 5322 section 2.1.1), and the library's time grows with the square of it."""

_TAG = re.compile(r"(?:^|;)\s*([ds])\s*=\s*([A-Za-z0-9._-]{1,253})\s*(?=;|$)")


def signatures(of: Fields) -> list[list[str]]:
    """Domain and selector (lower case) that the first `MOST_SIGNATURES` signatures claim."""
    tags = [dict(_TAG.findall(value)) for value in values(of, "dkim-signature")[:MOST_SIGNATURES]]
    return [[tag["d"].lower(), tag["s"].lower()] for tag in tags if len(tag) == 2]


def key_name(domain: str, selector: str) -> str:
    return f"{selector}._domainkey.{domain}"


def signed_by(raw: bytes, keys: Mapping[str, str]) -> list[str]:
    """The domains whose signature is good. `keys`: records by `key_name`; signatures without one are not looked at."""
    if _RUN in raw.replace(b"\t", b" "):
        return []
    from dkim import DKIM  # type: ignore[import-untyped] # imported here: it is slow to, and few mails need it

    def record(name: bytes, timeout: float = 0) -> bytes | None:
        return keys.get(_plain(name), "").encode() or None

    mail = DKIM(raw)
    good = (_good(mail, index, keys, record) for index in range(MOST_SIGNATURES))
    return sorted({domain for domain in good if domain})


def _good(mail: Any, index: int, keys: Mapping[str, str], record: Any) -> str:
    """The domain of signature number `index` if it is good, else ""."""
    try:
        prepared = mail.verify_headerprep(index)
        if not prepared:
            return ""
        signature, covered, _ = prepared
        domain = _plain(signature[b"d"])
        wanted = key_name(domain, _plain(signature[b"s"])) in keys
        if not wanted or not _covers(mail, signature, covered) or not mail.verify(index, dnsfunc=record):
            return ""
    except Exception:  # the library raises many kinds on broken signatures and keys
        return ""
    return domain


def _covers(mail: Any, signature: Mapping[bytes, bytes], covered: list[bytes]) -> bool:
    names = [name.lower() for name, _ in mail.headers]
    subjects = names.count(b"subject")
    return (
        names.count(b"from") == 1
        and b"from" in covered
        and (subjects == 0 or (subjects == 1 and b"subject" in covered))
        and b"l" not in signature
    )


def _plain(name: bytes) -> str:
    return name.decode("ascii", "replace").strip().rstrip(".").lower()
