"""What agents type is held back when it has a secret in it, and they see that a user's was removed."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from bot.redacting import WarnOfSecrets
from bot.repository import conversations
from bot.store.tables import Note, Outbox
from tests.console.test_console_deeds import nonce_of
from tests.console.world import World, waiting
from tests.understanding.secrets_cases import EN, KEY, PASSWORD, SEED


@pytest.mark.parametrize("text", [f"the user told me on the phone: {EN}", "他的密码是Hunter2，请帮忙登录看看"])
async def test_neither_reply_nor_note_takes_a_secret(world: World, text: str) -> None:
    conversation_id = await waiting(world)
    async with world.signed_in("li") as li:
        await li.post(f"/console/c/{conversation_id}/take")
        nonce = await nonce_of(li, conversation_id)
        reply = await li.post(f"/console/c/{conversation_id}/reply?lang=en", {"text": text, "nonce": nonce})
        note = await li.post(f"/console/c/{conversation_id}/note?lang=zh", {"text": text})
    assert (reply.status_code, note.status_code) == (422, 422)
    assert "neither sent nor saved" in reply.text
    assert "没有发送也没有保存" in note.text
    columns = (Outbox.text, Note.text)
    kept = await world.store.read(lambda c: [value for each in columns for value in c.execute(select(each)).scalars()])
    assert not any(text in (value or "") for value in kept)


async def test_agents_see_what_was_removed_and_that_the_user_knows(world: World) -> None:
    conversation_id = await waiting(world)
    warn = WarnOfSecrets(kinds=(SEED, KEY, PASSWORD))
    said = await world.store.write(
        lambda c: [say.key for say in warn.carry_out(c, conversations.get(c, conversation_id), world.clock())]
    )
    assert said == ["secret.wallet", "secret.password"]
    async with world.signed_in("li") as li:
        english = (await li.get(f"/console/c/{conversation_id}?lang=en")).text
        chinese = (await li.get(f"/console/c/{conversation_id}?lang=zh")).text
    assert "Secrets in the last message were removed; the user has been warned: recovery phrase, private key" in english
    assert "上一条消息中的机密信息已隐去，并已提醒用户：助记词、私钥、密码" in chinese
