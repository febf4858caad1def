"""What we say that we never ask for must leave out the one code that we do ask for, in both languages."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot import catalogue

ROOT = Path(__file__).parents[2]
PLACES = ("case.unread_text", "case.unread_text_case", "bot.solved_tip", "tracking.private")
EXCEPTION = {"en": "you requested", "zh": "您自己"}
VALUES = {"number": "RD-AAAAA-AAAAA", "link": "https://desk.example"}


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("key", PLACES)
def test_the_code_that_somebody_asked_for_is_named_as_the_exception(key: str, language: str) -> None:
    said = catalogue.whole().say(key, language, **VALUES)
    assert EXCEPTION[language] in said
    assert {"en": "conversation", "zh": "对话里"}[language] in said


def test_the_widget_and_the_article_name_it_too() -> None:
    strings = (ROOT / "channels/webchat/widget/strings.js").read_text(encoding="utf-8")
    assert "one you requested yourself in this very conversation" in strings
    chinese = (ROOT / "channels/webchat/widget/strings.zh.js").read_text(encoding="utf-8")
    assert "您自己在本对话中申请的验证码" in chinese
    for language, words in EXCEPTION.items():
        assert words in (ROOT / f"data/knowledge/phishing.{language}.md").read_text(encoding="utf-8")
