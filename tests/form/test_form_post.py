"""The form over real HTTP, without scripts: what is taken becomes a case, and what is not is given back."""

from __future__ import annotations

import asyncio
import html
import sqlite3
from contextlib import closing
from io import StringIO
from pathlib import Path

import httpx
import pytest
import structlog

from bot.script import script_of
from bot.store import engine
from tests.form.desk import HIDDEN, NUMBER, TELLING, FormDesk, form_desk, on_both

pytestmark = pytest.mark.asyncio(loop_scope="module")

PICTURE = b"\x89PNG\r\n\x1a\n" + b"proof" * 1000
WHOLE = {
    "description": "提现一直没有到账，客服没有人回复。\r\n第二行",
    "asset": "USDT",
    "network": "TRC20",
    "amount": "3200 USDT",
    "movement": "ab12" * 16,
    "happened": "2026-11-20",
    "loss": "3200 USDT",
    "remedy": "请完成提现",
    "name": "李梅",
    "uid": "10001",
    "postcode": "518000",
    "role": "representative",
    "represented": "王强",
}


@on_both
async def test_a_whole_form_becomes_a_case_with_its_facts_and_files(place: FormDesk) -> None:
    async with place.visitor() as visitor:
        page = await visitor.file(WHOLE, [("凭证.png", PICTURE), ("b.txt", b"second")], language="zh")
        [case] = await place.cases()
        assert NUMBER.search(page)
        assert case.number in page
        assert f"/track/{case.number}/" in page
        assert (case.label, case.language, case.status) == ("withdrawal_issue", "zh", "open")
        [received] = await place.received()
        assert received.outcome == "opened"
        for value in WHOLE.values():
            if value != "representative":
                assert value.replace("\r\n", "\n") in received.text
        assert "代他人提交的代理人" in received.text
        files = await place.evidence()
        assert [(file.filename, file.size) for file in files] == [("凭证.png", len(PICTURE)), ("b.txt", 6)]
        [conversation] = await place.conversations()
        assert conversation.owner == "queue"


@pytest.mark.parametrize(
    ("asked", "accepts", "language", "switch"),
    [
        ("", "zh-TW,zh;q=0.9,en;q=0.1", "zh-Hant", "lang=en"),
        ("&lang=en", "zh-HK,en", "en", "lang=zh-Hant"),
        ("&lang=en", "zh-CN,en", "en", "lang=zh"),
        ("&lang=en", "", "en", "lang=zh"),
        ("&lang=zh-Hant", "en", "zh-Hant", "lang=en"),
    ],
)
async def test_the_form_speaks_the_readers_script_and_offers_the_other_language(
    place: FormDesk, asked: str, accepts: str, language: str, switch: str
) -> None:
    async with place.visitor(**{"accept-language": accepts}) as visitor:
        page = await visitor.http.get(f"/form?class=withdrawal_issue{asked}")
    assert (page.status_code, page.headers["content-language"]) == (200, language)
    assert f'{switch}"' in html.unescape(page.text).split("<main")[0]
    assert script_of(page.text.split("<main")[1]) == (None if language == "en" else language)


async def test_in_traditional_characters_the_complaint_and_what_is_sent_are_too(place: FormDesk) -> None:
    async with place.visitor() as visitor:
        page = await visitor.file({"description": "提現一直沒有到帳"}, language="zh-Hant")
        await place.settled()
        [case] = await place.cases()
        [received] = await place.received()
        [conversation] = await place.conversations()
    assert (case.language, conversation.language) == ("zh-Hant", "zh-Hant")
    assert {script_of(page), script_of(received.text)} == {"zh-Hant"}


async def test_the_case_is_opened_when_the_bot_is_down(place: FormDesk) -> None:
    async with place.visitor() as visitor:
        place.rasa.mode = "error"
        page = await visitor.file(TELLING)
        [case] = await place.cases()
        assert case.number in page
        assert place.rasa.seen == []


@on_both
async def test_sent_twice_at_once_it_is_one_complaint(place: FormDesk) -> None:
    async with place.visitor() as visitor:
        token = await visitor.token()
        pages = await asyncio.gather(*(visitor.file(TELLING, [("a.png", PICTURE)], token=token) for _ in range(3)))
        [case] = await place.cases()
        assert all(case.number in page for page in pages)
        assert len(await place.received()) == 1
        assert len(await place.evidence()) == 1


