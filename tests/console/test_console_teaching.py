"""An agent says what a message was really about: the case changes its class, and there is something to learn."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, insert, select, update

from bot.repository import conversations, corrections
from bot.repository.corrections import CorrectionRow
from bot.store.store import Store
from bot.store.tables import Agent, Case, CaseEvent, Inbox, Note
from escalation.correcting import Taught, teach
from tests.conftest import MovedClock
from tests.console.world import Talk, World, ask_for_person, disable, hear_in, open_case, talk

TEXT = "My uid is 80021234, mail li@user.example: 500 USDT on TRC20 never arrived. My password is hunter22!"
SAVED = {"label": "deposit_issue", "escalate": "yes"}


async def message_of(store: Store, conversation_id: int) -> int:
    first = select(Inbox.id).where(Inbox.conversation_id == conversation_id).order_by(Inbox.id).limit(1)
    return int(await store.read(lambda c: c.execute(first).scalar_one()))


async def kept(store: Store) -> list[CorrectionRow]:
    return list(await store.read(corrections.holding))


async def label_of(store: Store, case_id: int) -> str:
    return str(await store.read(lambda c: c.execute(select(Case.label).where(Case.id == case_id)).scalar_one()))


async def test_the_case_changes_its_class_and_keeps_what_it_was_taken_for(world: World) -> None:
    conversation_id = await talk(world.store, world.clock(), Talk(text=TEXT))
    case = await open_case(world.store, conversation_id, world.clock())
    message = await message_of(world.store, conversation_id)
    async with world.signed_in("li") as li:
        form = {**SAVED, "message": str(message)}
        assert (await li.post(f"/console/c/{conversation_id}/teach", form)).status_code == 303
        page = (await li.get(f"/console/c/{conversation_id}")).text
        in_chinese = (await li.get(f"/console/c/{conversation_id}?lang=zh")).text
    assert await label_of(world.store, case.id) == "deposit_issue"
    event = select(CaseEvent.kind, CaseEvent.public, CaseEvent.data).where(CaseEvent.kind == "relabelled")
    assert await world.store.read(lambda c: c.execute(event).one()) == (
        "relabelled",
        False,
        {"before": "withdrawal_issue", "label": "deposit_issue"},
    )
    assert "Class corrected: Withdrawal → Deposit" in page
    assert "Corrected for the bot to learn: Deposit, needs a case · Li Wei" in page
    assert "已更正，供机器人学习：充值问题、需要立案" in in_chinese


async def test_the_example_says_what_it_is_about_and_not_whom(world: World) -> None:
    conversation_id = await talk(world.store, world.clock(), Talk(text=TEXT))
    await ask_for_person(world.store, conversation_id, world.clock(), label="withdrawal_issue")
    message = await message_of(world.store, conversation_id)
    async with world.signed_in("li") as li:
        await li.post(f"/console/c/{conversation_id}/teach", {**SAVED, "message": str(message)})
    [row] = await kept(world.store)
    assert (row.old_label, row.new_label, row.old_escalate, row.new_escalate) == (
        "withdrawal_issue",
        "deposit_issue",
        False,
        True,
    )
    assert (row.inbox_id, row.case_id, row.language, row.at) == (message, None, "en", world.clock())
    for secret in ("80021234", "li@user.example", "hunter22"):
        assert secret not in row.text
    assert "500 USDT on TRC20 never arrived" in row.text


async def test_the_latest_correction_holds_and_the_same_twice_is_one(world: World) -> None:
    conversation_id = await talk(world.store, world.clock(), Talk(text="我的币还没到", language="zh"))
    message = str(await message_of(world.store, conversation_id))
    async with world.signed_in("li") as li, world.signed_in("sue") as sue:
        for agent, label in ((li, "fees_limits"), (li, "fees_limits"), (sue, "deposit_issue")):
            form = {"message": message, "label": label, "escalate": "no"}
            assert (await agent.post(f"/console/c/{conversation_id}/teach", form)).status_code == 303
    [row] = await kept(world.store)
    assert (row.old_label, row.new_label, row.language) == ("fees_limits", "deposit_issue", "zh")
    notes = select(Note.id).where(Note.kind == "corrected")
    assert len(await world.store.read(lambda c: c.execute(notes).all())) == 2


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"label": "greet"}, "check what you entered"),
        ({"label": "unclassified"}, "check what you entered"),
        ({"label": ""}, "check what you entered"),
        ({"escalate": ""}, "check what you entered"),
        ({"message": ""}, "check what you entered"),
        ({"message": "-1"}, "check what you entered"),
        ({"message": "9" * 18}, "no words to learn from"),
        ({"message": "other"}, "no words to learn from"),
        ({"message": "wordless"}, "no words to learn from"),
        ({"label": "spam"}, "needs no case"),
    ],
)
async def test_a_wrong_form_changes_nothing(world: World, changed: dict[str, str], said: str) -> None:
    conversation_id = await talk(world.store, world.clock())
    other = await talk(world.store, world.clock())
    wordless = await world.store.write(lambda c: hear_in(c, conversation_id, " ", "en", world.clock()))
    ids = {"other": await message_of(world.store, other), "wordless": wordless}
    form = {**SAVED, "message": str(await message_of(world.store, conversation_id)), **changed}
    form["message"] = str(ids.get(form["message"], form["message"]))
    async with world.signed_in("li") as li:
        answer = await li.post(f"/console/c/{conversation_id}/teach", form)
    assert answer.status_code == 422
    assert said in answer.text
    assert await kept(world.store) == []


async def test_who_may_not_take_over_may_not_teach(world: World) -> None:
    conversation_id = await talk(world.store, world.clock())
    form = {**SAVED, "message": str(await message_of(world.store, conversation_id))}
    async with world.signed_in("li") as li, world.signed_in("ann") as ann, world.signed_in("sue") as sue:
        await li.post(f"/console/c/{conversation_id}/take")
        refused = await ann.post(f"/console/c/{conversation_id}/teach", form)
        assert (refused.status_code, "Li Wei has already taken" in refused.text) == (409, True)
        assert await kept(world.store) == []
        assert (await sue.post(f"/console/c/{conversation_id}/teach", form)).status_code == 303
        await disable(world.store, "li")
        again = {**form, "label": "fees_limits"}
        assert (await ann.post(f"/console/c/{conversation_id}/teach", again)).status_code == 303
    assert [row.new_label for row in await kept(world.store)] == ["fees_limits"]


async def test_a_form_from_elsewhere_is_refused(world: World) -> None:
    conversation_id = await talk(world.store, world.clock())
    form = {**SAVED, "message": str(await message_of(world.store, conversation_id)), "csrf": "guessed"}
    async with world.signed_in("li") as li:
        assert (await li.send(f"/console/c/{conversation_id}/teach", form)).status_code == 403
    assert await kept(world.store) == []


async def test_the_form_proposes_the_message_that_opened_the_case(world: World) -> None:
    conversation_id = await talk(world.store, world.clock(), Talk(text="hello, is anybody there who reads this?"))
    opener = await world.store.write(lambda c: hear_in(c, conversation_id, "coins gone", "en", world.clock()))
    longest = await message_of(world.store, conversation_id)
    async with world.signed_in("li") as li:
        assert f'<option value="{longest}" selected>' in (await li.get(f"/console/c/{conversation_id}")).text
        case = await open_case(world.store, conversation_id, world.clock())
        opened_by = update(Case).where(Case.id == case.id).values(opened_by_inbox=opener)
        await world.store.write(lambda c: c.execute(opened_by))
        assert f'<option value="{opener}" selected>' in (await li.get(f"/console/c/{conversation_id}")).text


async def test_both_databases_keep_it(store: Store, clock: MovedClock) -> None:
    who = {"login": "li", "name": "Li", "role": "agent", "password_hash": "", "created_at": clock()}
    agent = await store.write(lambda c: int(c.execute(insert(Agent).values(**who).returning(Agent.id)).scalar_one()))
    conversation_id = await talk(store, clock(), Talk(text=TEXT))
    case = await open_case(store, conversation_id, clock())
    message = await message_of(store, conversation_id)

    def say(connection: Connection) -> None:
        conversation = conversations.lock(connection, conversation_id)
        for escalate in (True, False):
            teach(
                connection,
                conversation,
                agent,
                Taught(inbox_id=message, label="fees_limits", escalate=escalate),
                clock(),
            )

    await store.write(say)
    [row] = await kept(store)
    assert (row.case_id, row.old_escalate, row.new_escalate, row.at) == (case.id, True, False, clock())
    assert await label_of(store, case.id) == "fees_limits"
