"""Each subscriber gets a notice once, by day, at a bearable rate, unless they leave or it is stopped first."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, func, select, update

from bot.store.broadcast_tables import Subscription
from bot.store.tables import Conversation, Note, Outbox
from channels.contract import Channel
from escalation.broadcast.repository import broadcasts
from escalation.broadcast.service import Faulty, NotAllowed, WrongState
from escalation.console.repository import conversation as shown
from escalation.console.repository import queue
from tests.broadcast.conftest import LI, ONE_DATABASE, SUE, TEXTS, TITLES, Cast, link_in, notice
from tests.letters import html_text, plain_text
from tests.mail.harness import deliver

pytestmark = pytest.mark.asyncio(loop_scope="module")
SAID = {
    **{language: (TITLES[language], TEXTS[language]) for language in TITLES},
    "zh-Hant": ("假冒應用", "請只從應用商店安裝我們的應用。"),
}
FIVE = [f"user{n}@user.example" for n in range(5)]


async def test_everybody_gets_it_once_in_their_language(cast: Cast) -> None:
    await cast.subscribe("li@user.example", "zh")
    await cast.subscribe("ann@user.example")
    await cast.subscribe("mei@user.example", "zh-Hant")
    broadcast_id = await cast.begin()
    for _ in range(3):
        await cast.go()
        cast.clock.move(seconds=5)
    by_address = {str(mail["To"]): mail for mail in cast.mails()}
    assert len(cast.mails()) == 3
    for address, language in (("li@user.example", "zh"), ("ann@user.example", "en"), ("mei@user.example", "zh-Hant")):
        mail = by_address[address]
        assert mail["Subject"] == SAID[language][0]
        assert SAID[language][1] in plain_text(mail)
        assert SAID[language][1] in html_text(mail)
    assert "您訂閱了我們的通知" in plain_text(by_address["mei@user.example"])
    states = await cast.states(broadcast_id)
    assert states == {address: ("sent", None) for address in by_address}
    assert (await cast.read(lambda c: broadcasts.get(c, broadcast_id))).state == "done"


@ONE_DATABASE
async def test_a_notice_says_that_it_is_bulk_and_how_to_leave(cast: Cast) -> None:
    await cast.subscribe("li@user.example")
    await cast.begin()
    await cast.go()
    [mail] = cast.mails()
    link = link_in(mail, "leave")
    assert mail["List-Unsubscribe"] == f"<https://desk.example{link}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert (mail["Precedence"], mail["Auto-Submitted"]) == ("bulk", "auto-generated")
    assert "notices@exchange.example" in mail["From"]
    assert mail["Reply-To"] == "complaints@exchange.example"
    assert "MAIL FROM:<complaints@exchange.example>" in " ".join(cast.relay.heard)


@ONE_DATABASE
async def test_an_answer_to_a_notice_begins_a_conversation_of_its_own(cast: Cast) -> None:
    await cast.subscribe("li@user.example")
    await cast.begin()
    await cast.go()
    [mail] = cast.mails()
    channel: Any = cast.desk.channels["mail"]
    await channel.start()
    answer = (
        f"From: li@user.example\r\nTo: {mail['Reply-To']}\r\nSubject: Re: {mail['Subject']}\r\n"
        f"Message-ID: <a@user.example>\r\nIn-Reply-To: {mail['Message-ID']}\r\n\r\nWhere is my money?\r\n"
    )
    assert (await deliver(channel, answer.encode())).startswith("250")
    await channel.stop()
    keys = await cast.read(lambda c: list(c.execute(select(Conversation.key, Conversation.last_seq)).all()))
    assert sorted(seq for key, seq in keys if key.startswith("news:")) == [1]
    assert len([key for key, _ in keys if not key.startswith("news:")]) == 1
    await cast.desk.turns.drain(5)


@ONE_DATABASE
async def test_it_is_in_no_queue_on_no_case_and_nobody_can_take_it_over(cast: Cast) -> None:
    await cast.subscribe("li@user.example")
    await cast.begin()
    await cast.go()

    def look(connection: Connection) -> None:
        [row] = connection.execute(select(Conversation.id, Conversation.case_id, Conversation.owner)).all()
        assert (row.case_id, row.owner) == (None, "broadcast")
        assert shown.find(connection, row.id) is None
        assert set(queue.counts(connection, "agent:1").values()) == {0}

    await cast.read(look)
    assert await cast.cases() == 0


@ONE_DATABASE
async def test_who_sleeps_gets_it_in_the_morning(cast: Cast) -> None:
    cast.clock.move(hours=6)  # 15:00 UTC, 23:00 in Shanghai
    await cast.subscribe("li@user.example", "zh", "Asia/Shanghai")
    await cast.subscribe("ann@user.example")
    broadcast_id = await cast.begin()
    await cast.go()
    assert cast.told() == ["ann@user.example"]
    assert (await cast.states(broadcast_id))["li@user.example"] == ("waiting", None)
    cast.clock.move(hours=8, minutes=59)
    await cast.go()
    assert cast.told() == ["ann@user.example"]
    cast.clock.move(minutes=2)
    await cast.go()
    assert cast.told() == ["ann@user.example", "li@user.example"]


@ONE_DATABASE
async def test_what_the_relay_refused_for_now_does_not_come_at_night_either(cast: Cast) -> None:
    cast.clock.move(hours=12, minutes=59)  # 21:59 UTC
    await cast.subscribe("ann@user.example", zone="Europe/London")
    await cast.begin()
    cast.relay.script["RCPT"] = "451 later"
    await cast.go()
    cast.relay.script.clear()
    cast.clock.move(minutes=10)
    await cast.deliver()
    assert cast.told() == []
    cast.clock.move(hours=10)
    await cast.deliver()
    assert cast.told() == ["ann@user.example"]


@pytest.mark.parametrize("rules", [{"per_minute": 2}])
async def test_the_rate_holds_and_a_restart_in_the_middle_neither_loses_nor_repeats(cast: Cast) -> None:
    for address in FIVE:
        await cast.subscribe(address)
    await cast.begin()
    await cast.ring()
    await cast.restart()
    await cast.go()
    assert len(cast.told()) == 2
    cast.clock.move(seconds=30)
    await cast.go()
    assert len(cast.told()) == 2
    cast.clock.move(seconds=61)
    await cast.restart()
    await cast.go()
    for _ in range(3):
        cast.clock.move(seconds=61)
        await cast.go()
    assert cast.told() == FIVE


async def test_a_process_that_dies_in_a_ring_leaves_nothing_half_done(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    for address in FIVE:
        await cast.subscribe(address)
    broadcast_id = await cast.begin()
    send = cast.desk.alarm._kinds["broadcast"]
    with monkeypatch.context() as patch:
        patch.setattr(type(send), "_go_on", _die)
        await cast.ring()
    assert await cast.states(broadcast_id) == {}
    assert await cast.outbox() == []
    cast.clock.move(minutes=5)
    await cast.go()
    assert cast.told() == FIVE


def _die(*_arguments: object) -> None:
    raise OSError("the process died")


async def test_who_leaves_between_queue_and_send_gets_nothing(cast: Cast) -> None:
    await cast.subscribe("li@user.example")
    await cast.subscribe("ann@user.example")
    broadcast_id = await cast.begin()
    await cast.ring()
    await cast.leave("li@user.example")
    await cast.deliver()
    assert cast.told() == ["ann@user.example"]
    assert (await cast.states(broadcast_id))["li@user.example"] == ("dropped", "unsubscribed")


async def test_who_left_while_it_was_on_its_way_is_asked_again_before_the_next_try(cast: Cast) -> None:
    await cast.subscribe("li@user.example")
    broadcast_id = await cast.begin()
    await cast.ring()
    # As a row that was in hand when its subscriber left, and came back to be tried again.
    await cast.desk.store.write(lambda c: c.execute(update(Subscription).values(state="ended")))
    await cast.deliver()
    assert cast.told() == []
    assert (await cast.states(broadcast_id))["li@user.example"] == ("dropped", "unsubscribed")


@pytest.mark.parametrize("rules", [{"per_minute": 2}])
async def test_stopping_keeps_back_what_has_not_left_and_hides_it(cast: Cast) -> None:
    for address in FIVE:
        await cast.subscribe(address)
    broadcast_id = await cast.begin()
    await cast.go()
    cast.clock.move(seconds=61)
    await cast.ring()
    assert len(await cast.read(lambda c: broadcasts.published(c, cast.clock()))) == 1
    await cast.service.stop(SUE, broadcast_id)
    cast.clock.move(minutes=5)
    await cast.go()
    assert len(cast.told()) == 2
    states = sorted((await cast.states(broadcast_id)).values(), key=str)
    assert states == [("dropped", "stopped")] * 2 + [("sent", None)] * 2 + [("skipped", "stopped")]
    assert await cast.read(lambda c: broadcasts.published(c, cast.clock())) == []
    with pytest.raises(WrongState):
        await cast.service.start(SUE, broadcast_id)


@ONE_DATABASE
async def test_it_waits_for_its_time_and_asks_then_who_is_subscribed(cast: Cast) -> None:
    await cast.subscribe("gone@user.example")
    starts_at = notice(cast.clock).starts_at.replace(hour=12)
    await cast.begin(kind="event", starts_at=starts_at, shown_until=starts_at.replace(hour=18))
    await cast.go()
    assert cast.told() == []
    assert await cast.read(lambda c: broadcasts.published(c, cast.clock())) == []
    await cast.leave("gone@user.example")
    await cast.subscribe("new@user.example")
    cast.clock.move(hours=3)
    await cast.go()
    assert cast.told() == ["new@user.example"]
    assert len(await cast.read(lambda c: broadcasts.published(c, cast.clock()))) == 1
    cast.clock.move(hours=7)
    assert await cast.read(lambda c: broadcasts.published(c, cast.clock())) == []


@ONE_DATABASE
async def test_a_refused_address_is_a_result_and_no_work_for_operators(cast: Cast) -> None:
    await cast.subscribe("nobody@user.example")
    broadcast_id = await cast.begin()
    cast.relay.script["RCPT"] = "550 5.1.1 no such user"
    await cast.go()
    assert (await cast.states(broadcast_id))["nobody@user.example"][0] == "failed"
    notes = await cast.read(lambda c: c.execute(select(func.count()).select_from(Note)).scalar_one())
    unsettled = select(func.count()).select_from(Outbox).where(Outbox.settled_at.is_(None))
    assert (notes, await cast.read(lambda c: c.execute(unsettled).scalar_one())) == (0, 0)


@ONE_DATABASE
@pytest.mark.parametrize("mail", [{"automatic_per_address": 2}])
async def test_notices_do_not_use_up_the_caps_of_answers(cast: Cast) -> None:
    await cast.subscribe("li@user.example")
    for _ in range(3):
        await cast.begin()
    await cast.go()
    assert len(cast.mails()) == 3
    mail: Channel = cast.desk.channels["mail"]
    assert mail.trouble() is None


async def test_the_dry_run_counts_and_writes_nothing(cast: Cast) -> None:
    cast.clock.move(hours=6)
    await cast.subscribe("li@user.example", "zh", "Asia/Shanghai")
    await cast.subscribe("ann@user.example")
    await cast.subscribe("gone@user.example")
    await cast.leave("gone@user.example")
    await cast.subscribe("somebody", channel="another")
    broadcast_id = await cast.service.keep(SUE, notice(cast.clock))
    row = await cast.read(lambda c: broadcasts.get(c, broadcast_id))
    plan = await cast.read(lambda c: cast.service.plan(c, row))
    assert plan.get == {("mail", "zh"): 1, ("mail", "en"): 1}
    assert plan.later == {("mail", "zh"): 1, ("mail", "en"): 0}
    assert plan.skipped == {"unsubscribed": 1, "channel_off": 1}
    assert await cast.states(broadcast_id) == {}


@ONE_DATABASE
async def test_agents_send_nothing_and_a_draft_needs_both_languages(cast: Cast) -> None:
    with pytest.raises(NotAllowed):
        await cast.service.keep(LI, notice(cast.clock))
    with pytest.raises(Faulty, match="text_zh_missing"):
        await cast.service.keep(SUE, notice(cast.clock, texts={"en": "x", "zh": ""}))
    broadcast_id = await cast.service.keep(SUE, notice(cast.clock))
    for deed in (cast.service.start, cast.service.stop):
        with pytest.raises(NotAllowed):
            await deed(LI, broadcast_id)
