"""Which day, and which length of time, does a text mean?"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.understanding.entities import find_entities

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
"""A Wednesday."""

DATES = [
    ("on 2026-11-03", "2026-11-03"),
    ("at 2026-11-03T14:30 sharp", "2026-11-03T14:30"),
    ("2026/11/3 14:30到的", "2026-11-03T14:30"),
    ("2026.11.3提现", "2026-11-03"),
    ("25/04/2026", "2026-04-25"),
    ("7/27/20 I ordered", "2020-07-27"),
    ("03/04/2026", "03/04/2026"),
    ("03.04.2026", "2026-04-03"),
    ("3 Nov 2026", "2026-11-03"),
    ("3rd of November", "2026-11-03"),
    ("November 3rd, 2025", "2025-11-03"),
    ("Dec 24", "2025-12-24"),
    ("Nov 28", "2026-11-28"),
    ("Nov 3 at 3pm", "2026-11-03T15:00"),
    ("since May", "2026-05"),
    ("since December", "2025-12"),
    ("in August of 2017", "2017-08"),
    ("since 2019, 3 times", "2019"),
    ("yesterday", "2026-11-24"),
    ("yesterday at 12:15 am", "2026-11-24T00:15"),
    ("the day before yesterday", "2026-11-23"),
    ("last night", "2026-11-24"),
    ("this morning", "2026-11-25"),
    ("last Tuesday", "2026-11-24"),
    ("last Wednesday", "2026-11-18"),
    ("on Wednesday", "2026-11-25"),
    ("on Friday", "2026-11-20"),
    ("next Monday", "2026-11-30"),
    ("last week", "2026-W47"),
    ("last month", "2026-10"),
    ("last year", "2025"),
    ("3 days ago", "2026-11-22"),
    ("two weeks ago", "2026-11-11"),
    ("a couple of months back", "2026-09-25"),
    ("an hour ago", "2026-11-25T11:00+00:00"),
    ("a few days ago", "a few days ago"),
    ("3-4 months ago", "3-4 months ago"),
    ("9999 years ago", "9999 years ago"),
    ("2026年11月3日", "2026-11-03"),
    ("2026年11月3日下午3点半转的", "2026-11-03T15:30"),
    ("2026年11月3号14:05充的", "2026-11-03T14:05"),
    ("二〇二六年十一月三日", "2026-11-03"),
    ("11月3日", "2026-11-03"),
    ("11月3號", "2026-11-03"),
    ("12月24日", "2025-12-24"),
    ("去年11月", "2025-11"),
    ("今年五月份", "2026-05"),
    ("5月以来", "2026-05"),
    ("上个月15号", "2026-10-15"),
    ("上個月", "2026-10"),
    ("20号充的", "2026-11-20"),
    ("28号充的", "2026-10-28"),
    ("2018年注册", "2018"),
    ("去年", "2025"),
    ("昨天", "2026-11-24"),
    ("昨晚", "2026-11-24"),
    ("昨晚8点转的", "2026-11-24T20:00"),
    ("前天", "2026-11-23"),
    ("大前天", "2026-11-22"),
    ("今早", "2026-11-25"),
    ("上周二", "2026-11-17"),
    ("上週二", "2026-11-17"),
    ("周五提的", "2026-11-20"),
    ("星期天", "2026-11-22"),
    ("上周", "2026-W47"),
    ("三天前", "2026-11-22"),
    ("3天前提现的", "2026-11-22"),
    ("两周前", "2026-11-11"),
    ("半个月前", "2026-11-10"),
    ("兩個月前", "2026-09-25"),
    ("一个半月前", "2026-10-10"),
    ("一年前", "2025-11-25"),
    ("半小时前", "2026-11-25T11:30+00:00"),
    ("几天前", "几天前"),
    ("一个多月前", "一个多月前"),
]
DURATIONS = [
    ("for 3 days", "3 d"),
    ("365 days", "365 d"),
    ("3-5 business days", "5 d"),
    ("24-48 hours", "48 h"),
    ("after 48h", "48 h"),
    ("two weeks and nothing", "2 wk"),
    ("waiting over a month", "1 mo"),
    ("half an hour", "0.5 h"),
    ("1.5 years", "1.5 y"),
    ("30mins", "30 min"),
    ("等了三天", "3 d"),
    ("3天了", "3 d"),
    ("半个月", "15 d"),
    ("两个多月", "2 mo"),
    ("一个半小时", "1.5 h"),
    ("快一周了", "1 wk"),
    ("24小時內", "24 h"),
    ("3到5个工作日", "5 d"),
    ("用了一年半", "1.5 y"),
    ("十二个小时", "12 h"),
    ("365天", "365 d"),
]
NEITHER = [
    "24/7 support", "open 7x24小时", "every day", "every 15 minutes", "每天", "I tend only", "coupled with",
    "18 years old", "one day I will", "$5 a day", "you may 3 times", "march 2 steps", "version 2026.11.3",
    "v3.11.2024", "app版本2026.1.3", "4.12.1", "1/2", "Monday to Friday", "every Monday", "几百年", "三五年", "第3天",
    "一号线", "每周三", "一天到晚", "账号3号", "31/31/2026", "2026-02-30", "13月", "in 2000 USDT terms", "周期", "前端",
    "天天", "百年", "3D验证", "3d secure", "sat there", "the second one",
]  # fmt: skip


def times_in(text: str) -> list[tuple[str, str]]:
    return [(one.kind, one.value) for one in find_entities(text, NOW) if one.kind in ("date", "duration")]


@pytest.mark.parametrize(("text", "expected"), DATES)
def test_dates(text: str, expected: str) -> None:
    assert times_in(text) == [("date", expected)]


@pytest.mark.parametrize(("text", "expected"), DURATIONS)
def test_durations(text: str, expected: str) -> None:
    assert times_in(text) == [("duration", expected)]


@pytest.mark.parametrize("text", NEITHER)
def test_what_is_neither(text: str) -> None:
    assert times_in(text) == []


def test_without_a_now_it_is_this_moment() -> None:
    (found,) = find_entities("today")
    assert abs((datetime.fromisoformat(found.value).replace(tzinfo=UTC) - datetime.now(UTC)).days) <= 1
