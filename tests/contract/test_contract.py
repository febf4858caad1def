"""What every channel promises, tested against every channel through its peer, on both databases.

Each test is one row of `checklist.yml` and runs for the channels that say `done`.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
import structlog

from channels.contract import Kind, OutboundMessage, ReadMessage
from channels.faults import NeedsPerson, NotStored, OutcomeUnknown, RetryLater
from tests.contract.desk import ContractDesk, Row
from tests.contract.peer import Delivery, Heard, Peer, can
from tests.contract.replying import reply
from tests.contract.rows import ROWS, peers_that_test

CANARY = "KANARIENVOGEL-金丝雀-5521"
MANY = 8
"""Answers to one person at once: more than any channel lets out."""
SECONDS = 7.0

type Test = Callable[..., object]


def row(name: str, *, stores: bool = True) -> Callable[[Test], Test]:
    """The test of this row, for every channel that says it is done, on both databases; on one if it is not about what
    is stored."""
    if name not in ROWS:
        raise LookupError(f"{name} is no row of tests/contract/rows.py")
    found = peers_that_test(name)
    if not found:
        return pytest.mark.skip(reason=f"no channel says that {name} is done")
    names = ["-".join(filter(None, (peer.channel_name, peer.way))) for peer in found]
    of_peers = pytest.mark.parametrize("peer", found, indirect=True, ids=names)
    on_one = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
    return of_peers if stores else lambda test: of_peers(on_one(test))


async def read(peer: Peer, stored: Row) -> ReadMessage:
    return await peer.channel.read(stored.raw, stored.envelope)


def words(told: ReadMessage) -> str:
    """What the person wrote; of a form without what asked for it."""
    return told.text if told.complaint is None else told.complaint.words


async def begun(peer: Peer) -> tuple[Delivery, OutboundMessage]:
    """One message that is stored, and an answer to it."""
    delivery = await peer.deliver("My withdrawal is stuck.")
    assert delivery.heard is Heard.STORED
    [stored] = await peer.desk.rows()
    return delivery, reply(stored, await read(peer, stored))


@row("caller-authenticated")
async def test_a_forged_caller_is_refused_and_nothing_is_stored(peer: Peer, desk: ContractDesk) -> None:
    heard = await peer.forge("I am somebody else.")
    assert heard
    assert set(heard) == {Heard.REFUSED}
    assert (desk.attempts, await desk.rows()) == (0, [])
    assert (await peer.deliver("I am who I am.")).heard is Heard.STORED


@row("durable-before-ok")
async def test_ok_comes_after_the_commit(peer: Peer, desk: ContractDesk) -> None:
    desk.door.clear()
    delivering = asyncio.create_task(peer.deliver("My withdrawal is stuck."))
    await desk.knocked.wait()
    done, _ = await asyncio.wait([delivering], timeout=0.1)
    assert not done
    desk.door.set()
    assert (await delivering).heard is Heard.STORED
    [stored] = await desk.rows()
    assert words(await read(peer, stored)) == "My withdrawal is stuck."


@row("durable-before-ok")
@pytest.mark.parametrize("fault", [NotStored("the disk is full", 1), RuntimeError("a bug")], ids=["full", "bug"])
async def test_what_is_not_stored_is_not_confirmed_and_comes_again(
    peer: Peer, desk: ContractDesk, fault: Exception
) -> None:
    desk.fail_next = [fault]
    delivery = await peer.deliver("My withdrawal is stuck.")
    assert (delivery.heard, await desk.rows()) == (Heard.LATER, [])
    assert await peer.again(delivery) is Heard.STORED
    assert len(await desk.rows()) == 1


@row("duplicate-is-harmless")
async def test_a_message_that_comes_twice_is_one(peer: Peer, desk: ContractDesk) -> None:
    delivery = await peer.deliver("My withdrawal is stuck.")
    assert await peer.again(delivery) is Heard.STORED
    assert await peer.again(delivery) is Heard.STORED
    assert len(await desk.rows()) == 1


@row("duplicate-is-harmless")
async def test_a_lost_answer_leads_to_no_second_message(peer: Peer, desk: ContractDesk) -> None:
    desk.lose_next = [NotStored("stored, but the answer was lost", 1)]
    delivery = await peer.deliver("My withdrawal is stuck.")
    assert delivery.heard is Heard.LATER
    assert await peer.again(delivery) is Heard.STORED
    assert len(await desk.rows()) == 1


@row("order")
async def test_what_one_person_says_stays_in_order(peer: Peer, desk: ContractDesk) -> None:
    said = [f"number {n}" for n in range(6)]
    for n, text in enumerate(said):
        assert (await peer.deliver(text)).heard is Heard.STORED
        assert (await peer.deliver(f"somebody else's {n}", who=2)).heard is Heard.STORED
    stored = [(kept, words(await read(peer, kept))) for kept in await desk.rows()]
    assert [text for _, text in stored if text.startswith("number")] == said
    conversations: dict[int, list[int]] = {}
    for kept, _ in stored:
        conversations.setdefault(kept.conversation_id, []).append(kept.seq)
    assert all(seqs == list(range(1, len(seqs) + 1)) for seqs in conversations.values())
    mine = {kept.key for kept, text in stored if text.startswith("number")}
    assert not mine & {kept.key for kept, text in stored if not text.startswith("number")}


@row("size-limit", stores=False)
async def test_what_is_too_large_is_refused_and_the_channel_lives_on(peer: Peer, desk: ContractDesk) -> None:
    heard = await peer.too_large("My withdrawal is stuck.")
    assert heard
    assert set(heard) == {Heard.REFUSED}
    assert (desk.attempts, await desk.rows()) == (0, [])
    assert (await peer.deliver("My withdrawal is stuck.")).heard is Heard.STORED


@row("rate-limit-in")
async def test_who_sends_too_much_is_slowed_down(peer: Peer, desk: ContractDesk) -> None:
    heard = await peer.flood("And another thing.")
    assert set(heard) > {Heard.STORED}
    assert len(await desk.rows()) == heard.count(Heard.STORED)
    assert (await peer.deliver("I was quiet.", who=2)).heard is Heard.STORED


@row("rate-limit-out", stores=False)
async def test_one_person_does_not_get_everything_at_once(peer: Peer) -> None:
    _, answer = await begun(peer)
    waited, held_back = peer.waited(), 0
    for n in range(MANY):
        try:
            await peer.channel.send(again_as(answer, n))
        except (RetryLater, NeedsPerson):
            held_back += 1
    assert len(peer.sent()) + held_back <= MANY
    assert len(peer.sent()) < MANY or peer.waited() - waited >= MANY / 2


def again_as(answer: OutboundMessage, number: int) -> OutboundMessage:
    return replace(answer, outbox_id=100 + number, message_id=f"answer{number}", text=f"Answer {number}.")


@row("retry-after-honoured", stores=False)
async def test_the_time_that_the_peer_names_is_kept_to(peer: Peer) -> None:
    _, answer = await begun(peer)
    await peer.refuse_next(SECONDS)
    with pytest.raises(RetryLater) as refused:
        await peer.channel.send(answer)
    assert refused.value.after_seconds is not None
    assert SECONDS <= refused.value.after_seconds <= SECONDS * 10
    assert peer.sent() == []
    await peer.pass_time(refused.value.after_seconds)
    await peer.channel.send(answer)
    assert len(peer.sent()) == 1


@row("outcome-unknown", stores=False)
async def test_silence_after_the_last_byte_is_no_failure_and_no_success(peer: Peer) -> None:
    _, answer = await begun(peer)
    await peer.fall_silent()
    with pytest.raises(OutcomeUnknown):
        await peer.channel.send(answer)
    assert len(peer.sent()) == 1


@row("loop-protection")
async def test_what_we_sent_ourselves_and_what_machines_write_is_not_answered(peer: Peer, desk: ContractDesk) -> None:
    await peer.own("We have your message.")
    kinds = {(await read(peer, stored)).kind for stored in await desk.rows()}
    assert kinds <= {Kind.OWN, Kind.AUTOMATIC}
    if can(type(peer), "automatic"):
        await peer.automatic("I am away until Monday.")
    assert Kind.MESSAGE not in {(await read(peer, stored)).kind for stored in await desk.rows()}
    assert (await peer.deliver("A person wrote this.")).heard is Heard.STORED
    assert (await read(peer, (await desk.rows())[-1])).kind is Kind.MESSAGE


@row("edits")
async def test_an_edit_is_kept_beside_the_original(peer: Peer, desk: ContractDesk) -> None:
    delivery = await peer.deliver("I lost 10 BTC.")
    [before] = await desk.rows()
    assert await peer.edit(delivery, "I lost 12 BTC.") is Heard.STORED
    original, edited = await desk.rows()
    assert original == before
    assert (edited.key, (await read(peer, edited)).text) == (original.key, "I lost 12 BTC.")
    assert (await read(peer, edited)).note
    assert (await read(peer, original)).text == "I lost 10 BTC."


@row("deletions")
async def test_a_deletion_is_kept_beside_the_original(peer: Peer, desk: ContractDesk) -> None:
    delivery = await peer.deliver("I lost 10 BTC.")
    [before] = await desk.rows()
    assert await peer.delete(delivery) is Heard.STORED
    original, deleted = await desk.rows()
    assert original == before
    told = await read(peer, deleted)
    assert (deleted.key, bool(told.note)) == (original.key, True)
    assert told.kind is not Kind.MESSAGE


@row("attachments")
async def test_a_file_arrives_unchanged_under_its_hash(peer: Peer, desk: ContractDesk) -> None:
    data = b"%PDF-1.7 " + bytes(range(256)) * 40
    assert (await peer.file("statement.pdf", data)).heard is Heard.STORED
    [stored] = await desk.rows()
    [file] = (await read(peer, stored)).attachments
    assert file.filename == "statement.pdf"
    digest = hashlib.sha256(data).hexdigest()
    kept = await asyncio.to_thread(desk.evidence.put, file.data) if file.kept is None else file.kept.sha256
    assert kept == digest
    assert await asyncio.to_thread(desk.evidence.get, kept) == data


@row("attachments")
async def test_a_file_that_is_too_large_is_not_taken(peer: Peer, desk: ContractDesk) -> None:
    assert peer.max_file_bytes > 0
    delivery = await peer.file("film.mp4", bytes(peer.max_file_bytes + 1))
    stored = await desk.rows()
    if delivery.heard is Heard.REFUSED:
        assert stored == []
    else:
        told = await read(peer, stored[0])
        assert (told.attachments, bool(told.note)) == ((), True)


@row("no-customer-text-in-logs", stores=False)
async def test_no_word_of_a_person_is_logged(
    peer: Peer, desk: ContractDesk, logged: StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.fail_next = [NotStored("the disk is full", 1), RuntimeError("a bug")]
    delivery = await peer.deliver(CANARY)
    await peer.again(delivery)
    await peer.again(delivery)
    for ability in ("forge", "too_large", "own", "automatic"):
        if can(type(peer), ability):
            await getattr(peer, ability)(CANARY)
    if can(type(peer), "edit"):
        await peer.edit(delivery, f"{CANARY}, edited")
    if can(type(peer), "file"):
        await peer.file(f"{CANARY}.pdf", b"%PDF-1.7")
    stored = await desk.rows()
    told = [await read(peer, each) for each in stored]
    assert any(CANARY in each.text for each in told)
    for prepare in ("refuse_next", "fall_silent"):
        if can(type(peer), prepare):
            await (peer.refuse_next(1) if prepare == "refuse_next" else peer.fall_silent())
            with suppress(RetryLater, OutcomeUnknown, NeedsPerson):
                await peer.channel.send(reply(stored[0], told[0], text=CANARY))
    structlog.get_logger().info("the_last_line")
    while "the_last_line" not in logged.getvalue():  # a thread of its own writes it
        await asyncio.sleep(0.01)
    said = logged.getvalue() + "".join(capsys.readouterr())
    for word in ("KANARIENVOGEL", "金丝雀", json.dumps("金丝雀").strip('"')):
        assert word not in said


@row("graceful-stop")
async def test_stopping_finishes_what_is_in_hand_and_takes_no_more(peer: Peer, desk: ContractDesk) -> None:
    desk.door.clear()
    delivering = asyncio.create_task(peer.deliver("In hand."))
    await desk.knocked.wait()
    stopping = asyncio.create_task(peer.stop())
    done, _ = await asyncio.wait([stopping], timeout=0.05)
    assert not done
    desk.door.set()
    await asyncio.wait_for(stopping, peer.stop_seconds)
    first = await delivering
    late = await peer.deliver("Too late.")
    assert late.heard is Heard.LATER
    assert len(await desk.rows()) == 1
    await peer.channel.close()
    await peer.restart()
    assert [await peer.again(first), await peer.again(late)] == [Heard.STORED, Heard.STORED]
    assert len(await desk.rows()) == 2


@row("gap-detection")
@pytest.mark.parametrize("days", [3, 30])
async def test_after_an_outage_all_is_there_or_the_gap_is_named(peer: Peer, desk: ContractDesk, days: int) -> None:
    assert (await peer.deliver("before")).heard is Heard.STORED
    away = timedelta(days=days)
    said = [f"meanwhile {n}" for n in range(5)]
    await peer.outage(away, said)
    texts = [(await read(peer, stored)).text for stored in await desk.rows()]
    assert len(texts) == len(set(texts))
    if peer.reach is None or away <= peer.reach:
        assert (texts, peer.channel.trouble()) == (["before", *said], None)
    else:
        assert said[-1] in texts
        assert peer.channel.trouble()


@row("feed-down-is-shown", stores=False)
async def test_a_peer_that_is_down_is_shown_until_it_is_back(peer: Peer, desk: ContractDesk) -> None:
    assert (peer.channel.deaf(), peer.channel.trouble()) == (None, None)
    await peer.go_down()
    told = peer.channel.deaf() or peer.channel.trouble()
    assert told
    await peer.come_back()
    assert (peer.channel.deaf(), peer.channel.trouble()) == (None, None)
    assert (await peer.deliver("Are you there?")).heard is Heard.STORED


def test_every_row_has_a_test() -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    assert [name for name in ROWS if f'@row("{name}"' not in source] == []
