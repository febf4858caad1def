"""What a mail is: a person's message, or one of the kinds that must never be answered.

Sources: RFC 3834 section 2 (automatic responses), RFC 3464 (delivery status), RFC 8098 (read receipts), RFC 5965
(feedback reports), and the fields that mailing lists and autoresponders customarily set.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from channels.mail.headers import Fields, decoded, first, from_address, subject, values

type KindName = Literal["message", "automatic", "bounce", "read_receipt", "feedback_report", "own"]
"""The values of `channels.contract.Kind`, which the parser processes do not import."""

_REPORTS: dict[str, KindName] = {
    "delivery-status": "bounce",
    "disposition-notification": "read_receipt",
    "feedback-report": "feedback_report",
}
_REPORT_TYPE = re.compile(r"report-type\s*=\s*\"?([a-z-]+)", re.IGNORECASE)
_BOUNCE_SUBJECT = re.compile(
    r"undeliver|returned mail|failure notice|mail delivery (failed|failure)|delivery (status notification|failure)"
    r"|could not be delivered|退信|无法投递|無法投遞|投递失败|投遞失敗|未送达|未送達",
    re.IGNORECASE,
)
_BOUNCE_TEXT = re.compile(r"^hi\. this is (the|deliver|qmail)|^this is the (mail system|qmail-send)", re.IGNORECASE)
_POSTMASTER = re.compile(r"^(mailer-daemon|postmaster|mail-daemon)$", re.IGNORECASE)
_ROBOT = re.compile(r"^(no[-_.]?reply|do[-_.]?not[-_.]?reply|mailer-daemon|bounces?|notifications?)\b", re.IGNORECASE)
_ADDRESS = re.compile(r"([^\s<>\"',;:]+)@[^\s<>\"',;:]+")
_AUTOMATIC_SUBJECT = re.compile(
    r"^\W*(automatic reply|auto(matic)?[- ]?(reply|response|answer|responder)|out of (the )?office"
    r"|自动回复|自動回覆|自動回復|自动答复|假期回复)\s*([:：\]】)]|$)",
    re.IGNORECASE,
)
_BULK = frozenset(("bulk", "list", "junk", "auto_reply"))
_AUTOMATIC_FIELDS = frozenset(
    {"x-autoreply", "x-autorespond", "x-autoresponder", "x-mail-autoreply", "auto-reply", "x-auto-response-suppress"}
    | {"x-loop", "x-amazon-mail-relay-type", "x-ms-exchange-inbox-rules-loop", "feedback-id"}
    | {"list-id", "list-unsubscribe", "list-post", "list-help"}
)


def classify(fields: Fields, part_types: Iterable[str], opening: str, sender: str) -> KindName:
    """`part_types`: content types of all parts. `opening`: beginning of the text. `sender`: of the envelope."""
    report = _report(fields, part_types)
    if report is not None:
        return report
    if _is_bounce(fields, opening, sender):
        return "bounce"
    return "automatic" if _is_automatic(fields, sender) else "message"


def _report(fields: Fields, part_types: Iterable[str]) -> KindName | None:
    content_type = first(fields, "content-type").lower()
    named = _REPORT_TYPE.search(content_type) if content_type.startswith("multipart/report") else None
    if named and named.group(1) in _REPORTS:
        return _REPORTS[named.group(1)]
    inside = {type_.removeprefix("message/") for type_ in part_types if type_.startswith("message/")}
    return next((kind for type_, kind in _REPORTS.items() if type_ in inside), None)


def _is_bounce(fields: Fields, opening: str, sender: str) -> bool:
    if values(fields, "x-failed-recipients") or _BOUNCE_TEXT.match(opening.strip()):
        return True
    said = bool(_BOUNCE_SUBJECT.search(subject(fields)))
    return said and (not sender or any(_POSTMASTER.match(local) for local in _locals(fields, sender)))


def _is_automatic(fields: Fields, sender: str) -> bool:
    return (
        not sender
        or _says_automatic(fields)
        or any(name in _AUTOMATIC_FIELDS for name, _ in fields)
        or any(value.lower().strip() in _BULK for value in values(fields, "precedence"))
        or any(_ROBOT.match(local) for local in _locals(fields, sender))
        or bool(_AUTOMATIC_SUBJECT.match(subject(fields)))
    )


def _says_automatic(fields: Fields) -> bool:
    """Anything but "no" counts, also with parameters or comments after the word (RFC 3834 section 5)."""
    return any(re.split(r"[\s;(]", v.strip().lower())[0] != "no" for v in values(fields, "auto-submitted"))


def _locals(fields: Fields, sender: str) -> list[str]:
    """Local parts of all addresses that claim to have written this."""
    author = from_address(fields)
    texts = [sender, author] if author else [sender, *(decoded(v) for v in values(fields, "from"))]
    return [match.group(1) for text in texts for match in _ADDRESS.finditer(text)]
