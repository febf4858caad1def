"""Opting in by e-mail in two steps and out in one, on the public pages, each with its proof."""

from __future__ import annotations

import httpx
import pytest
from sqlalchemy import Connection

from escalation.broadcast.repository import subscriptions
from tests.broadcast.conftest import ONE_DATABASE, Cast, link_in
from tests.letters import plain_text

pytestmark = pytest.mark.asyncio(loop_scope="module")
ADDRESS = "li@user.example"
_NOTICES = (("en", "Fake apps", "Tomorrow"), ("zh", "假冒应用", "明天"), ("zh-Hant", "假冒應用", "明天"))
"""A language, what its page says, and what it does not."""


async def ask(cast: Cast, address: str = ADDRESS, language: str = "en", **fields: str) -> httpx.Response:
    async with cast.http() as http:
        answer = await http.post(f"/subscribe?lang={language}", data={"address": address, **fields})
    await cast.deliver()
    return answer


async def send(cast: Cast, method: str, path: str, **fields: str) -> httpx.Response:
    async with cast.http() as http:
        return await http.request(method, path, data=fields or None)


async def state(cast: Cast, address: str = ADDRESS) -> str | None:
    row = await cast.read(lambda c: subscriptions.find(c, "mail", address))
    return None if row is None else str(row.state)


async def proof(cast: Cast) -> list[tuple[str, str, str]]:
    def look(connection: Connection) -> list[tuple[str, str, str]]:
        row = subscriptions.find(connection, "mail", ADDRESS)
        assert row is not None
        return [deed[:3] for deed in subscriptions.deeds(connection, row.id)]

    found: list[tuple[str, str, str]] = await cast.read(look)
    return found


async def test_only_the_button_behind_the_link_of_the_mail_subscribes(cast: Cast) -> None:
    answer = await ask(cast, language="zh", zone="Asia/Shanghai")
    assert answer.status_code == 200
    [mail] = cast.mails()
    assert "List-Unsubscribe" not in mail
    link = link_in(mail, "confirm")
    assert (await send(cast, "GET", link)).status_code == 200
    assert await state(cast) == "asked"
    confirmed = await send(cast, "POST", link)
    assert (confirmed.status_code, "订阅成功" in confirmed.text) == (200, True)
    assert await state(cast) == "active"
    assert await proof(cast) == [("asked", "page", "192.0.2.7"), ("subscribed", "link", "192.0.2.7")]
    row = await cast.read(lambda c: subscriptions.find(c, "mail", ADDRESS))
    assert (row.language, row.time_zone) == ("zh", "Asia/Shanghai")


@ONE_DATABASE
async def test_a_reader_of_traditional_chinese_is_led_in_it_to_the_end(cast: Cast) -> None:
    async with cast.http() as http:
        form = await http.get("/subscribe", headers={"accept-language": "zh-TW"})
    assert ('<html lang="zh-Hant"' in form.text, "訂閱" in form.text, "订阅" in form.text) == (True, True, False)
    asked = await ask(cast, language="zh-Hant")
    [mail] = cast.mails()
    assert "請打開下面的頁面並點擊按鈕" in plain_text(mail)
    link = link_in(mail, "confirm")
    question, confirmed = await send(cast, "GET", link), await send(cast, "POST", link)
    for page in (asked, question, confirmed):
        assert '<html lang="zh-Hant"' in page.text
    assert "訂閱成功" in confirmed.text
    row = await cast.read(lambda c: subscriptions.find(c, "mail", ADDRESS))
    assert row.language == "zh-Hant"
    await cast.begin()
    await cast.go()
    leave = link_in(cast.mails()[-1], "leave")
    async with cast.http() as http:
        page = await http.get(leave)  # from a browser that prefers English: the link remembers
    assert '<html lang="zh-Hant"' in page.text


async def test_an_address_is_asked_once_a_day_and_every_answer_is_the_same(cast: Cast) -> None:
    await cast.subscribe("known@user.example")
    answers = [
        await ask(cast),
        await ask(cast),
        await ask(cast, ADDRESS.upper()),
        await ask(cast, "known@user.example"),
    ]
    assert len({(answer.status_code, answer.text) for answer in answers}) == 1
    assert cast.told() == [ADDRESS]
    cast.clock.move(hours=25)
    await ask(cast)
    assert cast.told() == [ADDRESS, ADDRESS]


