"""简体 or 繁體? Told by the characters that only one of them has; a text without any does not tell."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.script import for_models, script_of


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("提现三天没到账", "zh"),
        ("提現三天沒到帳", "zh-Hant"),
        ("我嘅錢未到", "zh-Hant"),
        ("到了嗎", "zh-Hant"),
        ("请问", "zh"),
        ("好的", None),
        ("皇后、台北、公里、干杯", None),
        ("USDT 0x9f8e", None),
        ("", None),
        ("貴平台回覆「您的账户」，但我的帳戶還是無法登入", "zh-Hant"),
        ("這这", None),
    ],
)
def test_the_script_of_a_text(text: str, script: str | None) -> None:
    assert script_of(text) == script


@given(st.text())
def test_any_text_can_be_asked(text: str) -> None:
    assert script_of(text) in ("zh", "zh-Hant", None)
    assert len(for_models(text)) == len(text)


def test_a_huge_text_is_read_in_no_time() -> None:
    script_of("热身")
    began = time.perf_counter()
    assert script_of("錢還沒到" * 250_000) == "zh-Hant"
    assert time.perf_counter() - began < 0.5


def test_the_models_read_simplified() -> None:
    assert for_models("我的提現還沒到帳") == "我的提现还没到帐"
    for text in ("我的提现“还”没到", "My withdrawal ｉｓ missing", ""):
        assert for_models(text) == text
