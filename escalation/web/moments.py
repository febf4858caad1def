"""Times and spans as people write them. Times are said in UTC, because a reader's zone is not known here."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from babel.dates import format_date, format_datetime, format_timedelta

from bot.wording.traditional import HANT

LOCALES = {"en": "en_GB", "zh": "zh_Hans_CN", HANT: "zh_Hant_TW"}
_CHINESE = "y年M月d日 HH:mm 'UTC'"
_MOMENTS = {"en": "d MMM y, HH:mm 'UTC'", "zh": _CHINESE, HANT: _CHINESE}


def moment(at: datetime, language: str) -> str:
    """ "22 Nov 2026, 14:03 UTC" """
    return format_datetime(at.astimezone(UTC), _MOMENTS[language], locale=LOCALES[language])


def day(at: datetime, language: str) -> str:
    """ "22 November 2026" """
    return format_date(at.astimezone(UTC), format="long", locale=LOCALES[language])


def calendar_day(on: date, language: str) -> str:
    """ "22 November 2026", of a day that has no time"""
    return format_date(on, format="long", locale=LOCALES[language])


def span(length: timedelta, language: str) -> str:
    """A rough length of time, never less than a minute: "3 min", "2 hr"."""
    rounded = max(length, timedelta(minutes=1))
    return format_timedelta(rounded, granularity="minute", format="short", locale=LOCALES[language])