@ONE_DATABASE
async def test_the_words_of_the_mail_are_ours_alone(cast: Cast) -> None:
    await ask(cast, zone="<b>Buy now</b>")
    [mail] = cast.mails()
    assert "Buy" not in mail.as_string()
    assert plain_text(mail).startswith("Somebody, probably you, asked for risk notices")


@ONE_DATABASE
@pytest.mark.parametrize("address", ["", "li", "li@local", "a@b.example\nBcc: c@d.example", "a b@c.example", "x" * 300])
async def test_what_is_no_address_is_asked_for_again(cast: Cast, address: str) -> None:
    answer = await ask(cast, address)
    assert (answer.status_code, cast.mails()) == (422, [])


@ONE_DATABASE
async def test_one_place_cannot_have_many_addresses_asked(cast: Cast) -> None:
    answers = [(await ask(cast, f"user{n}@user.example")).status_code for n in range(12)]
    assert answers == [200] * 10 + [429] * 2
    assert len(cast.mails()) == 10


async def test_one_click_leaves_without_cookie_and_the_link_asks_first(cast: Cast) -> None:
    await cast.subscribe(ADDRESS)
    await cast.begin()
    await cast.go()
    link = link_in(cast.mails()[0], "leave")
    page = await send(cast, "GET", link)
    assert (page.status_code, "<button" in page.text, await state(cast)) == (200, True, "active")
    assert "set-cookie" not in page.headers
    left = await send(cast, "POST", link, **{"List-Unsubscribe": "One-Click"})
    assert (left.status_code, await state(cast)) == (200, "ended")
    assert (await proof(cast))[-1] == ("unsubscribed", "one_click", "192.0.2.7")
    assert (await send(cast, "POST", link)).status_code == 200  # twice is harmless
    await cast.begin()
    await cast.go()
    assert len(cast.mails()) == 1


@ONE_DATABASE
async def test_one_click_as_a_multipart_form(cast: Cast) -> None:
    await cast.subscribe(ADDRESS)
    await cast.begin()
    await cast.go()
    link = link_in(cast.mails()[0], "leave")
    async with cast.http() as http:
        answer = await http.post(link, files={"List-Unsubscribe": (None, "One-Click")})
    assert (answer.status_code, await state(cast)) == (200, "ended")
    assert (await proof(cast))[-1][1] == "one_click"


@ONE_DATABASE
async def test_made_up_links_do_nothing(cast: Cast) -> None:
    await ask(cast)
    link = link_in(cast.mails()[0], "confirm").partition("?")[0]
    swapped = link.replace("/confirm/", "/leave/")
    for path in (link[:-1] + ("a" if link[-1] != "a" else "b"), swapped, "/subscription/confirm/x/y"):
        for method in ("GET", "POST"):
            assert (await send(cast, method, path)).status_code == 404
    assert await state(cast) == "asked"


@ONE_DATABASE
async def test_an_old_confirmation_neither_lasts_for_ever_nor_brings_back_who_left(cast: Cast) -> None:
    await ask(cast)
    link = link_in(cast.mails()[0], "confirm")
    cast.clock.move(days=8)
    assert (await send(cast, "POST", link)).status_code == 410
    await ask(cast)
    assert (await send(cast, "POST", link)).status_code == 410  # what was not confirmed was forgotten meanwhile
    link = link_in(cast.mails()[1], "confirm")
    assert (await send(cast, "POST", link)).status_code == 200
    await cast.leave(ADDRESS)
    assert (await send(cast, "POST", link)).status_code == 410
    assert await state(cast) == "ended"


async def test_an_address_that_nobody_confirmed_is_not_kept(cast: Cast) -> None:
    await ask(cast)
    cast.clock.move(days=8)
    await ask(cast, "ann@user.example")
    assert (await state(cast), await state(cast, "ann@user.example")) == (None, "asked")


@ONE_DATABASE
async def test_published_notices_stand_on_the_public_page_in_every_script(cast: Cast) -> None:
    await cast.begin()
    await cast.begin(kind="reminder", titles={"en": "Tomorrow", "zh": "明天"})
    for language, words, not_there in _NOTICES:
        for path in ("/notices", "/notices.atom"):
            page = (await send(cast, "GET", f"{path}?lang={language}")).text
            assert (words in page, not_there in page) == (True, False)