async def test_what_is_corrected_after_going_back_joins_the_same_case(place: FormDesk) -> None:
    async with place.visitor() as visitor:
        token = await visitor.token()
        await visitor.file(TELLING, token=token)
        page = await visitor.file({"description": "I forgot: it was 300 USDT."}, token=token)
        [case] = await place.cases()
        assert case.number in page
        await place.settled()
        texts = [row.text for row in await place.received()]
        assert len(texts) == 2
        assert "I forgot" in texts[1]


async def test_something_is_added_by_the_link_of_the_receipt(place: FormDesk) -> None:
    async with place.visitor() as visitor:
        page = await visitor.file(TELLING)
        add = html.unescape(page).split('href="/form?add=')[1].split('"')[0]
        form = await visitor.http.get(f"/form?add={add}")
        token = HIDDEN.findall(form.text)[0]
        again = await visitor.file(
            {"description": "Here is the receipt.", "adds": "1"}, [("r.txt", b"r")], token=token, topic="unclassified"
        )
        [case] = await place.cases()
        assert case.number in again
        assert "Here is the receipt." in again
        assert case.label == "withdrawal_issue"
        assert [file.filename for file in await place.evidence()] == ["r.txt"]


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "Please describe what happened."),
        ("zh", "请说明发生了什么。"),
        ("zh-Hant", "請說明發生了什麼。"),
    ],
)
async def test_a_faulty_form_comes_back_with_all_that_was_typed_and_sent(
    place: FormDesk, language: str, sentence: str
) -> None:
    async with place.visitor() as visitor:
        given = {"name": 'Li "Mei" <b>', "email": "not an address", "description": " ", "amount": "3200 USDT"}
        answer = await visitor.send(given, [("a.png", PICTURE)], language=language)
        assert answer.status_code == 422
        assert sentence in answer.text
        assert 'href="#f-email"' in answer.text
        assert html.escape(given["name"]) in answer.text.replace("&#34;", "&quot;")
        assert "3200 USDT" in answer.text
        assert "a.png" in answer.text
        assert await place.cases() == []
        kept = answer.text.split('name="upload" value="')[1].split('"')[0]
        mended = {**given, "description": "It is missing.", "email": "", "upload": kept}
        await visitor.file(mended, token=HIDDEN.findall(answer.text)[0], language=language)
        assert [file.filename for file in await place.evidence()] == ["a.png"]


async def test_limits_are_said_and_nothing_is_stored(tmp_path: Path) -> None:
    async with form_desk(tmp_path, max_file_bytes=1000, max_files=2, max_characters=100) as place:
        async with place.visitor() as visitor:
            long = await visitor.send({"description": "x" * 101})
            assert long.status_code == 422
            assert "at most 100 characters" in long.text
            big = await visitor.send(TELLING, [("a", b"x" * 1001)])
            assert big.status_code == 422
            assert TELLING["description"] in big.text
            many = await visitor.send(TELLING, [(name, b"x") for name in "abc"])
            assert many.status_code == 422
            assert "more than 2 files" in many.text
            empty = await visitor.send(TELLING, [("a", b"")])
            assert empty.status_code == 422
            huge = await visitor.send(TELLING, [("a", b"x" * 1_100_000)])
            assert huge.status_code == 413
        assert await place.received() == []


async def test_nobody_else_posts_the_form(place: FormDesk) -> None:
    async with place.visitor() as visitor:
        for origin in ("https://evil.example", "null"):
            assert (await visitor.send(TELLING, headers={"origin": origin})).status_code == 403
        made_up = await visitor.send(TELLING, token="f1" + "A" * 24 + ".secret")
        assert made_up.status_code == 422
        assert TELLING["description"] in made_up.text
        trapped = await visitor.send({**TELLING, "website": "https://spam.example"})
        assert trapped.status_code == 422
        assert TELLING["description"] in trapped.text
        assert (await visitor.http.post("/form", content=b"{}", headers={"origin": place.url})).status_code == 400
        torn = b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\nno end"
        kind = {"origin": place.url, "content-type": "multipart/form-data; boundary=x"}
        assert (await visitor.http.post("/form", content=torn, headers=kind)).status_code == 400
        assert await place.received() == []


