"""Which mail a bounce is about, to whom it did not go and why.

Sources: RFC 3464 (delivery status), RFC 3463 (status codes), RFC 6533 (the same for internationalised mail), and the
free text of those that send bounces without a report.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.message import Message
from quopri import decodestring

from channels.mail.addresses import is_mailbox
from channels.mail.charset import decode
from channels.mail.headers import MAX_VALUE, Fields, first, message_ids, raw_bytes, values

MAX_TEXT = 60_000
MAX_OWN_WORDS = 10_000
"""Characters of the mail system's own text that are searched for the recipient."""
MAX_IDS = 10
MAX_GROUPS = 100

_MESSAGE_ID = re.compile(
    r"^[>| \t]{0,20}message-id[ \t]{0,5}[:：]\s{0,10}(<[^<>\s]{1,250}>)", re.IGNORECASE | re.MULTILINE
)
_TO = re.compile(
    r"^[>| \t]{0,20}to[ \t]{0,5}:[^\n<@]{0,200}?<?([^\s<>@,;:：]{1,64}@[^\s<>@,;:]{1,255})>?",
    re.IGNORECASE | re.MULTILINE,
)
_FAILED = re.compile(
    r"(?:recipients?|address(?:es)?|lists?|groups?|deliver(?:ed)? to|recipient\(s\)"
    r"|收件人|地址|发送给|發送給|發給|发给|投递到)"
    r"[^\n@]{0,120}?[:：]?\s{0,40}[<\"“（(]?([^\s<>@,;:：\"“（(]{1,64}@[A-Za-z0-9.-]{1,255})",
    re.IGNORECASE,
)
_ADDRESS_LINE = re.compile(r"^[ \t]{0,20}<?([^\s<>@,;:：]{1,64}@[A-Za-z0-9.-]{1,255}?)>?:?[ \t]{0,20}$", re.MULTILINE)
_OPENS_LINE = re.compile(r"^[ \t]{0,20}<([^\s<>@,;:：]{1,64}@[^\s<>@,;:]{1,255})>", re.MULTILINE)
_COPY = re.compile(
    r"^.{0,20}(below this line is a copy|original message (follows|headers)|this is a copy of (the|your) message"
    r"|-+ (original message|message header|the header)|原始邮件|原始郵件|原邮件|邮件原文|以下是(原|您))",
    re.IGNORECASE | re.MULTILINE,
)
_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?!\.?\d)")
_REPLY_CODE = re.compile(r"(?<![\d.\w])([45])[0-5]\d(?=[ \-#:,，：])")
_FOR_GOOD = re.compile(
    r"permanent|does not exist|no such user|user unknown|unknown user|永久|不存在|已被停用|已停用", re.IGNORECASE
)
_FOR_NOW = re.compile(
    r"temporar|will (be )?retr|delayed|mailbox (is )?full|quota"
    r"|暂时|暫時|稍后重试|将继续尝试|延迟|邮箱已满|信箱已滿|容量",
    re.IGNORECASE,
)
_BLANK_LINE = re.compile(r"\n[ \t]*\n")
_FOLD = re.compile(r"\n[ \t]+")
_FIELD = re.compile(r"^([A-Za-z-]{1,60})[ \t]{0,5}:(.*)$", re.MULTILINE)
_ORIGINALS = frozenset(
    ("message/rfc822", "message/global", "message/rfc822-headers", "message/global-headers", "text/rfc822-headers")
)
_OF_ACTION = {"failed": "5.0.0", "delayed": "4.0.0"}


@dataclass(frozen=True)
class Bounced:
    """What a bounce claims. Anyone can claim it; only ids that the desk signed make it ours."""

    ids: Sequence[str] = ()
    """Message-IDs that may be the undelivered mail's, likeliest first."""
    recipient: str = ""
    status: str = ""
    """A status code (RFC 3463) of class 4 or 5; "" when nothing tells it."""


def read_bounce(fields: Fields, enclosed: Sequence[Message], text: str) -> Bounced:
    """`enclosed`: the parts of type message/… and text/rfc822-headers. A report of a delivery that went well, or is
    only relayed, gives an empty one."""
    text = text[:MAX_TEXT]
    group = _failed_group(enclosed)
    status = _status(group, text)
    if status.startswith("2") or group.get("action") in ("delivered", "relayed", "expanded"):
        return Bounced()
    return Bounced(_ids(fields, enclosed, text), _recipient(fields, group, enclosed, text), status)


def _ids(fields: Fields, enclosed: Sequence[Message], text: str) -> list[str]:
    found = [i for head in _original_heads(enclosed) for i in message_ids(head.get("message-id", ""))]
    found += _MESSAGE_ID.findall(text)
    # Exchange and Gmail thread a bounce under the mail that it is about.
    found += message_ids(first(fields, "in-reply-to"))[:1] + message_ids(first(fields, "references"))[::-1]
    return list(dict.fromkeys(found))[:MAX_IDS]


