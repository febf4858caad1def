"""The public help: found by words, prefixes and meaning, in both languages; votes and gaps are counted."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import httpx
import pytest

from bot.script import script_of
from bot.understanding.knowledge.topics import TOPICS
from escalation.help import repository
from escalation.help.repository import GapGroup, Votes
from escalation.help.routes import SEARCHES, VOTES
from tests.conftest import MovedClock
from tests.help.conftest import Help

NONSENSE = "qwzx vbnm"


async def page(pages: Help, path: str, **headers: str) -> httpx.Response:
    async with pages.visitor() as visitor:
        return await visitor.get(path, **headers)


async def gaps(pages: Help) -> list[GapGroup]:
    return list(await pages.store.read(lambda connection: repository.gap_groups(connection, 50)))


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("提现", "提现处理中或未到账"),
        ("提現", "提现处理中或未到账"),
        ("手续费", "手续费与限额"),
        ("withdr", "提现处理中或未到账"),
        ("how do i get my coins to my ledger", "如何提现到钱包"),
    ],
)
async def test_one_word_a_prefix_and_a_question_of_the_other_language_find(pages: Help, query: str, title: str) -> None:
    async with pages.visitor() as visitor:
        found = await visitor.client.get("/help", params={"q": query, "lang": "zh"})
    assert found.status_code == 200
    assert title in found.text
    assert "找到" in found.text


async def test_the_front_page_shows_every_topic_with_its_articles_in_the_language_of_the_browser(pages: Help) -> None:
    english, chinese = await page(pages, "/help"), await page(pages, "/help", **{"accept-language": "zh-CN,en;q=0.5"})
    for text, language, word in ((english.text, "en", "Deposits"), (chinese.text, "zh", "充值")):
        assert word in text
        for topic in TOPICS:
            assert f'id="topic-{topic}"' in text
        for id in pages.knowledge.ids():
            article = pages.knowledge.article(id, "en" if language == "en" else "zh")
            assert (f"/help/{id}?lang={language}" in text) or article.since


async def test_pages_work_without_scripts_cookies_or_anything_from_elsewhere(pages: Help) -> None:
    for path in ("/help", "/help?q=fees", "/help/fees", "/notices"):
        answer = await page(pages, path)
        assert answer.status_code == 200
        assert "<script" not in answer.text
        assert "set-cookie" not in answer.headers
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-frame-options"] == "DENY"


async def test_an_article_has_its_steps_its_relatives_and_the_way_to_the_chat(pages: Help) -> None:
    answer = await page(pages, "/help/how_to_withdraw?lang=en")
    assert "<ol><li>Open the withdrawal page" in answer.text
    for relative in pages.knowledge.related("how_to_withdraw", "en"):
        assert relative.group == "withdrawals"
        assert f'/help/{relative.id}?lang=en"' in answer.text
    assert 'href="/"' in answer.text
    assert "如何提现到钱包" in (await page(pages, "/help/how_to_withdraw?lang=zh")).text


@pytest.mark.parametrize("path", ["/help/no_such", "/help/fees.en", "/help/%00"])
async def test_an_unknown_article_is_a_page_that_says_so(pages: Help, path: str) -> None:
    answer = await page(pages, path)
    assert answer.status_code == 404
    assert "no such article" in answer.text or "nothing at this address" in answer.text


async def test_the_library_is_read_in_traditional_characters(pages: Help) -> None:
    taiwan = {"accept-language": "zh-TW,zh;q=0.9,en;q=0.5"}
    for path, words in (("/help", "提現"), ("/help/fees", "手續費與限額"), ("/help?q=提現", "提現處理中或未到帳")):
        shown = (await page(pages, path, **taiwan)).text
        assert '<html lang="zh-Hant">' in shown
        assert words in shown
        assert script_of(re.sub("<[^>]*>", "", shown)) == "zh-Hant"
    english = (await page(pages, "/help?lang=en", **taiwan)).text
    assert "?lang=zh-Hant" in english
    feed = await page(pages, "/notices.atom?lang=zh-Hant")
    assert script_of(feed.text) == "zh-Hant"


async def test_markup_in_a_query_stays_text(pages: Help) -> None:
    async with pages.visitor() as visitor:
        answer = await visitor.client.get("/help", params={"q": '"><img src=x onerror=alert(1)> {{7*7}}'})
    assert "<img" not in answer.text
    assert "&lt;img src=x" in answer.text


async def test_a_search_without_a_good_result_is_a_gap_masked_and_counted(pages: Help, clock: MovedClock) -> None:
    async with pages.visitor() as visitor:
        for query in (NONSENSE, f"{NONSENSE.upper()}!", f"{NONSENSE} someone@example.org"):
            clock.move(minutes=1)
            await visitor.client.get("/help", params={"q": query, "lang": "en"})
        await visitor.client.get("/help", params={"q": "withdraw"})
        await visitor.client.get("/help", params={"q": "?"})
    masked, twice = await gaps(pages)
    assert masked.text == f"{NONSENSE} [email]"
    assert (twice.times, twice.text, twice.why, twice.label, twice.language) == (
        2,
        f"{NONSENSE.upper()}!",
        "search",
        None,
        "en",
    )


async def test_a_vote_is_counted_and_thanked_for(pages: Help) -> None:
    async with pages.visitor() as visitor:
        yes = await visitor.client.post("/help/fees/yes?lang=zh")
        assert yes.status_code == 303
        assert "很高兴" in (await visitor.get(yes.headers["location"])).text
        no = await visitor.client.post("/help/fees/no?lang=en&q=why+so+much")
        assert "Open the chat" in (await visitor.get(no.headers["location"])).text
        await visitor.client.post("/help/fees/no")
        for wrong in ("/help/fees/maybe", "/help/no_such/yes"):
            assert (await visitor.client.post(wrong)).status_code == 404
        elsewhere = {"sec-fetch-site": "cross-site", "origin": "https://evil.example"}
        assert (await visitor.client.post("/help/fees/yes", headers=elsewhere)).status_code == 403
        assert (await visitor.get("/help/fees/yes")).status_code == 405
    assert await pages.store.read(repository.votes) == [Votes(article="fees", helped=1, unhelped=2)]
    (gap,) = await gaps(pages)
    assert (gap.text, gap.why, gap.article, gap.label) == ("why so much", "unhelped", "fees", "fees_limits")


async def test_one_place_cannot_ask_without_end(pages: Help, clock: MovedClock) -> None:
    async with pages.visitor() as visitor:
        for _ in range(SEARCHES[0]):
            assert (await visitor.get("/help?q=fees")).status_code == 200
        stopped = await visitor.get("/help?q=fees")
        assert stopped.status_code == 429
        assert stopped.headers["retry-after"] == "60"
        assert (await visitor.get("/help")).status_code == 200
        for _ in range(VOTES[0]):
            await visitor.client.post("/help/fees/yes")
        assert (await visitor.client.post("/help/fees/yes")).status_code == 429
        clock.move(minutes=11)
        assert (await visitor.get("/help?q=fees")).status_code == 200
        assert (await visitor.client.post("/help/fees/yes")).status_code == 303


async def test_notices_are_listed_newest_first_with_their_days_and_as_a_feed(pages: Help) -> None:
    notices = pages.knowledge.notices("en")
    assert notices
    listed = (await page(pages, "/notices?lang=en")).text
    places = [listed.index(f'id="notice-{one.id}"') for one in notices]
    assert places == sorted(places)
    assert [one.since for one in notices] == sorted((one.since for one in notices if one.since), reverse=True)
    for notice in notices:
        assert notice.since is not None
        assert f'datetime="{notice.since.isoformat()}"' in listed
    feed = await page(pages, "/notices.atom?lang=zh")
    assert feed.headers["content-type"].startswith("application/atom+xml")
    atom = "{http://www.w3.org/2005/Atom}"
    titles = [entry.findtext(f"{atom}title") for entry in ElementTree.fromstring(feed.text).iter(f"{atom}entry")]
    assert titles == [one.title for one in pages.knowledge.notices("zh")]
