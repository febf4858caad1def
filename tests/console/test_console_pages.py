"""What the queue and a conversation show."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import update

from bot.repository import conversations
from bot.store.store import Store
from bot.store.tables import Outbox
from bot.understanding.labels import CLASSES
from bot.understanding.signals import HAND_OVER, RULES
from bot.wording import SPOKEN
from escalation.console.repository import conversation as conversation_rows
from escalation.console.repository import queue
from escalation.console.repository.queue import View
from escalation.console.transcript import lines
from escalation.repository import add_note
from tests.conftest import MovedClock
from tests.console.world import Talk, World, ask_for_person, attach, hear_in, open_case, say, talk, wording


async def test_views_hold_what_their_names_say(store: Store, clock: MovedClock) -> None:
    """On both databases, for the queries are the part that differs."""
    waiting = [await talk(store, clock(), Talk(text=f"waiting {n}")) for n in range(2)]
    with_bot = await talk(store, clock(), Talk(text="机器人处理中", language="zh"))
    for conversation_id in reversed(waiting):
        clock.move(minutes=5)
        await ask_for_person(store, conversation_id, clock(), label="p2p_dispute", severity="high")
    await open_case(store, waiting[0], clock(), label="withdrawal_issue", severity="critical")
    rows = await store.read(lambda c: queue.rows(c, View.WAITING, "agent:1"))
    assert [row.id for row in rows] == waiting  # the graver one goes before the one that waits longer
    assert [row.label for row in rows] == ["withdrawal_issue", "p2p_dispute"]
    assert [row.severity for row in rows] == ["critical", "high"]
    assert [row.last_words for row in rows] == ["waiting 0", "waiting 1"]
    opened = await store.read(lambda c: queue.rows(c, View.OPEN, "agent:1"))
    assert [row.id for row in opened] == [waiting[0], with_bot, waiting[1]]
    assert opened[1].last_words == "机器人处理中"
    counts = await store.read(lambda c: queue.counts(c, "agent:1"))
    assert counts == {View.WAITING: 2, View.MINE: 0, View.BY_HAND: 0, View.OPEN: 3, View.RESOLVED: 0}


async def test_a_conversation_is_read_whole_on_both_databases(store: Store, clock: MovedClock) -> None:
    conversation_id = await talk(store, clock())
    await say(store, conversation_id, "hello", "sent", clock())
    await ask_for_person(store, conversation_id, clock())
    await open_case(store, conversation_id, clock())
    found = await store.read(lambda c: conversation_rows.everything(c, conversation_id, clock()))
    assert found is not None
    assert found.case is not None
    assert [event.kind for event in found.events] == ["opened"]
    assert [line.kind for line in lines(found, {})] == ["user", "bot", "event"]


async def test_the_queue_shows_who_waits_and_why(world: World, clock: MovedClock) -> None:
    conversation_id = await talk(world.store, clock(), Talk(channel="mail", language="zh", text="提现三天没到账"))
    case = await open_case(world.store, conversation_id, clock())
    await ask_for_person(world.store, conversation_id, clock())
    clock.move(minutes=12)
    async with world.signed_in("li") as li:
        for language, words in {
            "en": ("Waiting", "E-mail", "Chinese", "High", "Withdrawal", "12 min"),
            "zh": ("等待人工", "电子邮件", "中文", "高", "提现问题", "12分钟"),
        }.items():
            page = (await li.get(f"/console/?lang={language}")).text
            for word in (*words, case.number, "提现三天没到账"):
                assert word in page, word


@pytest.mark.parametrize("view", [*View, "nonsense", "' OR 1=1 --"])
@pytest.mark.parametrize("language", SPOKEN)
async def test_an_empty_queue_says_so(world: World, view: str, language: str) -> None:
    async with world.signed_in("li") as li:
        answer = await li.client.get("/console/", params={"view": view, "lang": language})
    assert answer.status_code == 200
    assert 'class="empty"' in answer.text


async def test_a_channel_without_words_is_shown_by_its_name(world: World) -> None:
    await talk(world.store, world.clock(), Talk(channel="carrier_pigeon"))
    async with world.signed_in("li") as li:
        assert "carrier_pigeon" in (await li.get("/console/?view=open")).text


async def test_the_transcript_keeps_the_order_and_tells_what_was_delivered(world: World, clock: MovedClock) -> None:
    conversation_id = await talk(world.store, clock(), Talk(text="first"))
    for number, state in enumerate(("sent", "dropped", "failed", "unknown", "new")):
        await say(world.store, conversation_id, f"answer-{number}", state, clock())
    await ask_for_person(world.store, conversation_id, clock())
    await world.store.write(lambda c: hear_in(c, conversation_id, "second", "en", clock()))
    async with world.signed_in("li") as li:
        page = (await li.get(f"/console/c/{conversation_id}")).text
    said = re.findall(r'class="said"[^>]*>([^<]+)<|class="event">([^·]+) ·', page)
    assert [a or b.strip() for a, b in said] == [
        "first",
        *(f"answer-{n}" for n in range(5)),
        "Waiting for a person: a person was asked for",
        "second",
    ]
    assert re.findall(r'class="delivery delivery-(\w+)"', page) == ["sent", "not_sent", "failed", "unknown", "queued"]
    assert re.search(r"<details><summary>Show what was not sent</summary><div[^>]*>answer-1<", page)


@pytest.mark.parametrize(
    ("language", "says"),
    [
        ("en", "An answer did not reach the user, or it is not known whether it did: the mailbox is &lt;full&gt;"),
        ("zh", "有一条回复未能送达，或无法确认是否送达：the mailbox is &lt;full&gt;"),
    ],
)
async def test_why_an_answer_did_not_arrive_is_said(world: World, clock: MovedClock, language: str, says: str) -> None:
    conversation_id = await talk(world.store, clock())
    data = {"outbox_id": 1, "reason": "the mailbox is <full>"}
    await world.store.write(lambda c: add_note(c, conversation_id, "not_reached", at=clock(), data=data))
    async with world.signed_in("li") as li:
        page = (await li.get(f"/console/c/{conversation_id}?lang={language}")).text
    assert says in page


@pytest.mark.parametrize(
    ("language", "says"),
    [("en", "Waiting for a person: theft, anger ·"), ("zh", "等待人工：被盗、情绪激动 ·")],
)
async def test_why_somebody_waits_is_said(world: World, clock: MovedClock, language: str, says: str) -> None:
    conversation_id = await talk(world.store, clock())
    data = {"reasons": ["theft", "anger"]}
    await world.store.write(lambda c: add_note(c, conversation_id, "queued", at=clock(), data=data))
    async with world.signed_in("li") as li:
        page = (await li.get(f"/console/c/{conversation_id}?lang={language}")).text
    assert says in page


async def test_what_strangers_write_is_only_ever_text(world: World) -> None:
    evil = '<script>alert(1)</script><img src=x onerror="alert(1)">{{ 7*7 }}'
    conversation_id = await talk(world.store, world.clock(), Talk(text=evil, subject=evil))
    await attach(world, conversation_id, evil, b"x", "text/html")
    await ask_for_person(world.store, conversation_id, world.clock(), wish=evil, account={"uid": evil})
    async with world.signed_in("li") as li:
        for path in ("/console/", f"/console/c/{conversation_id}"):
            page = (await li.get(path)).text
            assert "&lt;script&gt;alert(1)" in page
            assert "<script>alert" not in page
            assert "<img" not in page
            assert "49" not in re.sub(r'value="[^"]+"|[0-9a-f]{64}', "", page.split("</head>")[1].split("{{ 7*7 }}")[0])


async def test_the_brief_and_the_case_are_beside_the_words(world: World, clock: MovedClock) -> None:
    conversation_id = await talk(world.store, clock())
    other = await talk(world.store, clock(), Talk(channel="mail", subject="Same matter"))
    case = await open_case(world.store, conversation_id, clock())

    await world.store.write(lambda c: conversations.change(c, other, case_id=case.id))
    await ask_for_person(
        world.store,
        conversation_id,
        clock(),
        wish="Get the withdrawal out",
        reasons=["money_missing", "a_new_reason"],
        entities=[{"kind": "tx_hash", "value": "0xabc"}],
        account={"uid": "80021", "name": None},
        tried=["Told the status"],
        severity="high",
    )
    clock.move(days=16)
    async with world.signed_in("li") as li:
        page = (await li.get(f"/console/c/{conversation_id}")).text
    for words in (
        "Get the withdrawal out",
        "money missing",
        "a_new_reason",
        "0xabc",
        "80021",
        "Told the status",
        case.number,
        "overdue",
        "Same matter",
        "Case opened",
        world.desk.links.path(case.number, case.link_version),
    ):
        assert words in page, words


async def test_evidence_is_saved_and_never_shown(world: World) -> None:
    conversation_id = await talk(world.store, world.clock())
    evidence_id = await attach(world, conversation_id, '截图"; x=.html', b"<script>alert(1)</script>", "text/html")
    async with world.signed_in("li") as li:
        answer = await li.get(f"/console/evidence/{evidence_id}")
    assert answer.content == b"<script>alert(1)</script>"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == ("attachment; filename*=UTF-8''%E6%88%AA%E5%9B%BE_%3B%20x%3D.html")
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_evidence_that_was_changed_or_lost_is_said_and_not_handed_out(world: World) -> None:
    conversation_id = await talk(world.store, world.clock())
    evidence_id = await attach(world, conversation_id, "proof.txt", b"original", "text/plain")
    (path,) = [each for each in world.desk.evidence.folder.rglob("*") if each.is_file()]
    async with world.signed_in("li") as li:
        path.write_bytes(b"tampered")
        changed = await li.get(f"/console/evidence/{evidence_id}")
        path.unlink()
        lost = await li.get(f"/console/evidence/{evidence_id}")
    assert (changed.status_code, lost.status_code) == (409, 404)
    assert "changed after it was stored" in changed.text
    assert b"tampered" not in changed.content
    assert "not in the evidence folder" in lost.text


def test_every_class_of_the_taxonomy_has_words() -> None:
    words = wording()
    missing = [label for label in CLASSES if not words.knows(f"console.class_{label}")]
    missing += [code for code in (*RULES, *HAND_OVER) if not words.knows(f"console.reason_{code}")]
    assert missing == []


async def test_a_sealed_text_is_shown_to_nobody(world: World) -> None:
    """A one-time code is its recipient's alone: with it, an agent could speak as the user."""
    conversation_id = await talk(world.store, world.clock())
    await say(world.store, conversation_id, "Your code is 493021", "sent", world.clock())
    await world.store.write(lambda c: c.execute(update(Outbox).values(sealed=True)))
    async with world.signed_in("root") as root:
        page = (await root.get(f"/console/c/{conversation_id}")).text
    assert "493021" not in page
    assert "For the recipient alone" in page
