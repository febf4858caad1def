"""How what we say in Simplified Chinese is written for readers of 繁體.

OpenCC's `s2tw` chooses the characters by phrase (里 is 裡 in 这里 and stays in 公里); the glossary then puts the words
that readers in Taiwan and Hong Kong use for things of an exchange. Compared in docs/decisions/0021.
Only for words of ours: what a person wrote is theirs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final, override

from opencc import OpenCC

HANT: Final = "zh-Hant"
"""The language tag of Chinese in Traditional characters (RFC 5646; ISO 15924 "Hant")."""

_GLOSSARY: Final = {
    "賬": "帳",
    "臺": "台",
    "瞭解": "了解",
    "單隻(?=[按是能會])": "單只",
    "聯繫": "聯絡",
    "退出登錄": "登出",
    "登錄": "登入",
    "網絡": "網路",
    "(?<![塊公])鏈接(?![收受])": "連結",
    "電子郵箱|郵箱": "電子信箱",
    "短信": "簡訊",
    "(?<=條)信息|(?<=垃圾)信息": "訊息",
    "信息": "資訊",
    "(?<![沒好壞])消息": "訊息",
    "(?<!證明)(?<!繼承)(?<!法律)文件": "檔案",
    "支持": "支援",
    "設置": "設定",
    "軟件": "軟體",
    "屏幕": "螢幕",
    "(?<=您)視頻|視頻(?=會議)": "視訊",
    "視頻": "影片",
    "服務器": "伺服器",
    "緩存": "快取",
    "粘貼": "貼上",
    "在線客服": "線上客服",
    "(?<!通行)密鑰": "金鑰",
    "手機號(?!碼)": "手機號碼",
    "搜索": "搜尋",
    "接口": "介面",
    "激活": "啟用",
    "刷新": "重新整理",
    "二維碼": "QR碼",
    "字符": "字元",
    "導出": "匯出",
    "教程": "教學",
    "(?<![公海英千萬鄰])里(?!程)": "裡",
    "回復": "回覆",
    "“": "「",
    "”": "」",
}
"""What `s2tw` leaves and what stands there instead; of two that fit, the first named."""
_FOUND: Final = re.compile("|".join(f"({pattern})" for pattern in _GLOSSARY))
_CHINESE: Final = re.compile("[\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")
"""What the library is given: it stops at NUL and refuses half a character."""
_PUT: Final = ("", *_GLOSSARY.values())


def traditional(text: str) -> str:
    """The text in 繁體. ASCII (identifiers, addresses, placeholders) stays as it is, and so does 繁體."""
    if text.isascii():
        return text
    written = _CHINESE.sub(lambda run: _characters().convert(run[0]), text)
    return _FOUND.sub(lambda found: _PUT[found.lastindex or 0], written)


class WrittenWhenRead(Mapping[str, str]):
    """Texts by language, with the Chinese one in 繁體 too, written when it is read: its tables (43 MB) are loaded by
    those who need it."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts

    @override
    def __getitem__(self, language: str) -> str:
        return traditional(self._texts["zh"]) if language == HANT else self._texts[language]

    @override
    def __iter__(self) -> Iterator[str]:
        return iter((*self._texts, HANT))

    @override
    def __len__(self) -> int:
        return len(self._texts) + 1


@lru_cache(maxsize=1)
def _characters() -> OpenCC:
    return OpenCC("s2tw")
