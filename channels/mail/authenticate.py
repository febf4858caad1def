"""Who really sent a mail: SPF, DKIM and DMARC at reading time, within five seconds, whatever DNS does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import structlog

from channels.mail.addresses import participant
from channels.mail.dkim_result import LONGEST_KEY, key_name
from channels.mail.dmarc import Evidence, Verdict, judge, policy_of, related
from channels.mail.parse import ParsedMail
from channels.mail.resolver import Dns, DnsFault, Lookups, Remembering
from channels.mail.spf_result import spf_result
from channels.mail.trusted import trusted_verdict

BUDGET_SECONDS = 5.0
"""For all questions to DNS about one mail, waiting for a thread included."""
THREADS = 16
log = structlog.get_logger()

type SignedBy = Callable[[bytes, Mapping[str, str]], Awaitable[list[str] | None]]
"""`ParserPool.signed_by`: hostile bytes are looked at there, not here."""


@dataclass(frozen=True)
class _Found:
    spf: str
    policy: Mapping[str, str] | None
    keys: Mapping[str, str]
    key_missed: bool


class Authenticator:
    """`mode`: "verify", "trust" (then `trusted_id` names our mail server), "local" or "off" (nobody is looked at)."""

    def __init__(self, mode: str, trusted_id: str, dns: Dns, signed_by: SignedBy, budget: float = BUDGET_SECONDS):
        self._mode = mode
        self._trusted_id = trusted_id
        self._dns = Remembering(dns)
        self._signed_by = signed_by
        self._budget = budget
        self._threads = ThreadPoolExecutor(THREADS, "mail-dns")

    async def verdict(self, raw: bytes, parsed: ParsedMail, envelope: Mapping[str, Any]) -> Verdict:
        """Never raises for what a mail or DNS does. A mail without exactly one author says nothing: "none"."""
        domain = _domain(parsed.author or "")
        if not domain or self._mode in ("local", "off"):
            return Verdict()
        if self._mode == "trust":
            return trusted_verdict(parsed.authentication_results, self._trusted_id, domain)
        return await self._verify(raw, parsed, domain, envelope)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _verify(self, raw: bytes, parsed: ParsedMail, domain: str, envelope: Mapping[str, Any]) -> Verdict:
        deadline = time.monotonic() + self._budget
        lookups = Lookups(self._dns, deadline)
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._budget + 1):  # the questions keep their time themselves; so must threads
                found = await loop.run_in_executor(self._threads, _look_up, lookups, parsed, domain, envelope)
        except TimeoutError:
            log.warning("mail_authentication_late")
            return Verdict("temperror", spf="temperror")
        signed = await self._signed_by(raw, found.keys) if found.keys else []
        sender = str(envelope.get("mail_from", ""))
        return judge(
            Evidence(
                domain=domain,
                spf=found.spf,
                spf_domain=_domain(sender) if sender else str(envelope.get("helo", "")).lower(),
                signed_by=signed or [],
                policy=found.policy,
                signature_missed=found.key_missed or signed is None,
            )
        )


def _look_up(lookups: Lookups, parsed: ParsedMail, domain: str, envelope: Mapping[str, Any]) -> _Found:
    """Blocking. Only signatures of the author's own organisation can matter, so nobody makes us ask about others."""
    policy = policy_of(domain, lookups)
    keys: dict[str, str] = {}
    missed = False
    for signer, selector in parsed.signatures:
        if not related(domain, signer):
            continue
        name = key_name(signer, selector)
        try:
            records = [record.decode("ascii", "replace") for record in lookups.ask(name, "TXT")]
        except DnsFault:
            missed = True
            continue
        if records and len(records[0]) <= LONGEST_KEY:
            keys[name] = records[0]
    sender = participant(str(envelope["mail_from"])) if envelope.get("mail_from") else ""
    spf = spf_result(str(envelope.get("peer", "")), str(envelope.get("helo", "")), sender, lookups)
    return _Found(spf, policy, keys, missed)


def _domain(address: str) -> str:
    return participant(address).rpartition("@")[2] if address else ""
