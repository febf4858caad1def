"""The parts of a mail: its text, its files, its content types. Bounded in number and depth; never fails on a part."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.generator import BytesGenerator
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from io import BytesIO
from pathlib import PurePosixPath

from channels.mail.charset import clean, decode, one_line
from channels.mail.headers import decoded
from channels.mail.html_text import to_text

MAX_PARTS = 200
MAX_DEPTH = 20
MAX_TEXT = 200_000
"""Characters of text that are handed on; the original is kept whole in any case."""
MAX_FILENAME = 120
MAX_ENDING = 16
MOST_READ = 1000
"""Characters of a name that are looked at: its beginning, and its end, which says what it is."""

_NOT_IN_NAMES = re.compile(r'[<>:"|?*\x00-\x1f]')
_USED_BOUNDARY = re.compile(r"^--([^\s\"\\]{1,70})[ \t]*\r?\nContent-[A-Za-z-]{1,30}:", re.MULTILINE)
_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,60}/[a-z0-9!#$&^_.+-]{1,60}")


@dataclass(frozen=True)
class FilePart:
    filename: str
    content_type: str
    data: bytes


@dataclass
class Contents:
    texts: list[str] = field(default_factory=list)
    files: list[FilePart] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    enclosed: list[Message] = field(default_factory=list)
    """Parts about another mail (message/…, text/rfc822-headers), as they are."""
    partial: bool = False
    """Some parts were left out or could not be decoded."""

    @property
    def text(self) -> str:
        return "\n\n".join(text for text in self.texts if text.strip())[:MAX_TEXT]


def contents(message: Message) -> Contents:
    found = Contents()
    for part in _leaves(message, found):
        try:
            _add(part, found)
        except Exception:  # a broken part must not cost the others
            found.partial = True
    return found


def _leaves(message: Message, found: Contents) -> Iterator[Message]:
    stack = [(message, 0)]
    count = 0
    while stack:
        part, depth = stack.pop()
        count += 1
        if count > MAX_PARTS or depth > MAX_DEPTH:
            found.partial = True
            continue
        found.types.append(_type_of(part))
        children = _children(part)
        if children is None:
            if found.types[-1].startswith("message/") or found.types[-1] == "text/rfc822-headers":
                found.enclosed.append(part)
            yield part
        else:
            stack += [(child, depth + 1) for child in reversed(children[: MAX_PARTS + 1])]


def _children(part: Message) -> list[Message] | None:
    """The parts inside; None for a leaf. An enclosed message is a leaf: it is evidence, not the sender's words."""
    if not part.is_multipart() and part.get_content_maintype() == "multipart":
        part = _with_used_boundary(part)
    if not part.is_multipart() or part.get_content_maintype() == "message":
        return None
    children = [child for child in part.get_payload() if isinstance(child, Message)]
    return _preferred(children) if part.get_content_type() == "multipart/alternative" else children


def _with_used_boundary(part: Message) -> Message:
    """Some programs name a boundary in the header and separate the parts by another."""
    body: object = part.get_payload()
    if not isinstance(body, str) or (used := _USED_BOUNDARY.search(body)) is None:
        return part
    raw = f'Content-Type: {part.get_content_type()}; boundary="{used.group(1)}"\n\n{body}'
    repaired: Message = BytesParser(policy=compat32).parsebytes(raw.encode("utf-8", "surrogateescape"))
    return repaired


def _preferred(alternatives: list[Message]) -> list[Message]:
    """Of several forms of the same words, plain text if it says anything, else all but the plain text."""
    plain = [part for part in alternatives if part.get_content_type() == "text/plain"]
    if any(_text_of(part).strip() for part in plain):
        rich = [part for part in alternatives if not part.get_content_type().startswith("text/")]
        return plain + [part for part in rich if "calendar" not in part.get_content_type()]
    return [part for part in alternatives if part not in plain]


def _add(part: Message, found: Contents) -> None:
    if part.get_content_maintype() == "message" and part.is_multipart():
        found.files.append(_enclosed(part))
    elif _is_text(part):
        found.texts.append(_text_of(part))
    else:
        data = bytes_of(part)
        if data:
            found.files.append(FilePart(_filename(part), _type_of(part), data))


def _is_text(part: Message) -> bool:
    if part.get_content_disposition() == "attachment" or part.get_filename():
        return False
    type_ = _type_of(part)
    # A "multipart" that does not hold parts is text that somebody labelled wrongly.
    return type_ in ("text/plain", "text/html") or type_.startswith("multipart/")


def _text_of(part: Message) -> str:
    text = clean(decode(bytes_of(part), charset_of(part)))
    return clean(to_text(text)) if part.get_content_type() == "text/html" else text


def charset_of(part: Message) -> str | None:
    try:
        label = part.get_content_charset()
    except Exception:  # RFC 2231 parameters can be broken in many ways
        return None
    return str(label) if label else None


def bytes_of(part: Message) -> bytes:
    data = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""


def _enclosed(part: Message) -> FilePart:
    buffer = BytesIO()
    generator = BytesGenerator(buffer, mangle_from_=False, policy=compat32.clone(linesep="\r\n"))
    for inner in part.get_payload():
        if isinstance(inner, Message):
            generator.flatten(inner)
    name = _filename(part) if part.get_filename() else "message.eml"
    return FilePart(name, _type_of(part), buffer.getvalue())


def _type_of(part: Message) -> str:
    type_ = part.get_content_type()
    return type_ if _TYPE.fullmatch(type_) else "application/octet-stream"


def _filename(part: Message) -> str:
    try:
        given = part.get_filename() or ""
    except Exception:  # RFC 2231 parameters can be broken in many ways
        given = ""
    return clean_filename(decoded(str(given), MAX_TEXT), _type_of(part))


def clean_filename(given: str, content_type: str) -> str:
    """A name to show: no folders, no control or direction characters, an ending, at most `MAX_FILENAME` long."""
    last = given.replace("\\", "/").rpartition("/")[2]
    if len(last) > MOST_READ:
        last = last[: MOST_READ - MAX_ENDING] + last[-MAX_ENDING:]
    name = _NOT_IN_NAMES.sub("_", one_line(last, MOST_READ)).strip(". ")
    if not name:
        return "attachment" + (mimetypes.guess_extension(content_type) or ".bin")
    if len(name) <= MAX_FILENAME:
        return name
    ending = PurePosixPath(name).suffix[:MAX_ENDING]
    return name[: MAX_FILENAME - len(ending)] + ending
