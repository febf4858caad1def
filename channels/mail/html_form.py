"""The HTML of a mail as it was sent, for those who want to see more than its words. Runs in a parser process."""

from __future__ import annotations

from email.message import Message
from email.parser import BytesParser
from email.policy import compat32

from channels.mail.charset import clean, decode
from channels.mail.html_text import MAX_CHARACTERS
from channels.mail.mime import MAX_PARTS, bytes_of, charset_of


def html_form(raw: bytes) -> str | None:
    """The first HTML part that is no file, cut to 256 Ki characters; None when there is none or the mail is broken."""
    try:
        message: Message = BytesParser(policy=compat32).parsebytes(raw)
        return _first(message)
    except Exception:  # RecursionError on deep nesting, and what else the library raises
        return None


def _first(message: Message) -> str | None:
    waiting, seen = [message], 0
    while waiting and seen < MAX_PARTS:
        part, seen = waiting.pop(), seen + 1
        if part.get_content_type() == "text/html" and part.get_content_disposition() != "attachment":
            return clean(decode(bytes_of(part), charset_of(part)))[:MAX_CHARACTERS]
        if part.is_multipart() and part.get_content_maintype() == "multipart":
            inside = [child for child in part.get_payload() if isinstance(child, Message)]
            waiting += reversed(inside[:MAX_PARTS])
    return None