async def test_one_address_cannot_flood_and_the_others_are_not_hindered(tmp_path: Path) -> None:
    async with form_desk(tmp_path, forms_per_minute=2, proxies=["127.0.0.1"]) as place:
        async with place.visitor() as visitor:
            one, other = "203.0.113.5", "203.0.113.6"
            for _ in range(2):
                assert (await visitor.send(TELLING, headers={"x-forwarded-for": f"9.9.9.9, {one}"})).status_code == 303
            refused = await visitor.send(TELLING, headers={"x-forwarded-for": f"8.8.8.8, {one}"})
            assert refused.status_code == 429
            assert int(refused.headers["retry-after"]) > 0
            assert TELLING["description"] in refused.text
            assert (await visitor.send(TELLING, headers={"x-forwarded-for": other})).status_code == 303
        assert len(await place.cases()) == 3


async def test_when_nothing_can_be_stored_the_words_come_back_and_go_through_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another program has the database locked for longer than the desk waits."""
    monkeypatch.setattr(engine, "SQLITE_BUSY_MS", 300)
    async with form_desk(tmp_path) as place, place.visitor() as visitor:
        token = await visitor.token(language="zh")
        with closing(sqlite3.connect(place.folder / "redress.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            answer = await visitor.send(TELLING, token=token, language="zh")
            other.execute("ROLLBACK")
        given_back(answer, "尚未保存", token)
        assert await place.received() == []
        await visitor.file(TELLING, token=token)
        assert len(await place.cases()) == 1


async def test_a_desk_that_is_being_stopped_says_so(tmp_path: Path) -> None:
    async with form_desk(tmp_path) as place, place.visitor() as visitor:
        token = await visitor.token()
        form = place.channel
        await form.stop()
        assert form.deaf() is not None
        given_back(await visitor.send(TELLING, [("a.png", PICTURE)], token=token), "Not saved", token)
        assert await place.received() == []


def given_back(answer: httpx.Response, sentence: str, token: str) -> None:
    assert answer.status_code == 503
    assert sentence in answer.text
    assert TELLING["description"] in answer.text
    assert HIDDEN.findall(answer.text) == [token]


async def test_a_full_disk_for_files_still_takes_the_words(tmp_path: Path) -> None:
    async with form_desk(tmp_path, min_free_disk_bytes=2**60) as place, place.visitor() as visitor:
        answer = await visitor.send(TELLING, [("a.png", PICTURE)])
        assert answer.status_code == 422
        assert "without them" in answer.text
        assert TELLING["description"] in answer.text
        await visitor.file(TELLING)
        assert len(await place.cases()) == 1


async def test_secrets_do_not_reach_the_case_nor_the_page(place: FormDesk) -> None:
    async with place.visitor() as visitor:
        page = await visitor.file(
            {"description": "my password is Hunter2!x, please help", "asset": "my password is Zz8!kk"}
        )
        await place.settled()
        [received] = await place.received()
        assert "Hunter2" not in received.text + page
        assert "Zz8!kk" not in received.text + page
        assert "password removed" in received.text


async def test_a_receipt_opens_with_its_secret_only(place: FormDesk) -> None:
    async with place.visitor() as visitor:
        token = await visitor.token()
        await visitor.file(TELLING, token=token)
        wrong = token[:-1] + ("A" if token[-1] != "A" else "B")
        for path in (wrong, token.split(".")[0], "f1" + "A" * 24 + ".x"):
            assert (await visitor.http.get(f"/form/receipt/{path}")).status_code == 404
        assert (await visitor.http.get(f"/form/receipt/{token}")).status_code == 200
        unused = await visitor.token()
        assert (await visitor.http.get(f"/form/receipt/{unused}")).status_code == 404


async def test_no_word_of_it_is_logged(place: FormDesk, logged: StringIO, capfd: pytest.CaptureFixture[str]) -> None:
    async with place.visitor() as visitor:
        await visitor.file({**TELLING, "name": "Li Mei Unheard", "email": "unheard.of@mail.example"})
        await visitor.send({"description": "x", "email": "broken unheard"})
        assert len(await place.cases()) == 1
    structlog.get_logger().info("the_last_line")
    while "the_last_line" not in logged.getvalue():  # a thread of its own writes it
        await asyncio.sleep(0.01)
    said = logged.getvalue() + "".join(capfd.readouterr())
    for words in ("five days ago", "Unheard", "unheard"):
        assert words not in said
