"""Answers as multipart/alternative: the same words twice, and no link but ours."""

from __future__ import annotations

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP, default
from html.parser import HTMLParser
from typing import override

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.mail.body import as_html, fill
from channels.mail.html_text import to_text
from tests.letters import html_text, plain_text

OURS = "https://desk.example"


def filled(text: str, language: str = "en", seed: str = "<1@desk.example>") -> EmailMessage:
    mail = EmailMessage(policy=SMTP)
    fill(mail, text, language, OURS, seed)
    return message_from_bytes(mail.as_bytes(), policy=default)


def hrefs(page: str) -> list[str]:
    found: list[str] = []

    class Links(HTMLParser):
        @override
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.extend(value or "" for name, value in attrs if name in ("href", "src"))

    Links().feed(page)
    return found


def test_the_plain_form_comes_first_and_the_last_one_is_html() -> None:
    mail = filled("您好，\n\n我们正在核实。", "zh-CN")
    assert mail.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    assert plain_text(mail) == "您好，\n\n我们正在核实。\n"
    assert '<html lang="zh-CN">' in html_text(mail)
    assert html_text(mail).count("<p ") == 2


def test_one_message_id_gives_one_boundary_and_another_a_different_one() -> None:
    assert filled("a").get_boundary() == filled("b").get_boundary()
    assert filled("a").get_boundary() != filled("a", seed="<2@desk.example>").get_boundary()


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("See https://desk.example/track/RD-1/abc_-1.", [f"{OURS}/track/RD-1/abc_-1"]),
        ("查询：https://desk.example/track/RD-1/abc。谢谢", [f"{OURS}/track/RD-1/abc"]),
        ("https://desk.example/help?lang=zh&q=1", [f"{OURS}/help?lang=zh&q=1"]),
        ("https://desk.example", [OURS]),
        ("https://desk.example.evil.example/track", []),
        ("https://desk.example@evil.example/", []),
        ("https://desk.example:8443/track", []),
        ("https://evil.example/https-desk", []),
        ("javascript:alert(1) http://desk.example/", []),
        ("<a href='https://evil.example'>here</a>", []),
    ],
)
def test_only_our_own_addresses_become_links(text: str, links: list[str]) -> None:
    assert hrefs(as_html(text, "en", OURS)) == links


@given(st.text(max_size=300))
def test_html_says_what_the_plain_form_says(text: str) -> None:
    mail = filled(text)
    page = html_text(mail)
    assert not [address for address in hrefs(page) if not address.startswith(OURS)]
    assert "".join(to_text(page).split()) == "".join(plain_text(mail).split())


@pytest.mark.parametrize("text", ["x" * 200_000, "https://desk.example/" * 10_000, "\n" * 50_000, "<" * 50_000])
def test_a_long_text_is_no_burden(text: str) -> None:
    assert plain_text(filled(text)).strip("\n") == text.strip("\n")
