"""Which language is a text built in?"""

from __future__ import annotations

import pytest

from bot.understanding.language import language_of


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Where is my deposit?", "en"),
        ("我的充值呢", "zh"),
        ("請問我的充值為什麼還沒到賬", "zh"),
        ("我的 withdraw 一直 pending，support 不回复", "zh"),
        ("USDT withdraw 一直 pending 怎么回事", "zh"),
        ("Why can't I withdraw? It says 提现失败", "en"),
        ("my UID is 12345678 and the memo says 备注", "en"),
        ("ok", "en"),
        ("在", "zh"),
        ("", None),
        ("12345678", None),
        ("0x52908400098527886E0F7030069857D2E4169EE7", None),
        ("https://www.exchange.example/withdraw", None),
        ("anna@mail.example", None),
        ("?!…🙂", None),
    ],
)
def test_language(text: str, language: str | None) -> None:
    assert language_of(text) == language
