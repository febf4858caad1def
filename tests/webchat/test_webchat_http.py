"""Sessions, history, the widget's files and the chat page over real HTTP."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.webchat.client import greeted, new_session
from tests.webchat.desk import LISTED_SITE, WEBCHAT, RunningChat, running_chat

JSON = {"Content-Type": "application/json"}


@pytest.fixture
async def http(chat: RunningChat) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=chat.url, trust_env=False) as client:
        yield client


def bearer(session: dict[str, str]) -> dict[str, str]:
    return {"Authorization": f"Bearer {session['session']}.{session['secret']}"}


async def test_a_session_is_made_by_the_server(http: httpx.AsyncClient) -> None:
    first = await http.post("/chat/session", json={})
    chosen = await http.post("/chat/session", json={"session": "mine", "secret": "chosen"})
    assert first.status_code == chosen.status_code == 200
    assert first.headers["cache-control"] == "no-store"
    assert len({first.json()["session"], chosen.json()["session"], "mine"}) == 3


async def test_a_valid_session_is_renewed_and_a_forged_one_replaced(http: httpx.AsyncClient) -> None:
    session = (await http.post("/chat/session", json={})).json()
    assert (await http.post("/chat/session", json=session)).json() == session
    forged = (await http.post("/chat/session", json={**session, "secret": "x"})).json()
    assert forged["session"] != session["session"]


async def test_nothing_is_stored_before_the_first_message(chat: RunningChat, http: httpx.AsyncClient) -> None:
    await http.post("/chat/session", json={})
    async with greeted(chat, await new_session(chat)):
        pass
    assert chat.desk.inbox == []


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"{}", {"Content-Type": "text/plain"}, 415),
        (b"{}", {}, 415),
        (b"a=b", {"Content-Type": "application/x-www-form-urlencoded"}, 415),
        (b"{", JSON, 400),
        (b"[]", JSON, 400),
        (b"[" * 4000, JSON, 400),
        (b" " * 5000, JSON, 413),
        (b"{}", {**JSON, "Origin": "https://evil.example"}, 403),
        (b"{}", {**JSON, "Origin": "null"}, 403),
    ],
)
async def test_a_wrong_request_is_refused_with_a_sentence(
    http: httpx.AsyncClient, content: bytes, headers: dict[str, str], status: int
) -> None:
    for language, is_zh in (("en", False), ("zh-CN,zh;q=0.9", True)):
        answer = await http.post("/chat/session", content=content, headers={**headers, "Accept-Language": language})
        assert answer.status_code == status
        assert "access-control-allow-origin" not in answer.headers
        assert any("\u4e00" <= letter <= "\u9fff" for letter in answer.json()["message"]) is is_zh


async def test_get_makes_no_session(http: httpx.AsyncClient) -> None:
    assert (await http.get("/chat/session")).status_code == 405


async def test_history_in_pages_for_who_has_the_secret(chat: RunningChat, http: httpx.AsyncClient) -> None:
    session = await new_session(chat)
    for number in range(1, 503):
        chat.desk.say(session["session"], f"line {number}")
    first = await http.get("/chat/history", headers=bearer(session))
    page = first.json()
    assert (len(page["entries"]), page["more"], page["entries"][0]["text"]) == (500, True, "line 1")
    rest = (await http.get("/chat/history?after=500", headers=bearer(session))).json()
    assert ([entry["seq"] for entry in rest["entries"]], rest["more"]) == ([501, 502], False)


async def test_history_is_closed_to_everybody_else(chat: RunningChat, http: httpx.AsyncClient) -> None:
    mine, other = await new_session(chat), await new_session(chat)
    chat.desk.say(mine["session"], "confidential")
    wrong = [{}, bearer({**mine, "secret": other["secret"]}), {"Authorization": "Bearer"}, {"Authorization": "Basic x"}]
    for headers in wrong:
        answer = await http.get("/chat/history", headers=headers)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert "confidential" not in answer.text
    assert (await http.get("/chat/history", headers=bearer(other))).json()["entries"] == []


@pytest.mark.parametrize("after", ["-1", "x", "１", "99999999999999999999", "1.5"])
async def test_a_wrong_place_in_the_history_is_refused(chat: RunningChat, http: httpx.AsyncClient, after: str) -> None:
    answer = await http.get("/chat/history", params={"after": after}, headers=bearer(await new_session(chat)))
    assert answer.status_code == 400


async def test_only_listed_sites_may_read_answers_across_origins() -> None:
    paths = (("POST", "/chat/session"), ("OPTIONS", "/chat/session"), ("GET", "/widget/element.js"))
    async with running_chat() as chat, httpx.AsyncClient(base_url=chat.url, trust_env=False) as http:
        for method, path in paths:
            good = await http.request(method, path, content=b"{}", headers={**JSON, "Origin": LISTED_SITE})
            assert good.headers["access-control-allow-origin"] == LISTED_SITE
            assert "Origin" in good.headers["vary"]
            assert "access-control-allow-credentials" not in good.headers
            bad = await http.request(method, path, content=b"{}", headers={**JSON, "Origin": "https://evil.example"})
            assert "access-control-allow-origin" not in bad.headers
        asked = await http.options("/chat/history", headers={"Origin": LISTED_SITE})
        assert "Authorization" in asked.headers["access-control-allow-headers"]


async def test_every_file_of_the_widget_is_served_and_cached(http: httpx.AsyncClient) -> None:
    for path in (WEBCHAT / "widget").glob("*.js"):
        answer = await http.get(f"/widget/{path.name}")
        assert (answer.status_code, answer.content) == (200, path.read_bytes())
        assert answer.headers["content-type"].startswith("text/javascript")
        assert answer.headers["x-content-type-options"] == "nosniff"
        again = await http.get(f"/widget/{path.name}", headers={"If-None-Match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("name", ["page.html", "none.js", "..%2fchannel.py", "%2e%2e/settings.py", ".", "%00"])
async def test_nothing_else_is_served(http: httpx.AsyncClient, name: str) -> None:
    assert (await http.get(f"/widget/{name}")).status_code == 404


@pytest.mark.parametrize(
    ("query", "accepts", "language", "title"),
    [
        ("?lang=zh", "en", "zh-CN", "演示交易所在线客服"),
        ("?lang=en", "zh", "en", "Chat with Demo Exchange"),
        ("", "zh-CN,zh;q=0.9,en;q=0.1", "zh-CN", "演示交易所在线客服"),
        ("", "zh-TW,zh;q=0.9,en;q=0.1", "zh-Hant", "演示交易所線上客服"),
        ("?lang=zh-HK", "en", "zh-Hant", "演示交易所線上客服"),
        ("?lang=<script>", "fr,en;q=0.5", "en", "Chat with Demo Exchange"),
        ("", "", "en", "Chat with Demo Exchange"),
    ],
)
async def test_the_chat_page_speaks_the_visitors_language(
    http: httpx.AsyncClient, query: str, accepts: str, language: str, title: str
) -> None:
    page = await http.get(f"/chat{query}", headers={"Accept-Language": accepts})
    assert f'<html lang="{language}">' in page.text
    assert f"<title>{title}</title>" in page.text
    assert "<script>" not in page.text


@pytest.mark.parametrize(("accepts", "other"), [("zh-HK,en", "zh-Hant"), ("zh-CN,zh-TW", "zh"), ("en,de", "zh")])
async def test_the_chat_page_offers_chinese_in_the_script_that_the_browser_prefers(
    http: httpx.AsyncClient, accepts: str, other: str
) -> None:
    page = await http.get("/chat?lang=en", headers={"Accept-Language": accepts})
    assert f'href="/chat?lang={other}"' in page.text


async def test_the_chat_page_allows_nothing_inline_and_nothing_from_elsewhere(
    chat: RunningChat, http: httpx.AsyncClient
) -> None:
    page = await http.get("/chat")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert f"connect-src 'self' ws://127.0.0.1:{chat.port};" in policy
    assert "unsafe" not in policy
    assert " style=" not in page.text
    assert re.search(r"\son\w+=", page.text) is None
