"""What a person newly wrote, without the history that their mail program put below it and without a signature.

Line by line, so that the cost is linear. What looks like a forwarded message is kept: it is what the user wants to
show us. When nothing would be left, everything is kept.
"""

from __future__ import annotations

import re

MAX_HEADER_LINES = 8
MAX_SIGNATURE_LINES = 15
MAX_ATTRIBUTION = 400
"""Characters of "On … wrote:", which mail programs break over up to three lines."""

_QUOTED = re.compile(r"^[ \t]*[>＞]")
_SEPARATOR = re.compile(
    r"^\W{2,}\s*(original( message| appointment)?|原始邮件|原始郵件|原邮件|原郵件|回复的原邮件|回覆的原郵件"
    r"|ursprüngliche nachricht|original-nachricht|message d'origine|mensaje original)\s*\W{2,}$",
    re.IGNORECASE,
)
_FORWARDED = re.compile(
    r"(forwarded message|begin forwarded|转发的?邮件|轉寄的?郵件|轉發的?郵件|转发的?信件|weitergeleitete nachricht)",
    re.IGNORECASE,
)
_WROTE = re.compile(
    r"(wrote|writes|写道|寫道|schrieb[^:]{0,80}|a écrit|escribió|ha scritto|написал\(?а?\)?)\s*[:：]$", re.IGNORECASE
)
_BEGINS = re.compile(r"^(on|at|am|le|el|il|在|于|於)[\s\d]|^\d{1,4}[./年-]\d|^[^<]{0,80}<[^<>]{3,200}>", re.IGNORECASE)
_WHEN = re.compile(r"\d{1,2}[:.：]\d{2}|\d{4}")
_FROM_LINE = re.compile(r"^[\s*]*(from|发件人|發件人|寄件者|寄件人|发自|von|de)[\s*]*[:：]", re.IGNORECASE)
_SUBJECT_LINE = re.compile(r"^[\s*]*(subject|主题|主題|主旨|betreff|objet|asunto)[\s*]*[:：]", re.IGNORECASE)
_OTHER_LINE = re.compile(
    r"^[\s*]*(sent|date|to|cc|发送时间|發送時間|发送日期|时间|時間|日期|收件人|收件者|抄送|副本|寄件日期|傳送時間"
    r"|gesendet|datum|an|envoyé|enviado|para)[\s*]*[:：]",
    re.IGNORECASE,
)
_RULE = re.compile(r"^\s*[-_*=—]{5,}\s*$")
_DEVICE = re.compile(
    r"^\W{0,3}((sent|send) (from|via|with|by)\b.{0,80}|verzonden met .{0,40}|get \W?outlook for .{0,80}|from my .{0,40}"
    r"|(发自|發自|来自|來自)我的.{0,40}|(从|從)我的.{0,30}(发送|發送|傳送|寄出).{0,5}"
    r"|(发自|發自).{0,30}(邮箱|郵箱|客户端|手机|手機)\w{0,10}|envoyé de(puis)? mon .{0,40}"
    r"|von mein.{0,60} gesendet|diese nachricht wurde von .{0,80} gesendet)\W*$",
    re.IGNORECASE,
)


def new_words(text: str) -> str:
    """Strips history and signature from a mail's text (line ends \\n)."""
    lines = [line.rstrip() for line in text.split("\n")]
    own = _without_quotes(lines[: _history_starts(lines)])
    return _joined(_without_signature(own)) or _joined(own) or _joined(lines)


def _joined(lines: list[str]) -> str:
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _history_starts(lines: list[str]) -> int:
    """The first line of unquoted history: a separator, a block of header lines, or "… wrote:"."""
    for n, line in enumerate(lines):
        if not line.strip() or len(line) > MAX_ATTRIBUTION:
            continue
        if _FORWARDED.search(line):
            return len(lines)
        if _SEPARATOR.match(line.strip()):
            return n
        if _is_header_block(lines, n):
            return _rule_above(lines, n)
        span = _wrote_span(lines, n)
        if span and not _QUOTED.match(_after(lines, n + span)):
            return n
    return len(lines)


