"""Whether a mail comes from the domain that its From names (DMARC, RFC 7489).

The policy record is read by `authheaders`. Who is aligned with whom is decided here: that library ends a domain at its
first hyphen, so that it takes `bank.example-evil.com` for `bank.example`, and looks at one signature only.
"""

from __future__ import annotations

import importlib.resources
import warnings
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache

from channels.mail.resolver import DnsFault, Lookups

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it imports a module that is older than Python's present rules for backslashes
    from authheaders.dmarc_lookup import (  # type: ignore[import-untyped]
        DMARCException,
        lookup_receiver_record,
    )
from publicsuffix2 import PublicSuffixList  # type: ignore[import-untyped]


@dataclass(frozen=True)
class Verdict:
    result: str = "none"
    """"pass", "fail", "none" (not looked at, or nothing can be said) or "temperror" (DNS did not answer)."""
    alignment: str = ""
    """What shows that the mail comes from the domain in From, policy or not: "dkim", "spf", "dkim spf" or ""."""
    spf: str = "none"
    """Of the envelope sender."""

    @property
    def proves(self) -> bool:
        """Whether the mail comes from the domain in From. What DNS left open (how strict the domain is) is no proof."""
        return self.result == "pass" or (self.result == "none" and bool(self.alignment))


@dataclass(frozen=True)
class Evidence:
    """What is known of one mail."""

    domain: str
    """In From."""
    spf: str
    spf_domain: str
    """The domain that `spf` is about."""
    signed_by: Collection[str]
    policy: Mapping[str, str] | None
    """The tags of the policy record, empty when the domain has none, None when DNS did not answer."""
    signature_missed: bool = False
    """A key could not be looked up or a signature not be read, so that one may be good."""


def judge(known: Evidence) -> Verdict:
    """RFC 7489 sections 3.1 and 6.6.2."""
    policy = known.policy or {}
    aligned = []
    if any(_aligned(known.domain, signer, policy.get("adkim")) for signer in known.signed_by):
        aligned.append("dkim")
    if known.spf == "pass" and _aligned(known.domain, known.spf_domain, policy.get("aspf")):
        aligned.append("spf")
    return Verdict(_result(known, bool(aligned)), " ".join(aligned), known.spf)


def _result(known: Evidence, aligned: bool) -> str:
    if known.policy is None:
        return "temperror"
    if not known.policy:
        return "none"
    if aligned:
        return "pass"
    return "temperror" if known.signature_missed or known.spf == "temperror" else "fail"


def policy_of(domain: str, lookups: Lookups) -> Mapping[str, str] | None:
    """The record of the domain, or of the organisation that it belongs to (section 6.6.3). None: DNS did not answer.
    A broken record, one without "p", or several of them count as none."""
    try:
        for host in dict.fromkeys((domain, organisation(domain))):
            if found := _record(host, lookups):
                return found
    except DnsFault:
        return None
    return {}


def _record(host: str, lookups: Lookups) -> Mapping[str, str]:
    def text(name: str) -> str | None:
        found = [record.decode("utf-8", "replace").strip() for record in lookups.ask(name, "TXT")]
        policies = [record for record in found if record.startswith("v=DMARC1")]
        return policies[0] if len(policies) == 1 else None

    try:
        tags: dict[str, str] = lookup_receiver_record(host, text)
    except DMARCException:
        return {}
    return tags if tags.get("p") in ("none", "quarantine", "reject") else {}


def organisation(domain: str) -> str:
    """The part of a domain under a public suffix (section 3.2): mail.shop.example.co.uk is example.co.uk's."""
    found = str(_suffixes().get_sld(domain) or domain)
    # For an ending that is not in the list the library names the ending itself; the list's own rule for it is "*".
    return found if "." in found else ".".join(domain.split(".")[-2:])


def related(one: str, other: str) -> bool:
    return bool(one) and organisation(one) == organisation(other)


def _aligned(author: str, shown: str, mode: str | None) -> bool:
    return author == shown if mode == "s" else related(author, shown)


@cache
def _suffixes() -> PublicSuffixList:
    with (importlib.resources.files("authheaders") / "public_suffix_list.txt").open(encoding="utf-8") as lines:
        return PublicSuffixList(lines)