def _recipient(fields: Fields, group: dict[str, str], enclosed: Sequence[Message], text: str) -> str:
    """The address that we wrote to, rather than the one it was passed on to."""
    own_words = (text[: found.start()] if (found := _COPY.search(text)) else text)[:MAX_OWN_WORDS]
    candidates = [group.get("original-recipient", ""), group.get("final-recipient", "")]
    candidates += values(fields, "x-failed-recipients")
    for pattern in (_OPENS_LINE, _ADDRESS_LINE, _FAILED):
        candidates += pattern.findall(own_words)[:1]
    candidates += [head.get("to", "") for head in _original_heads(enclosed)] + _TO.findall(text)[:1]
    return next((address for value in candidates if (address := _mailbox(value))), "")


def _mailbox(value: str) -> str:
    """ "rfc822; <a@b.example>" or a plain address, as an address; "" when it is none."""
    bare = value.partition(";")[2] if ";" in value else value
    angled = re.search(r"<([^<>]{3,320})>", bare)
    address = (angled.group(1) if angled else bare.partition(",")[0]).strip().strip(".")
    return address if is_mailbox(address) else ""


def _status(group: dict[str, str], text: str) -> str:
    """From the fields; failing that from the words of the mail system, before its copy of the original."""
    for value in (group.get("status", ""), group.get("diagnostic-code", "")):
        if found := _STATUS.search(value):
            return ".".join(found.groups())
    if reply := _REPLY_CODE.search(group.get("diagnostic-code", "") + " "):
        return f"{reply.group(1)}.0.0"
    if group.get("action") in _OF_ACTION:
        return _OF_ACTION[group["action"]]
    return _status_in(text[: copy.start()] if (copy := _COPY.search(text)) else text)


def _status_in(words: str) -> str:
    if found := next((f for f in _STATUS.finditer(words) if f.group(1) != "2"), None):
        return ".".join(found.groups())
    if reply := _REPLY_CODE.search(words):
        return f"{reply.group(1)}.0.0"
    if _FOR_NOW.search(words):
        return "4.0.0"
    return "5.0.0" if _FOR_GOOD.search(words) else ""


def _failed_group(enclosed: Sequence[Message]) -> dict[str, str]:
    """The fields of the first recipient that failed, else of the first that is delayed, else of the first."""
    groups = list(_groups(enclosed))
    for action in ("failed", "delayed", None):
        for group in groups:
            if action is None or group.get("action") == action:
                return group
    return {}


def _groups(enclosed: Sequence[Message]) -> Iterator[dict[str, str]]:
    """Fields by recipient. Some systems leave out the blank line between the groups, so a repeated field begins one."""
    blocks = (
        block for part in enclosed if part.get_content_type().endswith("delivery-status") for block in _blocks(part)
    )
    for block in blocks:
        group: dict[str, str] = {}
        for key, said in _pairs(block):
            if key in group and key.endswith("-recipient"):
                yield _lowered(group)
                group = {}
            group.setdefault(key, said)
        if "final-recipient" in group or "original-recipient" in group:
            yield _lowered(group)


def _lowered(group: dict[str, str]) -> dict[str, str]:
    return group | {"action": group.get("action", "").lower().partition(" ")[0]}


def _original_heads(enclosed: Sequence[Message]) -> Iterator[dict[str, str]]:
    """The header of the undelivered mail: of an enclosed message, or alone."""
    for part in enclosed:
        if part.get_content_type() in _ORIGINALS:
            yield dict(reversed([*_pairs(next(iter(_blocks(part)), ""))]))


def _blocks(part: Message) -> list[str]:
    """The content of a part, cut at its blank lines. The library does not decode what is inside message/…, where no
    encoding is allowed and some systems use one (RFC 6533 allows it)."""
    inside = part.get_payload()
    pieces = inside if isinstance(inside, list) else [inside]
    text = decode(raw_bytes("\n\n".join(map(_source, pieces[:MAX_GROUPS]))[:MAX_TEXT]), None)
    encoding = str(part.get("content-transfer-encoding", "")).strip().lower()
    if encoding == "base64" and ":" not in text:
        text = b64decode("".join(text.split()) + "==").decode("utf-8", "replace")
    elif encoding == "quoted-printable":
        text = decodestring(text.encode("utf-8", "replace")).decode("utf-8", "replace")
    return _BLANK_LINE.split(text.replace("\r\n", "\n").strip("\n"))


def _source(piece: object) -> str:
    """A header block as it was written. The library would fold it anew, in quadratic time."""
    if not isinstance(piece, Message):
        return str(piece).strip("\r\n")
    head = "\n".join(f"{name}: {str(value)[:MAX_VALUE]}" for name, value in piece.raw_items())
    body = piece.get_payload()
    return f"{head}\n\n{body}".strip("\r\n") if isinstance(body, str) else head


def _pairs(block: str) -> list[tuple[str, str]]:
    """Field names in lower case, and unfolded values."""
    return [(name.lower(), value.strip()) for name, value in _FIELD.findall(_FOLD.sub(" ", block))]
