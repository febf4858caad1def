"""How mail programs mark what is not new in a mail: quotation marks, header blocks, "… wrote:", forwards.

The forms are those of QQ, 163, Foxmail, Alimail, Outlook, Apple Mail, Gmail, Yahoo and Thunderbird, in English and in
both Chinese scripts, and the commonest of other languages.
"""

from __future__ import annotations

import re

MAX_HEADER_LINES = 8
MAX_ATTRIBUTION = 400
"""Characters of "On … wrote:", which mail programs break over up to three lines."""

_QUOTED = re.compile(r"^[ \t]*[>＞]")
_SEPARATOR = re.compile(
    r"^\W{2,}\s*(original( message| appointment)?|replied message|原始(邮件|郵件|信件|信息|訊息|讯息|消息)"
    r"|邮件原件|原邮件|原郵件|(回复|回覆|答复|答覆)的?(原)?(邮件|郵件)"
    r"|ursprüngliche nachricht|original-nachricht|message d'origine|mensaje original)\s*\W{2,}$",
    re.IGNORECASE,
)
_FORWARD_NAME = (
    r"(begin forwarded message|(forwarded|fwd) (message|mail|e-?mail)"
    r"|(开始|開始)?(转发|轉發|转寄|轉寄|轉送)(的)?(原)?(邮件|郵件|信件|消息|訊息|讯息)(信息|訊息|內容|内容)?"
    r"|weitergeleitete nachricht|message transféré|mensaje reenviado)"
)
_FORWARDED = re.compile(
    rf"^[\s>＞*_=—-]*{_FORWARD_NAME}( from .{{1,100}})?\s*([:：]|[-_=—*]{{2,}})[\s*_=—-]*$", re.IGNORECASE
)
_FORWARDED_RULED = re.compile(rf"^[\s>＞]*[-_=—*]{{2,}}\s*{_FORWARD_NAME}\W*$", re.IGNORECASE)
_WROTE = re.compile(
    r"(wrote|writes|写道|寫道|写信|来信|來信|schrieb[^:]{0,80}|a écrit|escribió|ha scritto|написал\(?а?\)?)\s*[:：]$",
    re.IGNORECASE,
)
_BEGINS = re.compile(
    r"^(on|at|am|le|el|il|在|于|於)[\s\d]|^\d{1,4}[./年-]\d|^[^<]{0,80}<[^<>]{3,200}>"
    r"|^[^@<>，。]{1,40}[于於在]\s?\d{4}\s?[年/-][^。]{3,30}\d[:：]\d{2}",
    re.IGNORECASE,
)
_DATE_FIRST = re.compile(r"^(on|am|le|el|il|在)[\s\d]|^at \d{4}|^\d{1,4}[./年-]\d", re.IGNORECASE)
_WHEN = re.compile(r"\d{1,2}[:.：]\d{2}|\d{4}")
_FROM_LINE = re.compile(r"^[\s*]*(from|发件人|發件人|寄件者|寄件人|发自|von|de)[\s*]*[:：]", re.IGNORECASE)
_SUBJECT_LINE = re.compile(r"^[\s*]*(subject|主题|主題|主旨|标题|標題|betreff|objet|asunto)[\s*]*[:：]", re.IGNORECASE)
_OTHER_LINE = re.compile(
    r"^[\s*]*(sent|date|to|cc|importance|发送时间|發送時間|发件时间|发送日期|發送日期|时间|時間|日期|收件人|收件者|抄送|副本"
    r"|寄件日期|寄件時間|傳送時間|傳送日期|已傳送|已发送|附件|重要性|gesendet|datum|an|envoyé|enviado|para)[\s*]*[:：]",
    re.IGNORECASE,
)
_RULE = re.compile(r"^\s*[-_*=—]{5,}\s*$")


def is_quoted(line: str) -> bool:
    return _QUOTED.match(line) is not None


def is_rule(line: str) -> bool:
    """A line of dashes or underscores, as Outlook draws it above the header block."""
    return _RULE.match(line) is not None


def announces_forward(line: str) -> bool:
    """Whether the line is a mark of a mail program, not a sentence that mentions a forwarded message."""
    return len(line) <= MAX_ATTRIBUTION and bool(_FORWARDED.match(line) or _FORWARDED_RULED.match(line))


def next_line(lines: list[str], n: int) -> str:
    """The first line from `n` on that is not blank; "" when the next few are."""
    return next((line for line in lines[n : n + 4] if line.strip()), "")


def mark_span(lines: list[str], n: int) -> int:
    """How many lines the mark above a history takes from line n on: a separator, a block of header lines, or
    "… wrote:"; 0 when there is none."""
    line = lines[n]
    if not line.strip() or len(line) > MAX_ATTRIBUTION or is_quoted(line):
        return 0
    if _SEPARATOR.match(line.strip()):
        below = next((m for m in range(n + 1, min(n + 4, len(lines))) if lines[m].strip()), n)
        return below - n + _header_span(lines, below) if below > n and _header_span(lines, below) else 1
    return _header_span(lines, n) or _wrote_span(lines, n)


def _header_span(lines: list[str], n: int) -> int:
    """From, Subject and one more. Without Subject it may be a transfer that the user describes: From, To, Date."""
    if not _FROM_LINE.match(lines[n]):
        return 0
    following = lines[n + 1 : n + 1 + MAX_HEADER_LINES]
    fields = [m for m, line in enumerate(following, 1) if _SUBJECT_LINE.match(line) or _OTHER_LINE.match(line)]
    if any(map(_SUBJECT_LINE.match, following)) and any(map(_OTHER_LINE.match, following)):
        return fields[-1] + 1
    return 0


def _wrote_span(lines: list[str], n: int) -> int:
    joined = ""
    for length, line in enumerate(lines[n : n + 3], 1):
        if not line.strip() or is_quoted(line):
            return 0
        joined = f"{joined} {line.strip()}".strip()
        if len(joined) > MAX_ATTRIBUTION:
            return 0
        if _WROTE.search(joined):
            return length if _is_attribution(joined, length) and not _begins_below(lines, n, length) else 0
    return 0


def _begins_below(lines: list[str], n: int, length: int) -> bool:
    """Whether line n is the person's own last line, and the attribution of `length` lines begins in the next one."""
    if length == 1 or not _wrote_span(lines, n + 1):
        return False
    below = lines[n + 1].strip()
    return bool(_DATE_FIRST.match(below) or (not _DATE_FIRST.match(lines[n].strip()) and _BEGINS.match(below)))


def _is_attribution(joined: str, length: int) -> bool:
    """Written by a mail program: it names a time or an address. "Your agent wrote:" is the user's own sentence."""
    somebody = "@" in joined
    return (length == 1 and somebody) or bool(_BEGINS.match(joined) and (somebody or _WHEN.search(joined)))


def attribution_above(kept: list[str]) -> int:
    """How many of the last lines attribute the quotation that follows them. None of them is blank at the end."""
    last = [line.strip() for line in kept[-3:]]
    for length in range(1, len(last) + 1):
        joined = " ".join(last[-length:])
        if len(joined) > MAX_ATTRIBUTION or not last[-length]:
            break
        if _WROTE.search(joined) and _BEGINS.match(joined) and _is_attribution(joined, length):
            return length
    return int(bool(last) and len(last[-1]) <= MAX_ATTRIBUTION and "@" in last[-1] and last[-1].endswith((":", "：")))
