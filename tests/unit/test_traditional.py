"""繁體 from 简体: the words of Taiwan and Hong Kong, nothing of 简体 left, and nothing touched that is no Chinese."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import catalogue
from bot.script import script_of
from bot.wording.traditional import HANT, traditional
from channels.monitor.sending import LONGER_IN_HANT
from channels.twitter.weight import weight

ROOT = Path(__file__).parents[2]
WORDS = catalogue.whole()
SENTENCES = [WORDS.say(key, "zh", **dict.fromkeys(WORDS.placeholders(key), "{gap}")) for key in sorted(WORDS.keys())]
ARTICLES = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "data" / "knowledge").glob("*.zh.md"))]
WIDGET = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "channels").glob("*/widget/strings.zh.js"))]
OURS = [*SENTENCES, *ARTICLES, *WIDGET]
CHARACTERS = sorted(set("".join(OURS)))
IDENTIFIERS = (
    "RD-7K2QM-9XW4P",
    "https://desk.example/track/RD-1/aB_c?lang=zh-Hant",
    "{number}",
    "USDT",
    "0x9f8eAb",
    "TRC20",
)


@pytest.mark.parametrize(
    ("simplified", "wanted"),
    [
        ("提现到账户", "提現到帳戶"),
        ("充值", "充值"),
        ("登录后打开链接", "登入後打開連結"),
        ("公链接收地址", "公鏈接收地址"),
        ("注册邮箱和手机号码", "註冊電子信箱和手機號碼"),
        ("换手机号了", "換手機號碼了"),
        ("通行密钥和 API 密钥", "通行密鑰和 API 金鑰"),
        ("在线客服发来一条信息", "線上客服發來一條訊息"),
        ("账户信息", "帳戶資訊"),
        ("一直没消息", "一直沒消息"),
        ("证明文件和导出文件", "證明文件和匯出檔案"),
        ("在余额里，十公里", "在餘額裡，十公里"),
        ("平台后台", "平台後台"),
        ("请点“是”", "請點「是」"),
        ("复核、回复、重复", "複核、回覆、重複"),
    ],
)
def test_words_of_an_exchange(simplified: str, wanted: str) -> None:
    assert traditional(simplified) == wanted


@pytest.mark.parametrize("text", OURS, ids=range(len(OURS)))
def test_what_we_say_has_nothing_of_the_other_script_and_is_not_converted_further(text: str) -> None:
    written = traditional(text)
    assert script_of(written) in (HANT, None)
    assert traditional(written) == written
    assert re.findall(r"{\w+}", written) == re.findall(r"{\w+}", text)


@given(st.lists(st.one_of(st.sampled_from(IDENTIFIERS), st.text(st.sampled_from(CHARACTERS), max_size=12))))
def test_identifiers_stay_as_they_are(pieces: list[str]) -> None:
    rest = traditional(" ".join(pieces))
    for identifier in (piece for piece in pieces if piece in IDENTIFIERS):
        before, found, rest = rest.partition(identifier)
        assert found, before


@given(st.text(st.characters(max_codepoint=0x2FF)))
def test_other_scripts_stay_as_they_are(text: str) -> None:
    assert traditional(text) == text


def test_every_sentence_is_there_and_what_fills_it_is_not_touched() -> None:
    said = WORDS.say("bot.noted", HANT, value="账户里的钱", fact="x")
    assert "账户里的钱" in said
    assert WORDS.say("case.none_here", HANT) == traditional(WORDS.say("case.none_here", "zh"))
    assert WORDS.written("账户", HANT) == "帳戶"
    assert WORDS.written("账户", "zh") == WORDS.written("账户", "en") == "账户"


def test_a_desk_that_nobody_asks_for_it_does_not_load_its_tables(tmp_path: Path) -> None:
    """They are as large as a fifth of the desk."""
    program = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from bot.bootstrap import build\n"
        "from bot.settings import Settings\n"
        "from bot.store.migrate import migrate\n"
        "from bot.wording.traditional import _characters\n"
        "from bot import script\n"
        "async def main():\n"
        "    settings = Settings(data_dir=Path(sys.argv[1]), rasa_url='http://127.0.0.1:1', rasa_secret='x' * 32)\n"
        "    migrate(settings.database)\n"
        "    build(settings)\n"
        "    script.script_of('My withdrawal is missing')\n"
        "asyncio.run(main())\n"
        "print(_characters.cache_info().currsize + script._telling.cache_info().currsize)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.split()[-1] == "0"


def test_a_sentence_in_it_is_hardly_longer() -> None:
    """So that nobody has to write it to know that it fits into a post."""
    replies = [key for key in sorted(WORDS.keys()) if key.endswith(".reply")]
    assert replies
    for key in replies:
        simplified, hant = (WORDS.say(key, language, link="") for language in ("zh", HANT))
        assert weight(hant) <= weight(simplified) + LONGER_IN_HANT
