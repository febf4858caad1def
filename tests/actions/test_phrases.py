"""Turns of speech that decide while a question is pending."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions import phrases


@pytest.mark.parametrize(
    "text",
    [
        "I don't know", "i dont know sorry", "no idea", "skip", "Skip this please", "not sure", "I can't find it",
        "idk", "n/a", "none", "I don't have the hash", "no, I don't know", "next question", "I forgot",
        "不知道", "我也不知道", "不清楚呢", "没有", "没有这个", "跳过", "忘了", "找不到在哪", "我记不清了", "暂时没有",
        "不好意思，不知道", "不記得了", "無",
    ],
)  # fmt: skip
def test_the_user_cannot_say(text: str) -> None:
    assert phrases.says_unknown(text)


@pytest.mark.parametrize(
    "text",
    [
        "I don't know why you froze it, it says error 500", "TRC20", "nothing arrived since Monday", "no", "500 USDT",
        "没有到账", "不知道为什么一直显示处理中", "找不到提现按钮，页面是空白的", "没有收到验证码", "TRC20 吧",
    ],
)  # fmt: skip
def test_something_is_said_after_all(text: str) -> None:
    assert not phrases.says_unknown(text)


@pytest.mark.parametrize(
    ("text", "loudly"),
    [
        ("hello", False), ("Hello!", False), ("hi there", True), ("hello?", True), ("Hello??", True),
        ("anyone there?", True), ("are you there", True), ("is anybody here?", True), ("hello hello", False),
        ("你好", False), ("在吗", True), ("在嗎？", True), ("人呢", True), ("人呢？？", True), ("有人吗", True),
        ("喂", True), ("还在吗", True), ("哈喽", False), ("有没有人", True), ("人去哪了", True),
    ],
)  # fmt: skip
def test_somebody_calls(text: str, loudly: bool) -> None:
    assert phrases.is_calling(text)
    assert phrases.is_calling_loudly(text) == loudly


@pytest.mark.parametrize(
    "text",
    [
        "hello, my deposit is missing",
        "转人工",
        "你好，提现没到账",
        "there is a problem",
        "人工呢",
        "a person please",
        "",
    ],
)
def test_a_matter_or_a_wish_is_no_call(text: str) -> None:
    assert not phrases.is_calling(text)


@pytest.mark.parametrize(
    "text",
    [
        "no, it was TRC20", "Actually it was ERC20", "sorry, I meant 500 USDT", "it should be BTC",
        "not ERC20 but TRC20", "不是，是TRC20", "应该是ERC20", "我说错了，是500U", "填错了，BTC", "不對，是波場",
        "其实是TRC20",
    ],
)  # fmt: skip
def test_something_is_taken_back(text: str) -> None:
    assert phrases.is_correction(text)


@pytest.mark.parametrize(
    "text", ["TRC20", "500 USDT", "it was TRC20", "走的波场", "another one is 200 USDT", "是TRC20"]
)
def test_something_is_added(text: str) -> None:
    assert not phrases.is_correction(text)


@pytest.mark.parametrize(
    ("text", "value", "denied"),
    [
        ("not ERC-20 but TRC20", "ERC20", True),
        ("not ERC-20 but TRC20", "TRC20", False),
        ("不是ERC20，是TRC20", "ERC20", True),
        ("不是ERC20，是TRC20", "TRC20", False),
        ("I did not use the ERC20 network", "ERC20", False),
        ("it wasn't on ERC20", "ERC20", True),
        ("没用 BEP20", "BEP20", True),
        ("no, it was TRC20", "TRC20", False),
    ],
)
def test_which_value_is_taken_back(text: str, value: str, denied: bool) -> None:
    assert phrases.denies(text, value) == denied


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("how much are the fees?", True), ("what is a memo", True), ("the deposit of yesterday", False),
        ("手续费多少", True), ("怎么提现", True), ("我的提现没到账", False), ("可以改密码吗", True),
        ("请问多久能到", True),
        ("it says error 500", False), ("提示人脸识别失败", False),
    ],
)  # fmt: skip
def test_a_question_is_told_from_a_statement(text: str, asks: bool) -> None:
    assert phrases.is_question(text) == asks


@given(st.text(max_size=3000), st.text(max_size=60))
def test_no_text_breaks_the_reading(text: str, value: str) -> None:
    for read in (phrases.says_unknown, phrases.is_calling, phrases.is_correction, phrases.is_question):
        assert read(text) in (True, False)
    assert phrases.denies(text, value) in (True, False)