def _rule_above(lines: list[str], n: int) -> int:
    """Outlook draws a line of dashes or underscores above the header block."""
    for above in range(n - 1, max(-1, n - 4), -1):
        if _RULE.match(lines[above]):
            return above
        if lines[above].strip():
            break
    return n


def _after(lines: list[str], n: int) -> str:
    return next((line for line in lines[n : n + 4] if line.strip()), "")


def _is_header_block(lines: list[str], n: int) -> bool:
    """From, Subject and one more. Without Subject it may be a transfer that the user describes: From, To, Date."""
    if not _FROM_LINE.match(lines[n]):
        return False
    following = lines[n + 1 : n + 1 + MAX_HEADER_LINES]
    return any(map(_SUBJECT_LINE.match, following)) and any(map(_OTHER_LINE.match, following))


def _wrote_span(lines: list[str], n: int) -> int:
    """How many lines "On <date>, <somebody> wrote:" takes from line n on; 0 when there is none."""
    joined = ""
    for length, line in enumerate(lines[n : n + 3], 1):
        if not line.strip() or _QUOTED.match(line):
            return 0
        joined = f"{joined} {line.strip()}".strip()
        if len(joined) > MAX_ATTRIBUTION:
            return 0
        if _WROTE.search(joined):
            return length if _is_attribution(joined, length) else 0
    return 0


def _is_attribution(joined: str, length: int) -> bool:
    """Written by a mail program: it names a time or an address. "Your agent wrote:" is the user's own sentence."""
    somebody = "@" in joined
    return (length == 1 and somebody) or bool(_BEGINS.match(joined) and (somebody or _WHEN.search(joined)))


def _without_quotes(lines: list[str]) -> list[str]:
    """Drops blocks of ">" lines and the attribution above each; keeps a quoted forward, without its marks."""
    kept: list[str] = []
    n = 0
    while n < len(lines):
        if not _QUOTED.match(lines[n]):
            kept.append(lines[n])
            n += 1
            continue
        end = _end_of_quote(lines, n)
        block = lines[n:end]
        if any(_FORWARDED.search(line) for line in block[:3]):
            kept += [line.lstrip(" \t>＞") for line in block]
        else:
            _drop_attribution(kept)
        n = end
    return kept


def _end_of_quote(lines: list[str], n: int) -> int:
    """A quotation goes on over blank lines as long as another quoted line follows."""
    end = n
    while n < len(lines) and (_QUOTED.match(lines[n]) or not lines[n].strip()):
        n += 1
        if _QUOTED.match(lines[n - 1]):
            end = n
    return end


def _drop_attribution(kept: list[str]) -> None:
    while kept and not kept[-1].strip():
        kept.pop()
    last = [line.strip() for line in kept[-3:]]
    for length in range(1, len(last) + 1):
        joined = " ".join(last[-length:])
        if len(joined) > MAX_ATTRIBUTION or not last[-length]:
            break
        if _WROTE.search(joined) and _BEGINS.match(joined) and _is_attribution(joined, length):
            del kept[-length:]
            return
    if last and len(last[-1]) <= MAX_ATTRIBUTION and "@" in last[-1] and last[-1].endswith((":", "：")):
        kept.pop()


def _without_signature(lines: list[str]) -> list[str]:
    """Cuts at "-- " (RFC 3676 section 4.3), and lines such as "Sent from my phone" at the end."""
    for n in range(max(0, len(lines) - MAX_SIGNATURE_LINES), len(lines)):
        if lines[n].strip() in ("--", "—") and any(line.strip() for line in lines[:n]):
            lines = lines[:n]
            break
    while lines and (not lines[-1].strip() or _DEVICE.match(lines[-1].strip())):
        lines = lines[:-1]
    return lines
