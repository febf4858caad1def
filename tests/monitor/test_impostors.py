"""Who is called like us? Look-alike letters, separators and words such as "support"; and who is not."""

from __future__ import annotations

import pytest

from channels.monitor.impostors import MOST_ANSWERED, OUR_NAME, US, WITH_SUPPORT, Impostors, skeleton, why

OURS = ("Demo Exchange", "演示交易所", "DemoExchange")


@pytest.mark.parametrize(
    ("called", "reason"),
    [
        (("Demo Exchange", "someone77"), OUR_NAME),
        (("Li", "demo_exchange"), OUR_NAME),
        (("Dem0 Exchange", "a"), OUR_NAME),  # a figure
        (("D.e.m.o-E.x.c.h.a.n.g.e", "a"), OUR_NAME),  # separators
        (("Dеmо Ехсhаngе", "a"), OUR_NAME),  # Cyrillic
        (("ΔΕΜΟ", "Demο Exchαnge"), OUR_NAME),  # Greek
        (("Ｄｅｍｏ　Ｅｘｃｈａｎｇｅ", "a"), OUR_NAME),  # full width
        (("Dėmó Êxçhàñge", "a"), OUR_NAME),  # accents
        (("𝐃𝐞𝐦𝐨 𝐄𝐱𝐜𝐡𝐚𝐧𝐠𝐞", "a"), OUR_NAME),  # mathematical letters
        (("De\u200bmo Ex\u00adchange", "a"), OUR_NAME),  # characters that are not seen
        (("Demo Exchange ✅", "a"), OUR_NAME),
        (("Demo Exchange Support", "a"), WITH_SUPPORT),
        (("Li", "DemoExchange_Care@far.example"), WITH_SUPPORT),
        (("Demo Exchange", "0fficial_desk"), WITH_SUPPORT),
        (("Demo Exchange Recovery", "a"), WITH_SUPPORT),
        (("Demo Exchange Support – scam recovery team", "a"), WITH_SUPPORT),
        (("Official Demo Exchange fraud desk", "a"), WITH_SUPPORT),
        (("Li", "demoexchangesupport"), WITH_SUPPORT),
        (("Li", "demoexchangecustomerservice01"), WITH_SUPPORT),
        (("Li", "DemoExchangeHelp"), WITH_SUPPORT),
        (("Demo Exchange S.u.p.p.o.r.t", "a"), WITH_SUPPORT),
        (("Demo Exchange’s team", "a"), WITH_SUPPORT),
        (("演示交易所", "a"), OUR_NAME),
        (("演示交易所官方客服", "a"), WITH_SUPPORT),
        (("演示 交易所 在线服务", "a"), WITH_SUPPORT),
        (("Demo Exchange Victims", "a"), None),
        (("demoexchange_scammed_me", "a"), None),
        (("演示交易所受害者", "a"), None),
        (("演示交易所客服 防骗", "a"), WITH_SUPPORT),
        (("Demo Exchange Scam Recovery", "a"), None),
        (("Scared of Demo Exchange", "a"), None),
        (("Careful: Demo Exchange scam", "a"), None),
        (("helpless DemoExchange victim", "a"), None),
        (("Demo Exchange steam", "a"), OUR_NAME),
        (("Demo Exchange refund my money", "a"), None),
        (("被Demo Exchange骗 求帮助", "a"), None),
        (("Help Demo Exchange stole my coins", "a"), None),
        (("Demo Exchange help me get my money", "a"), None),
        (("Demo Exchange victims", "help_me"), None),
        (("Against Demo Exchange", "care4all"), None),
        (("Refund Demo Exchange", "a"), OUR_NAME),
        (("Crypto Support", "help_desk"), None),
        (("Li", "user77"), None),
        (("Demo", "exchange"), None),
        (("", ""), None),
    ],
)
def test_by_what_it_is_called(called: tuple[str, str], reason: str | None) -> None:
    assert why(called, OURS) == reason


@pytest.mark.parametrize(
    ("called", "reason"),
    [
        (("OKX Support", "a"), WITH_SUPPORT),
        (("a", "okxhelp"), WITH_SUPPORT),
        (("a", "help0kx"), WITH_SUPPORT),
        (("OKX客服", "a"), WITH_SUPPORT),
        (("a", "okxrefund"), WITH_SUPPORT),
        (("OKX scared me", "a"), None),
        (("a", "OkxDaily"), OUR_NAME),
        (("0KX", "a"), OUR_NAME),
        (("bookx", "look_xy"), None),
        (("Brookxville Help", "a"), None),
    ],
)
def test_a_short_name_counts_only_as_a_word(called: tuple[str, str], reason: str | None) -> None:
    assert why(called, ["OKX"]) == reason


def test_a_name_that_everybody_has_is_none_of_ours() -> None:
    assert why(("Support", "support"), ["support", "", "-", "x"]) is None


def test_a_name_with_i_l_and_1_is_one_name() -> None:
    assert skeleton("Bit1ink") == skeleton("BitIink") == skeleton("BITLINK") == skeleton("bit|ink")


def posing(envelope: object = None, answers: object = ("7",), **more: object) -> object:
    told = {"name": "Demo Exchange Help", "handle": "dxh", "link": "https://x.example/1", "before_us": False, **more}
    return Impostors({"en": "Demo Exchange"}, (), "ours").posing(envelope or {}, answers=answers, **told)  # type: ignore[arg-type]


def test_whoever_answers_nobody_is_not_looked_at() -> None:
    assert posing(answers=()) is None
    assert posing(answers=(None, "", 7)) is None
    assert posing(answers=(), before_us=True) is not None


def test_whom_it_answers_is_told_as_keys_once_each_and_not_without_end() -> None:
    found = posing(answers=("7", "7", *(str(each) for each in range(100, 300))))
    assert found is not None
    assert found.answers[:2] == ("ours:7", "ours:100")  # type: ignore[attr-defined]
    assert len(found.answers) == MOST_ANSWERED  # type: ignore[attr-defined]
    assert found.who == "Demo Exchange Help (@dxh)"  # type: ignore[attr-defined]


def test_our_account_s_own_names_count_as_they_were_when_the_post_came() -> None:
    renamed = {"name": "Brandnew Markets Help", "handle": "b"}
    assert posing(**renamed) is None
    assert posing({US: ["Brandnew Markets", 3, None]}, **renamed) is not None
    assert posing({US: "Brandnew Markets"}, **renamed) is None
