"""What a mail server of our own found out about a sender and wrote into Authentication-Results (RFC 8601).

Anybody can write such a field. That server writes its own above all others and removes those that claim its name
(section 5), so only the topmost field of a mail counts, and only under the configured name.
"""

from __future__ import annotations

from authres import AuthenticationResultsHeader  # type: ignore[import-untyped]

from channels.mail.dmarc import Verdict, related

LONGEST = 4000
_SIGNED = ("dkim", "pass")
_RESULTS = {"pass": "pass", "fail": "fail", "temperror": "temperror"}


def trusted_verdict(topmost: str, authserv_id: str, domain: str) -> Verdict:
    """`topmost`: the value of the first such field. `domain`: in From; a result about another one does not count. Of a
    domain that has no policy (dmarc=none) a good signature of its own organisation speaks."""
    try:
        header = AuthenticationResultsHeader.parse(f"Authentication-Results: {topmost[:LONGEST]}")
    except Exception:  # the library raises several kinds on broken fields
        return Verdict()
    if str(header.authserv_id).lower() != authserv_id.lower():
        return Verdict()
    found = {str(result.method).lower(): result for result in reversed(header.results)}
    spf = str(found["spf"].result).lower() if "spf" in found else "none"
    dmarc = found.get("dmarc")
    if dmarc is None or not _about(dmarc, domain):
        return Verdict(spf=spf)
    said = str(dmarc.result).lower()
    signers = (_named(r, "d") for r in header.results if (str(r.method).lower(), str(r.result).lower()) == _SIGNED)
    signed = said == "none" and any(related(domain, signer) for found in signers for signer in found)
    return Verdict(_RESULTS.get(said, "none"), "dkim" if signed else "", spf)


def _about(result: object, domain: str) -> bool:
    return all(value == domain for value in _named(result, "from"))


def _named(result: object, field: str) -> list[str]:
    """The domains that a result says it is about, by "header.<field>"."""
    found = [p.value for p in getattr(result, "properties", []) if (p.type, p.name) == ("header", field)]
    return [str(value).rpartition("@")[2].rstrip(".").lower() for value in found]
