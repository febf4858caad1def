"""What a file is, by its first bytes. A hint for people and for warnings, never a reason to open or show anything."""

from __future__ import annotations

import re

import puremagic

UNKNOWN = "application/octet-stream"
TEXT = "text/plain"
HTML = "text/html"
SVG = "image/svg+xml"
ZIP = "application/zip"
OLE = "application/x-ole-storage"
SHORTCUT = "application/x-ms-shortcut"
PROGRAM = "application/vnd.microsoft.portable-executable"
MAX_TYPE_CHARACTERS = 127
HEAD_BYTES = 8192

_BEGINNINGS: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", ZIP),
    (b"PK\x05\x06", ZIP),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"\x1f\x8b", "application/gzip"),
    (b"BZh", "application/x-bzip2"),
    (b"\xfd7zXZ\x00", "application/x-xz"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", OLE),
    (b"L\x00\x00\x00\x01\x14\x02\x00", SHORTCUT),
    (b"MZ", PROGRAM),
    (b"\x7fELF", "application/x-executable"),
    (b"\xcf\xfa\xed\xfe", "application/x-mach-binary"),
    (b"#!", "text/x-script"),
    (b"{\\rtf", "application/rtf"),
)
"""Those that matter to warnings: here a guess of a library would not do."""
_MARKUP = re.compile(r"<(?:!doctype\s+(html|svg)|([a-z0-9]+:)?(html|svg|script|body|iframe|head)\b)", re.IGNORECASE)
_MARKUP_CHARACTERS = 2048
_NOT_IN_TEXT = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def content_type(head: bytes) -> str:
    """Of the first `HEAD_BYTES` bytes; never raises, whatever a stranger made them."""
    for beginning, found in _BEGINNINGS:
        if head.startswith(beginning):
            return found
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[257:262] == b"ustar":
        return "application/x-tar"
    text = _as_text(head)
    return _guess(head) if text is None else _of_text(text)


def _as_text(head: bytes) -> str | None:
    """None when it reads as text in no encoding that is likely here."""
    if not head:
        return None
    for encoding in ("utf-8", "utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "gb18030"):
        try:
            # A character may be cut in two at the end.
            text = head.decode(encoding, "strict" if len(head) < HEAD_BYTES else "ignore")
        except UnicodeDecodeError:
            continue
        if not _NOT_IN_TEXT.search(text):
            return text
    return None


def _of_text(text: str) -> str:
    if (found := _MARKUP.search(text[:_MARKUP_CHARACTERS])) is None:
        return "application/xml" if text.lstrip("\ufeff \t\r\n").startswith("<?xml") else TEXT
    return SVG if "svg" in ((found.group(1) or found.group(3) or "").lower()) else HTML


def _guess(head: bytes) -> str:
    try:
        found = puremagic.from_string(head, mime=True)
    except Exception:  # the library reads hostile bytes, and what it raises on them is not listed anywhere
        return UNKNOWN
    return found if found and len(found) <= MAX_TYPE_CHARACTERS and found.isprintable() else UNKNOWN
