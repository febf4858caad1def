"""A secret in a message gets as far as the original bytes; its sender is warned, and the matter is dealt with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, override

import pytest
from sqlalchemy import Connection, select, update

from actions.commands import BUTTONS, HandToPerson, OpenCase
from bot.files import Files
from bot.redacting import WARNINGS
from bot.store.tables import Base, Case, Conversation, Evidence, Inbox, Note
from bot.transcript import ChannelTranscript
from bot.uploads import ChannelUploads
from bot.wording import SPOKEN
from channels.contract import ReadMessage
from channels.files_contract import Attachment
from channels.live_contract import UploadLimits
from tests.fakes.channel import FakeChannel
from tests.fakes.rasa import FakeRasa
from tests.flow.conftest import ANNA, COMPLEX, Road
from tests.understanding.secrets_cases import API, CARD, CODE, EN, HEX, KEY, PASSWORD, SEED, SHOWN, TOKEN, ZH

COMPLAINTS = [
    (SEED, "en", f"my wallet was emptied, I gave them this: {EN}", EN),
    (SEED, "zh", f"我的币被转走了，助记词是 {ZH}，帮我找回来", ZH),
    (KEY, "en", f"the withdrawal never came, private key: {HEX}", HEX),
    (API, "zh", f"接口一直报错，密钥是{TOKEN}，麻烦看看", TOKEN),
    (CARD, "en", "I was charged twice on 4111 1111 1111 1111 and nobody answers", "4111 1111 1111 1111"),
    (PASSWORD, "zh", "登录不上，密码是Hunter2hunter，一直提示错误", "Hunter2hunter"),
    (CODE, "en", "your verification code is 482913 but it does not work", "482913"),
]


class Letters(FakeChannel):
    """The first line is the subject and the name of a file, as in a mail."""

    @override
    async def read(self, raw: bytes, envelope: Mapping[str, Any]) -> ReadMessage:
        about, _, text = raw.decode().partition("\n")
        file = Attachment(filename=f"{about}.png", content_type="image/png", data=b"png")
        return ReadMessage(text=text, subject=about, attachments=(file,), thread={"subject": about, "id": "<1@x>"})


def everything_but_raw(connection: Connection) -> str:
    """Every column of every table, except the original bytes."""
    found = []
    for table in Base.metadata.sorted_tables:
        columns = [column for column in table.columns if column is not Inbox.__table__.c.raw]
        found += [repr(row) for row in connection.execute(select(*columns))]
    return "\n".join(found)


def every(column: Any, connection: Connection) -> list[Any]:
    return list(connection.execute(select(column)).scalars())


async def notes(road: Road) -> list[tuple[str, list[str]]]:
    query = select(Note.kind, Note.data).where(Note.kind == "secret_shared").order_by(Note.id)
    return await road.store.read(lambda c: [(row.kind, row.data["reasons"]) for row in c.execute(query)])


@pytest.mark.parametrize(("kind", "language", "text", "secret"), COMPLAINTS)
async def test_nobody_sees_it_and_the_complaint_is_a_case(
    road: Road, rasa: FakeRasa, kind: str, language: str, text: str, secret: str
) -> None:
    rasa.answer = lambda _body: COMPLEX
    warning, acknowledged, person = await road.say(text)
    assert warning == road.words.say(WARNINGS[kind], language)
    assert (await road.cases())[0] in acknowledged
    assert person == road.words.say("case.person_soon", language)
    assert await notes(road) == [("secret_shared", [kind])]
    assert secret not in await road.store.read(everything_but_raw)
    assert secret not in repr(rasa.seen)
    raw = await road.store.read(lambda c: c.execute(select(Inbox.raw)).scalar_one())
    assert raw == text.encode()


async def test_no_table_and_no_request_has_any_form_of_it(road: Road, rasa: FakeRasa) -> None:
    rasa.answer = lambda _body: COMPLEX
    warned = [(await road.say(text, key=str(number)))[0] for number, (_, text, _) in enumerate(SHOWN)]
    kept = await road.store.read(everything_but_raw) + repr(rasa.seen) + repr(road.channel.sent)
    assert [secret for _, _, secret in SHOWN if len(secret) > 4 and secret in kept] == []
    words = {road.words.say(key, language) for key in WARNINGS.values() for language in SPOKEN}
    assert words.issuperset(warned)


async def test_a_wallet_that_was_given_away_is_a_matter_for_a_person(road: Road, rasa: FakeRasa) -> None:
    """Whatever the words around it say: somebody has asked for it."""

    def as_told(body: dict[str, Any]) -> tuple[OpenCase | HandToPerson, ...]:
        signals = body["metadata"]["signals"]
        reasons = tuple(signals["reasons"])
        assert (signals["escalate"], signals["severity"]) == (True, "high")
        return OpenCase(label="scam_fraud_report", reasons=reasons), HandToPerson(reasons=reasons)

    rasa.answer = as_told
    await road.say(f"hello, {EN}")
    brief = await road.store.read(lambda c: c.execute(select(Note.data).where(Note.kind == "brief")).scalar_one())
    assert "secret_shared" in brief["reasons"]
    assert await road.owner() == "queue"
    await road.say("hello, my password is hunter2", key="two")
    assert "secret_shared" not in rasa.seen[-1]["metadata"]["signals"]["reasons"]


async def test_several_kinds_are_one_warning_each(road: Road) -> None:
    said = await road.say(f"password is hunter2, private key {HEX}, card 4111111111111111")
    keys = ("secret.wallet", "secret.card", "secret.password")
    assert said == [*(road.words.say(key, "en") for key in keys), road.words.say("bot.greeting", "en")]


async def test_subject_thread_and_file_names_are_part_of_the_message(road: Road, rasa: FakeRasa) -> None:
    road.channel = Letters(one_reply=True, live=False)
    channels = {"fake": road.channel}
    road.turner = replace(road.turner, channels=channels, finish=replace(road.turner.finish, channels=channels))
    road.deliverer = replace(road.deliverer, channels=channels)
    [said] = await road.say("my password is Hunter2hunter\nplease help me")
    assert said.startswith(road.words.say("secret.password", "en"))
    assert "Hunter2hunter" not in await road.store.read(everything_but_raw)
    assert "Hunter2hunter" not in repr(rasa.seen)
    assert "Hunter2hunter" not in repr(road.channel.sent)
    for column in (Conversation.subject, Evidence.filename):
        [kept] = await road.store.read(partial(every, column))
        assert kept.startswith("my password is [password removed]")


async def test_while_a_person_has_the_conversation_the_warning_comes_at_once(road: Road, rasa: FakeRasa) -> None:
    rasa.answer = lambda _body: COMPLEX
    await road.say("提现没到账")
    conversation_id = await road.store.read(lambda c: c.execute(select(Conversation.id)).scalar_one())
    await road.handling.take_over(ANNA, conversation_id)
    await road.settle()
    asked = len(rasa.seen)
    assert await road.say("客服您好，验证码是482913") == [road.words.say("secret.code", "zh")]
    assert len(rasa.seen) == asked
    assert (await road.outcomes())[-1] == "joined"
    assert await notes(road) == [("secret_shared", [CODE])]


async def test_what_no_person_wrote_is_redacted_and_not_answered(road: Road) -> None:
    assert await road.say(f"auto: I am away, my key is {HEX}, I mean the private key {HEX}") == []
    assert HEX not in await road.store.read(everything_but_raw)
    assert await notes(road) == []


async def test_a_silent_assistant_does_not_silence_the_warning(road: Road, rasa: FakeRasa) -> None:
    rasa.mode = "error"
    road.clock.move(seconds=60)
    await road.receive(f"help, {EN}")
    road.clock.move(seconds=60)
    await road.settle()
    assert road.channel.texts()[0] == road.words.say("secret.wallet", "en")
    assert len(await road.cases()) == 1
    reasons = await road.store.read(lambda c: c.execute(select(Case.label)).scalar_one())
    assert reasons == "unclassified"


async def test_the_history_shows_it_removed_before_and_after_the_turn(road: Road) -> None:
    transcript = ChannelTranscript("fake", road.store, road.hub, {"fake": road.channel}, road.links)
    await road.receive("my password is Hunter2, what now")
    [before] = await transcript.entries("one", 0)
    await road.settle()
    after = (await transcript.entries("one", 0))[0]
    assert before.text == after.text == "my password is [password removed], what now"


async def test_a_parked_message_shows_nothing_either(road: Road) -> None:
    await road.receive("my password is Hunter2")
    await road.store.write(lambda c: c.execute(update(Inbox).values(state="parked", outcome="parked")))
    [entry] = await ChannelTranscript("fake", road.store, road.hub, {"fake": road.channel}, road.links).entries(
        "one", 0
    )
    assert entry.text == "my password is [password removed]"


async def test_the_name_of_a_file_that_comes_ahead(road: Road, tmp_path: Path) -> None:
    uploads = ChannelUploads("fake", road.store, tmp_path / "uploads", Files(tmp_path / "evidence"), road.clock)
    limits = UploadLimits(
        file_bytes=100, waiting_files=2, waiting_bytes=200, waiting_bytes_in_all=200_000, bytes_per_day=200,
        free_disk_bytes=0,
    )  # fmt: skip
    upload = await uploads.begin("one", f"{EN}.txt", 10, limits)
    assert upload.filename == "[seed phrase removed].txt"
    assert EN not in await road.store.read(everything_but_raw)


def test_no_button_is_a_secret() -> None:
    assert not set(BUTTONS) & set(WARNINGS)
