"""How mails travel between the desk and its parser processes."""

from __future__ import annotations

import json
import struct

from channels.mail.mime import FilePart
from channels.mail.parse import ParsedMail

SIZES = struct.Struct("!II")
"""Every message between the processes: length of a JSON head, length of the bytes that follow it."""
READY = b"+"
"""What a process says first, so that one that cannot start is not taken for a mail that cannot be read."""


def packed(mail: ParsedMail) -> bytes:
    """A parsed mail as it travels from the process: plain JSON and bytes, nothing that could run on arrival."""
    head = {name: getattr(mail, name) for name in ParsedMail.__dataclass_fields__ if name != "files"}
    head["files"] = [(file.filename, file.content_type, len(file.data)) for file in mail.files]
    encoded = json.dumps(head).encode()
    body = b"".join(file.data for file in mail.files)
    return SIZES.pack(len(encoded), len(body)) + encoded + body


def packed_domains(domains: list[str]) -> bytes:
    """The answer to a question for signatures."""
    encoded = json.dumps({"signed_by": domains}).encode()
    return SIZES.pack(len(encoded), 0) + encoded


def packed_html(html: str | None) -> bytes:
    """The answer to a question for the HTML form."""
    encoded = json.dumps({"html": html}).encode()
    return SIZES.pack(len(encoded), 0) + encoded


def unpacked(head: dict[str, object], body: bytes) -> ParsedMail:
    """Raises KeyError, ValueError or TypeError on what `packed` did not make."""
    described = head.pop("files")
    assert isinstance(described, list)
    files, start = [], 0
    for filename, content_type, size in described:
        files.append(FilePart(filename, content_type, body[start : start + size]))
        start += size
    return ParsedMail(**head, files=files)  # type: ignore[arg-type] # made by `packed` in our own process
