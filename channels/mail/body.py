"""The body of an answer: plain text, and the same words as HTML for programs that show plain text badly."""

from __future__ import annotations

import hashlib
import re
from email.message import EmailMessage
from html import escape

from channels.mail.charset import clean

_LINE_LIMIT = 900
"""Longer lines are encoded: RFC 5322 section 2.1.1 allows 998."""
_FONT = "-apple-system, 'Segoe UI', Roboto, 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', Arial, sans-serif"
_PAGE = (
    '<!DOCTYPE html>\n<html lang="{language}">\n<head><meta charset="utf-8"></head>\n'
    '<body style="margin: 0; padding: 16px">\n'
    '<div style="max-width: 640px; font-family: {font}; font-size: 16px; line-height: 1.5; '
    'overflow-wrap: anywhere">\n{paragraphs}\n</div>\n</body>\n</html>\n'
)
"""No colours: the reader's program knows whether it is dark. Nothing remote, and no class that a program would drop."""
_PARAGRAPH = '<p style="margin: 0 0 1em">{lines}</p>'


def fill(mail: EmailMessage, text: str, language: str, own_address: str, seed: str) -> None:
    """Both forms of `text` as multipart/alternative (RFC 2046 section 5.1.4), the plain one first.

    Only addresses below `own_address` become links: whatever else the text repeats stays text, so that nobody can have
    us send a link of theirs. `seed` names the boundary: the same answer gives the same bytes.
    """
    text = clean(text).rstrip("\n") + "\n"
    mail.set_content(text, charset="utf-8", cte=_encoding(text))
    page = as_html(text, language, own_address)
    mail.add_alternative(page, subtype="html", charset="utf-8", cte=_encoding(page))
    for form in mail.iter_parts():
        del form["MIME-Version"]  # the library's; it belongs to the whole mail (RFC 2045 section 4)
    # "=_" appears in no encoded text (RFC 2045 section 6.7), and nobody else can know the rest.
    mail.set_boundary("=_" + hashlib.sha256(seed.encode()).hexdigest()[:32])


def as_html(text: str, language: str, own_address: str) -> str:
    """An empty line begins a new paragraph, any other stays a line."""
    own = _own_addresses(own_address)
    paragraphs = [paragraph for paragraph in re.split(r"\n{2,}", text.strip("\n")) if paragraph]
    shown = [_PARAGRAPH.format(lines="<br>\n".join(_line(line, own) for line in one.split("\n"))) for one in paragraphs]
    return _PAGE.format(language=escape(language), font=_FONT, paragraphs="\n".join(shown))


def _own_addresses(own_address: str) -> re.Pattern[str]:
    """Ends where the host or the path does: an address that only begins like ours is not ours."""
    own = re.escape(own_address.rstrip("/"))
    return re.compile(rf"({own}(?:/[A-Za-z0-9._~/?#&=%@+-]*)?)(?![A-Za-z0-9.:@-])")


def _line(line: str, own: re.Pattern[str]) -> str:
    return "".join(_link(part) if n % 2 else escape(part) for n, part in enumerate(own.split(line)))


def _link(address: str) -> str:
    address, stop = (address[:-1], address[-1]) if address[-1] in ".?" else (address, "")
    return f'<a href="{escape(address)}">{escape(address)}</a>{stop}'


def _encoding(text: str) -> str:
    if text.isascii() and max(map(len, text.split("\n"))) < _LINE_LIMIT:
        return "7bit"
    mostly_ascii = sum(map(str.isascii, text)) > len(text) * 0.7
    return "quoted-printable" if mostly_ascii else "base64"
