"""Which of our two languages is a text built in?"""

from __future__ import annotations

import re
from typing import Final, Literal

Language = Literal["en", "zh"]

_NOT_PROSE: Final = re.compile(
    r"https?://\S+|www\.\S+|[^\s@<>]{1,64}@[^\s@<>]{1,255}"  # addresses
    r"|(?<![A-Za-z0-9_-])[A-Za-z0-9_-]*[0-9][A-Za-z0-9_-]*"  # identifiers, hashes, figures
)
_CHINESE: Final = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_WORD: Final = re.compile(r"[A-Za-z\u00c0-\u024f]+(?:['’][A-Za-z]+)?")
# What holds a sentence together is seldom borrowed: "我的 withdraw 一直 pending" is Chinese.
_CHINESE_GLUE: Final = frozenset("的了吗我不是在有就都没还也你们怎么什为")
_ENGLISH_GLUE: Final = frozenset(
    re.findall(
        r"\S+",
        "i my me you your the a an is are was were has have had do does did not to of in on at for from with and"
        " but why how when what where can can't cannot don't isn't hasn't haven't didn't it this that still",
    )
)
_READ_AT_MOST: Final = 20_000


def language_of(text: str) -> Language | None:
    """The language whose words and grammar carry the text (繁體 is "zh"); None when no word is left.

    A Chinese character counts one, a word in Latin letters two, and a word of grammar three more.
    Only the first 20,000 characters are read.
    """
    prose = _NOT_PROSE.sub(" ", text[:_READ_AT_MOST])
    chinese = _CHINESE.findall(prose)
    words = [word.lower() for word in _WORD.findall(prose)]
    zh = len(chinese) + 3 * sum(character in _CHINESE_GLUE for character in chinese)
    en = 2 * sum(len(word) > 1 for word in words) + 3 * sum(word in _ENGLISH_GLUE for word in words)
    if not zh and not en:
        return None
    return "zh" if zh >= en else "en"
