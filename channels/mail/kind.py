"""What a mail is: a person's message, or one of the kinds that must never be answered.

Sources: RFC 3834 section 2 (automatic responses), RFC 3464 (delivery status), RFC 8098 (read receipts), RFC 5965
(feedback reports). Which mails are automatic: `robots.py`. What a bounce is and says: `bounces.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from channels.mail.bounces import is_bounce
from channels.mail.headers import Fields, first, subject
from channels.mail.quotes import is_forward
from channels.mail.robots import is_automatic

type KindName = Literal["message", "automatic", "bounce", "read_receipt", "feedback_report", "own"]
"""The values of `channels.contract.Kind`, which the parser processes do not import."""

_REPORTS: dict[str, KindName] = {
    "delivery-status": "bounce",
    "global-delivery-status": "bounce",
    "disposition-notification": "read_receipt",
    "global-disposition-notification": "read_receipt",
    "feedback-report": "feedback_report",
}
_REPORT_TYPE = re.compile(r"report-type\s*=\s*\"?([a-z-]+)", re.IGNORECASE)
_RECEIPT_SUBJECT = re.compile(
    r"^\W*(read|not read|已读|已讀|未读|未讀|读取|讀取|已读回执|已讀回條|阅读回执|閱讀回條|邮件回执|回执)\s*[:：]",
    re.IGNORECASE,
)
_RECEIPT_TEXT = re.compile(
    r"^\W*your message\b[\s\S]{0,400}\b(was|has been) (read|displayed|opened|deleted without being read)"
    r"|^\W*this is a (read |return )?receipt for"
    r"|^\W*(这|這|此|本)(是|邮件|郵件).{0,60}(回执|回條|收条|收條)"
    r"|^\W*(您的|你的)?(邮件|郵件)[\s\S]{0,300}(已被阅读|已被閱讀|已阅读|已閱讀|已于[\s\S]{0,40}(阅读|读取))",
    re.IGNORECASE,
)


def classify(fields: Fields, part_types: Iterable[str], opening: str, sender: str) -> KindName:
    """`part_types`: content types of all parts. `opening`: beginning of the text. `sender`: of the envelope."""
    report = _report(fields, part_types)
    if report is not None:
        return report
    if is_bounce(fields, opening, sender):
        return "bounce"
    if _RECEIPT_SUBJECT.match(subject(fields)) and _RECEIPT_TEXT.search(opening.strip()):
        return "read_receipt"
    return "automatic" if is_automatic(fields, opening, sender) else "message"


def _report(fields: Fields, part_types: Iterable[str]) -> KindName | None:
    content_type = first(fields, "content-type").lower()
    is_report = content_type.startswith("multipart/report")
    named = _REPORT_TYPE.search(content_type) if is_report else None
    if named and named.group(1) in _REPORTS:
        return _REPORTS[named.group(1)]
    if not is_report and is_forward(subject(fields)):
        return None  # a person shows us a report that they got
    inside = {type_.removeprefix("message/") for type_ in part_types if type_.startswith("message/")}
    return next((kind for type_, kind in _REPORTS.items() if type_ in inside), None)
