"""Whether no person wrote a mail just now: vacation replies, autoresponders, lists, bulk mail (RFC 3834 section 2).

A robot that is missed gets one answer, which no robot may answer in turn (ours have a null sender and are marked). A
person who is taken for a robot gets none. So fields and subjects of programs decide alone; words that a person might
write decide only together with other signs, see `vacation.py`.
"""

from __future__ import annotations

import re

from channels.mail.headers import Fields, decoded, first, from_address, subject, values
from channels.mail.vacation import subject_says_so, text_says_so

_ROBOT = re.compile(
    r"^(no[-_.]?reply|do[-_.]?not[-_.]?reply|mailer-daemon|bounces?|notifications?"
    r"|auto[-_.]?(reply|respond(er)?|response))\b",
    re.IGNORECASE,
)
_LIST_SENDER = re.compile(r"^(owner-.+|.+-(owner|request|bounces?)|listserv|majordomo|mailman)$", re.IGNORECASE)
"""Envelope senders of list programs (RFC 2142 section 6, RFC 3834 section 2)."""
_ADDRESS = re.compile(r"([^\s<>\"',;:]+)@[^\s<>\"',;:]+")

_PRECEDENCE = frozenset(("bulk", "list", "junk", "auto_reply", "auto-reply", "autoreply"))
_FIELDS = frozenset(
    {"x-loop", "x-amazon-mail-relay-type", "x-ms-exchange-inbox-rules-loop", "x-ms-exchange-generated-message-source"}
    | {"list-id", "list-unsubscribe", "list-unsubscribe-post", "list-post", "list-help", "list-subscribe", "list-owner"}
)
_FIELD_NAMES = re.compile(
    r"^(x-)?([a-z]+-)?(auto-?(reply|replied|respond|responder|response|generated)|vacation|out-?of-?office)$"
)
_SUPPRESSED = re.compile(r"\b(all|oof|autoreply)\b", re.IGNORECASE)
"""X-Auto-Response-Suppress may also ask for no receipts only, which people's programs do (MS-OXCMAIL)."""
_CAMPAIGN = re.compile(
    r"^(feedback-id|x-campaign(-?id)?|x-mass-mail|x-bulk(-mail)?|x-newsletter|x-mailing-?id|x-csa-complaints)$"
)
"""A single mail through a mail service may have one of these; bulk mail has several."""
_AUTO_MAILER = re.compile(r"vacation|auto-?(reply|respon)", re.IGNORECASE)


def is_automatic(fields: Fields, opening: str, sender: str) -> bool:
    """`opening`: the beginning of the text. `sender`: of the envelope."""
    about = subject(fields)
    answers = bool(first(fields, "in-reply-to") or first(fields, "references"))
    return (
        not sender
        or _has_fields(fields)
        or any(_ROBOT.match(local) for local in local_parts(fields, sender))
        or _LIST_SENDER.match(sender.rpartition("@")[0]) is not None
        or subject_says_so(about)
        or text_says_so(opening, about, answers=answers)
    )


def local_parts(fields: Fields, sender: str) -> list[str]:
    """Local parts of all addresses that claim to have written this."""
    author = from_address(fields)
    texts = [sender, author] if author else [sender, *(decoded(v) for v in values(fields, "from"))]
    return [match.group(1) for text in texts for match in _ADDRESS.finditer(text)]


def _has_fields(fields: Fields) -> bool:
    names = {name for name, _ in fields}
    return (
        # Anything but "no" counts, also with parameters or comments after the word (RFC 3834 section 5).
        any(_first_word(value) != "no" for value in values(fields, "auto-submitted"))
        or not names.isdisjoint(_FIELDS)
        or any(_FIELD_NAMES.match(name) and _first_word(value) not in ("no", "false", "0") for name, value in fields)
        or any(_SUPPRESSED.search(value) for value in values(fields, "x-auto-response-suppress"))
        or any(_first_word(value) in _PRECEDENCE for value in values(fields, "precedence"))
        or any(_AUTO_MAILER.search(decoded(value)) for value in values(fields, "x-mailer"))
        or sum(_CAMPAIGN.match(name) is not None for name in names) > 1
    )


def _first_word(value: str) -> str:
    return re.split(r"[\s;(]", value.strip().lower())[0]
