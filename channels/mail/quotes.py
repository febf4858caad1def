"""What a person newly wrote, without the history that their mail program put below it and without a signature.

Line by line, so that the cost is linear. Answers between quoted lines are kept in their order. A forwarded mail is kept
whole: it is what the user wants to show us. When nothing would be left, everything is kept.
"""

from __future__ import annotations

import re

from channels.mail.marks import announces_forward, attribution_above, is_quoted, is_rule, mark_span, next_line
from channels.mail.signature import without_signature

_FORWARD_SUBJECT = re.compile(r"^\s*(fwd?|wg|tr|转发|轉發|转寄|轉寄)\s*[:：]", re.IGNORECASE)
_MARKS = re.compile(r"^[ \t]*[>＞][ \t]?")


def is_forward(subject: str) -> bool:
    """Whether the outermost prefix says so: "Fwd: Re: x" is a forward, "Re: Fwd: x" is a reply. QQ, Foxmail and
    Outlook put the same block above a forwarded mail as above a quoted one, so only the subject tells."""
    return _FORWARD_SUBJECT.match(subject) is not None


def new_words(text: str, *, forwarded: bool = False) -> str:
    """Strips history and signature from a mail's text (line ends \\n). `forwarded`: see `is_forward`."""
    lines = [line.rstrip() for line in text.split("\n")]
    own, shown = _split(lines, forwarded)
    bare = without_signature(own)
    if shown:
        return _joined([*bare, "", *shown])
    return _joined(bare) or _joined(own) or _joined(lines)


def _joined(lines: list[str]) -> str:
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _split(lines: list[str], forwarded: bool) -> tuple[list[str], list[str]]:
    """The person's own lines, and those of the mail that they forward."""
    own: list[str] = []
    n = 0
    while n < len(lines):
        if is_quoted(lines[n]):
            end = _end_of_quote(lines, n)
            if forwarded or any(map(announces_forward, lines[n : min(n + 3, end)])):
                return own, _unmarked(lines[n:])
            _drop_attribution(own)
            n = end
        elif announces_forward(lines[n]):
            return own, _unmarked(lines[n:])
        elif span := mark_span(lines, n):
            if forwarded:
                return own, _unmarked(lines[n:])
            _drop_rule(own)
            if not is_quoted(next_line(lines, n + span)):
                break
            n += span  # answers may stand between the quoted lines
        else:
            own.append(lines[n])
            n += 1
    return own, []


def _unmarked(lines: list[str]) -> list[str]:
    """Without the quotation mark that the forwarding program set; the marks of older quotations stay."""
    if not is_quoted(lines[0]) and not is_quoted(next_line(lines, 1)):
        return lines
    return [_MARKS.sub("", line, count=1) for line in lines]


def _end_of_quote(lines: list[str], n: int) -> int:
    """A quotation goes on over blank lines as long as another quoted line follows."""
    end = n
    while n < len(lines) and (is_quoted(lines[n]) or not lines[n].strip()):
        n += 1
        if is_quoted(lines[n - 1]):
            end = n
    return end


def _drop_attribution(own: list[str]) -> None:
    while own and not own[-1].strip():
        own.pop()
    if length := attribution_above(own):
        del own[-length:]


def _drop_rule(own: list[str]) -> None:
    """Outlook draws a line of dashes or underscores above the header block."""
    for above in range(len(own) - 1, max(-1, len(own) - 4), -1):
        if is_rule(own[above]):
            del own[above:]
            return
        if own[above].strip():
            return
