"""In which language is answered: the message's own, another one that is asked for, or the one spoken so far."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.speaking import is_only_a_wish, language_to_speak, wished_language
from bot.understanding.reading import read


@pytest.mark.parametrize(
    ("text", "wished", "only"),
    [
        ("English please", "en", True),
        ("english", "en", True),
        ("Can you speak English?", "en", True),
        ("please reply in English", "en", True),
        ("I don't speak Chinese", "en", True),
        ("请用英文", "en", True),
        ("可以用英文回复吗？", "en", True),
        ("請用英文回覆", "en", True),
        ("说英语", "en", True),
        ("can you speak chinese", "zh", True),
        ("Chinese please!", "zh", True),
        ("说中文", "zh", True),
        ("請說中文", "zh", True),
        ("能说中文吗", "zh", True),
        ("麻烦用中文回答，谢谢", "zh", True),
        ("看不懂英文", "zh", True),
        ("中文", "zh", True),
        ("请用英文回复，我的提现没到账", "en", False),
        ("my deposit is missing, please answer in Chinese", "zh", False),
        ("I found your English site", None, False),
        ("英文版App打不开", None, False),
        ("my order on the Chinese page failed", None, False),
        ("不要说英文", None, False),
        ("提现没到账", None, False),
        ("", None, False),
    ],
)
def test_a_wish_for_a_language(text: str, wished: str | None, only: bool) -> None:
    assert wished_language(text) == wished
    assert is_only_a_wish(text) == only


@pytest.mark.parametrize(
    ("text", "spoken", "wanted"),
    [
        ("我的提现没到账", None, "zh"),
        ("my withdrawal is missing", None, "en"),
        ("hello", None, "en"),
        ("ok", "zh", "zh"),
        ("USDT", "zh", "zh"),
        ("TRC20", "en", "en"),
        ("my withdrawal is missing", "zh", "en"),
        ("还没到", "en", "zh"),
        ("好", "en", "zh"),
        ("iPhone 15 Pro Max", "zh", "zh"),
        ("GET /v3/klines", "zh", "zh"),
        ("it was the Pro Max", "zh", "en"),
        ("12345", "zh", "zh"),
        ("12345", None, "en"),
        ("code [code removed]", "zh", "zh"),
        ("my code: [已隐去验证码]", "en", "en"),
        ("请用英文", "zh", "en"),
        ("speak Chinese please", "en", "zh"),
        ("我的提現沒到帳", None, "zh-Hant"),
        ("我的提現沒到帳", "zh", "zh-Hant"),
        ("我的提现没到账", "zh-Hant", "zh"),
        ("好的", "zh-Hant", "zh-Hant"),
        ("USDT", "zh-Hant", "zh-Hant"),
        ("好的", "zh", "zh"),
        ("好的", "en", "zh"),
        ("my withdrawal is missing", "zh-Hant", "en"),
        ("訂單 8812 顯示「提现失败」，請問為什麼", "zh-Hant", "zh-Hant"),
        ("密碼是 [已隐去密码]", "zh-Hant", "zh-Hant"),
        ("[已隐去密码]", "zh-Hant", "zh-Hant"),
        ("請用中文", "en", "zh-Hant"),
        ("请用繁体中文回复", "zh", "zh-Hant"),
        ("請用簡體字", "zh-Hant", "zh"),
        ("Traditional Chinese please", "en", "zh-Hant"),
        ("繁體", "en", "zh-Hant"),
    ],
)
def test_the_language_of_the_answer(text: str, spoken: str | None, wanted: str) -> None:
    assert language_to_speak(text, read(text).language, spoken) == wanted


@pytest.mark.parametrize("spoken", ["zh", "zh-Hant"])
def test_the_title_of_a_button_does_not_choose_the_script(spoken: str) -> None:
    for title in ("转人工客服", "轉人工客服"):
        assert language_to_speak(title, "zh", spoken, pressed=True) == spoken


@given(st.text(max_size=400))
def test_no_text_breaks_it(text: str) -> None:
    assert language_to_speak(text, read(text).language, None) in ("en", "zh", "zh-Hant")
    assert is_only_a_wish(text) <= (wished_language(text) is not None)
