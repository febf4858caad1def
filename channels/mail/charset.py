"""Bytes of a stranger to text: an allow-list of charsets, the usual wrong labels, and a guess when nothing fits.

Charsets that decode plain ASCII into something else (utf-7, unicode_escape, idna) are not on the list: with them a
mail can look harmless to every check before it is decoded.
"""

from __future__ import annotations

import re
import unicodedata

_ALIASES = {
    # GB18030 contains GBK and GB2312, and senders label all of them "gb2312".
    **dict.fromkeys(
        ("gb2312", "gb231280", "gbk", "xgbk", "gb18030", "cp936", "ms936", "windows936", "euccn"), "gb18030"
    ),
    **dict.fromkeys(("hz", "hzgb2312", "hzgb"), "hz"),
    **dict.fromkeys(("big5", "xbig5", "big5hkscs", "cnbig5", "cp950", "windows950"), "big5hkscs"),
    **dict.fromkeys(("shiftjis", "sjis", "xsjis", "mskanji", "cp932", "windows31j"), "cp932"),
    **dict.fromkeys(("euckr", "ksc56011987", "ksc5601", "cp949", "uhc", "windows949"), "cp949"),
    "eucjp": "euc_jp",
    "iso2022jp": "iso2022_jp",
    "iso2022kr": "iso2022_kr",
    **dict.fromkeys(("latin1", "iso88591", "windows1252", "cp1252"), "cp1252"),
    "koi8r": "koi8_r",
    "koi8u": "koi8_u",
    **dict.fromkeys(("tis620", "windows874", "iso885911"), "cp874"),
    "utf16": "utf-16",
    "utf16le": "utf-16-le",
    "utf16be": "utf-16-be",
    **{f"iso8859{n}": f"iso8859-{n}" for n in (*range(2, 11), 13, 14, 15, 16)},
    **{f"windows{n}": f"cp{n}" for n in (1250, 1251, *range(1253, 1259))},
    **{f"cp{n}": f"cp{n}" for n in (1250, 1251, *range(1253, 1259))},
}
"""Names without punctuation. UTF-8 and ASCII are not here: for them, and for unknown names, the bytes decide."""

_WESTERN = frozenset(("cp1252", "iso8859-15"))
_HIGH = re.compile(rb"[\x80-\xff]+")
_NO_PUNCTUATION = re.compile(r"[^a-z0-9]")
_BREAKS = re.compile(r"\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_DIRECTION = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")
"""Marks that turn the reading direction, with which `gpj.exe` can be shown as `exe.jpg`."""


def decode(data: bytes, label: str | None) -> str:
    """Never fails: what cannot be decoded is replaced by U+FFFD."""
    codec = _ALIASES.get(_NO_PUNCTUATION.sub("", (label or "").lower()))
    if codec is None:
        return _guess(data)
    if (meant := _mislabelled(data, codec)) is not None:
        return meant
    try:
        return data.decode(codec)
    except (UnicodeDecodeError, LookupError):
        return _utf8(data) or data.decode(codec, errors="replace")


def _mislabelled(data: bytes, codec: str) -> str | None:
    """UTF-8, or Chinese under a Western label, that would decode as something else without an error."""
    if data.isascii() or codec.startswith("utf-16"):
        return None
    text = _utf8(data)
    # Two bytes of GBK or Big5 can be one letter of UTF-8 by chance; three bytes of UTF-8 are hardly ever theirs.
    if text is not None and (codec in _WESTERN or any(c >= "\u0800" for c in text)):
        return text
    return data.decode("gb18030") if codec in _WESTERN and _looks_chinese(data) else None


def _looks_chinese(data: bytes) -> bool:
    """Bytes above 0x7F come in pairs, most of them of the common characters and punctuation of GB 2312."""
    runs = _HIGH.findall(data)
    if any(len(run) % 2 for run in runs):
        return False
    pairs = [run[n : n + 2] for run in runs for n in range(0, len(run), 2)]
    common = sum(0xA1 <= pair[0] <= 0xA3 or 0xB0 <= pair[0] <= 0xD7 for pair in pairs)
    return len(pairs) > 1 and all(pair[0] > 0xA0 < pair[1] for pair in pairs) and common > 0.8 * len(pairs)


def _guess(data: bytes) -> str:
    text = _utf8(data)
    if text is not None:
        return text
    runs = _HIGH.findall(data)
    if len(runs) > 1 and sum(len(run) == 1 for run in runs) > 0.8 * len(runs):
        return data.decode("cp1252", errors="replace")  # accents between letters: no Chinese text is made like that
    try:
        return data.decode("gb18030")
    except UnicodeDecodeError:
        return data.decode("utf-8", errors="replace")


def _utf8(data: bytes) -> str | None:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None


def clean(text: str) -> str:
    """Line ends as \\n; no control characters, no lone surrogates, no direction overrides."""
    text = _BREAKS.sub("\n", text)
    if text.isascii() and text.isprintable():
        return text
    return "".join(c for c in text if c in "\n\t" or _is_shown(c))


def one_line(text: str, most: int) -> str:
    """Cleaned, white space collapsed, at most `most` characters."""
    return " ".join(clean(text).split())[:most].strip()


def _is_shown(character: str) -> bool:
    return character not in _DIRECTION and unicodedata.category(character) not in ("Cc", "Cs")
