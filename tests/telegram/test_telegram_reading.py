"""What messages of every kind are read as, and what becomes of their files."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from channels.contract import Kind, ReadMessage
from channels.faults import RetryLater
from channels.telegram import attaching
from channels.telegram.channel import TelegramChannel
from tests.fakes.desk import FakeDesk
from tests.telegram.bot_api import BOT, BotApi, Fault
from tests.telegram.harness import WORDS, Sleeps, channel

type Start = Callable[..., Awaitable[TelegramChannel]]


@pytest.fixture
async def of(api: BotApi, desk: FakeDesk, sleeps: Sleeps, tmp_path: Path) -> Any:
    """A channel that reads and does not listen."""
    built = channel(tmp_path, desk, api.url, sleeps)
    yield built
    api.released.set()
    await built.stop()
    await built.close()


async def read(of: TelegramChannel, update: dict[str, Any]) -> ReadMessage:
    return await of.read(json.dumps(update).encode(), {"chat_id": 77})


def file_of(api: BotApi, name: str, data: bytes, **more: Any) -> dict[str, Any]:
    api.files[name] = data
    return {"file_id": name, "file_unique_id": f"u{name}", "file_size": len(data), **more}


async def test_text_is_read_as_it_is(api: BotApi, of: TelegramChannel) -> None:
    message = await read(of, await api.say("  提现三天没到账\x00 <b>&</b> 😀 "))
    assert (message.text, message.kind, message.note) == ("提现三天没到账\ufffd <b>&</b> 😀", Kind.MESSAGE, None)
    assert message.payload is None


async def test_an_address_behind_other_words_is_written_out(api: BotApi, of: TelegramChannel) -> None:
    link = {"type": "text_link", "offset": 0, "length": 5, "url": "https://swindle.example/"}
    message = await read(of, await api.say("claim your bonus", entities=[link]))
    assert message.text == "claim your bonus\nhttps://swindle.example/"


async def test_a_photo_comes_in_its_largest_size_with_its_caption(api: BotApi, of: TelegramChannel) -> None:
    sizes = [
        file_of(api, "small", b"s", width=90, height=90),
        file_of(api, "large", b"large", width=900, height=900),
        file_of(api, "middle", b"m", width=320, height=320),
    ]
    message = await read(of, await api.say(photo=sizes, caption="My receipt"))
    [photo] = message.attachments
    assert (message.text, photo.data, photo.content_type) == ("My receipt", b"large", "image/jpeg")
    assert (photo.filename, message.note) == ("photo-ularge.jpg", None)


@pytest.mark.parametrize(
    ("kind", "more", "filename", "content_type"),
    [
        (
            "document",
            {"file_name": "bill\x00.pdf", "mime_type": "application/pdf"},
            "bill\ufffd.pdf",
            "application/pdf",
        ),
        ("voice", {"duration": 3, "mime_type": "audio/ogg"}, "voice-uf.ogg", "audio/ogg"),
        ("audio", {"duration": 3, "file_name": "call.mp3", "mime_type": "audio/mpeg"}, "call.mp3", "audio/mpeg"),
        ("video", {"duration": 3, "width": 1, "height": 1, "mime_type": "video/mp4"}, "video-uf.mp4", "video/mp4"),
        ("video_note", {"duration": 3, "length": 1}, "video_note-uf.mp4", "video/mp4"),
        ("document", {}, "document-uf.bin", "application/octet-stream"),
    ],
)
async def test_files_are_kept(
    api: BotApi, of: TelegramChannel, kind: str, more: dict[str, Any], filename: str, content_type: str
) -> None:
    message = await read(of, await api.add(message={**api.message(), kind: file_of(api, "f", b"bytes", **more)}))
    [kept] = message.attachments
    assert (kept.filename, kept.content_type, kept.data) == (filename, content_type, b"bytes")
    assert message.note is None


async def test_an_animation_is_kept_once(api: BotApi, of: TelegramChannel) -> None:
    file = file_of(api, "f", b"gif", file_name="a.mp4", mime_type="video/mp4")
    update = await api.say(document=file, animation={**file, "width": 1, "height": 1, "duration": 1})
    assert len((await read(of, update)).attachments) == 1


async def test_each_part_of_an_album_is_a_message(api: BotApi, of: TelegramChannel) -> None:
    names = ("a", "b")
    updates = [await api.say(photo=[file_of(api, n, n.encode(), width=1, height=1)], media_group_id="5") for n in names]
    assert [(await read(of, u)).attachments[0].data for u in updates] == [b"a", b"b"]


async def test_reading_twice_says_the_same(api: BotApi, of: TelegramChannel) -> None:
    update = await api.say(document=file_of(api, "f", b"bytes"), caption="See")
    assert await read(of, update) == await read(of, update)


async def test_a_file_that_is_too_large_is_asked_for_otherwise_once(api: BotApi, of: TelegramChannel) -> None:
    large = {**file_of(api, "f", b"x"), "file_size": 20_000_001}
    update = await api.say(document=large, caption="My film")
    first, second = await read(of, update), await read(of, update)
    await api.until(1, api.sent)
    assert first == second
    assert (first.text, first.attachments) == ("My film", ())
    assert first.note == WORDS.say("telegram.note_file_too_large", "en")
    assert [m["text"] for m in api.sent] == [WORDS.say("telegram.file_too_large", "en", megabytes=20)]
    assert api.called("getFile") == []


async def test_a_file_that_hides_its_size_is_bounded(
    api: BotApi, desk: FakeDesk, sleeps: Sleeps, tmp_path: Path
) -> None:
    of = channel(tmp_path, desk, api.url, sleeps, max_file_bytes=1000)
    api.files["f"] = bytes(1001)
    message = await read(of, await api.say(caption="凭证", document={"file_id": "f", "file_unique_id": "u"}))
    assert message.note == WORDS.say("telegram.note_file_too_large", "zh")
    await of.close()


async def test_a_file_that_is_gone_is_a_note(api: BotApi, of: TelegramChannel) -> None:
    message = await read(of, await api.say(voice={"file_id": "none", "file_unique_id": "u", "duration": 1}))
    assert message.note == WORDS.say("telegram.note_file_not_fetched", "en")
    await api.until(1, api.sent)
    assert api.sent[0]["text"] == WORDS.say("telegram.file_not_fetched", "en", megabytes=20)


@pytest.mark.parametrize("method", ["getfile", "file"])
@pytest.mark.parametrize("fault", [Fault(code=502), Fault(code=429, retry_after=3), Fault(truncated=True)])
async def test_a_passing_fault_is_waited_out(api: BotApi, of: TelegramChannel, method: str, fault: Fault) -> None:
    update = await api.say(document=file_of(api, "f", b"bytes"))
    api.fail_next[method] = [fault]
    with pytest.raises(RetryLater):
        await read(of, update)
    assert (await read(of, update)).attachments[0].data == b"bytes"


async def test_a_download_that_hangs_ends(api: BotApi, desk: FakeDesk, sleeps: Sleeps, tmp_path: Path) -> None:
    of = channel(tmp_path, desk, api.url, sleeps, request_seconds=0.3)
    update = await api.say(document=file_of(api, "f", b"bytes"))
    api.fail_next["file"] = [Fault(hang=True)]
    with pytest.raises(RetryLater):
        await read(of, update)
    await of.close()


async def test_a_fault_that_does_not_pass_becomes_a_note(
    api: BotApi, of: TelegramChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attaching, "PATIENCE_SECONDS", 0.0)
    update = await api.say(document=file_of(api, "f", b"bytes"), caption="See")
    api.fail_next["getfile"] = [Fault(code=502)]
    message = await read(of, update)
    assert (message.text, message.note) == ("See", WORDS.say("telegram.note_file_not_fetched", "en"))


async def test_an_edit_is_a_message_beside_the_original(api: BotApi, polling: TelegramChannel, desk: FakeDesk) -> None:
    original = await api.say("100 USDT")
    edit = await api.add(edited_message={**original["message"], "text": "1000 USDT", "edit_date": 1_795_000_050})
    await desk.until(stored=2)
    first, second = [await polling.read(m.raw, m.envelope) for m in desk.stored]
    assert (first.text, first.note) == ("100 USDT", None)
    number = edit["edited_message"]["message_id"]
    assert second.text == "1000 USDT"
    assert f"correction of message {number}, sent at 2026-11-18 11:06:40 UTC" in str(second.note)


@pytest.mark.parametrize(
    ("content", "filename"),
    [
        ({"location": {"latitude": 1.5, "longitude": 2.5}}, "location.json"),
        ({"contact": {"phone_number": "+1555", "first_name": "Support"}}, "contact.json"),
        ({"dice": {"emoji": "🎲", "value": 3}}, "dice.json"),
    ],
)
async def test_things_that_are_no_words_are_kept(
    api: BotApi, of: TelegramChannel, content: dict[str, Any], filename: str
) -> None:
    message = await read(of, await api.say(**content))
    [kept] = message.attachments
    assert (kept.filename, message.note) == (filename, WORDS.say("telegram.note_thing", "en"))
    assert json.loads(kept.data) == next(iter(content.values()))


async def test_a_sticker_says_its_emoji(api: BotApi, of: TelegramChannel) -> None:
    sticker = {"file_id": "s", "file_unique_id": "s", "type": "regular", "width": 1, "height": 1, "emoji": "👍"}
    message = await read(of, await api.say(sticker={**sticker, "is_animated": False, "is_video": False}))
    assert (message.text, message.note) == ("👍", WORDS.say("telegram.note_sticker", "en"))


async def test_a_kind_that_does_not_exist_yet_reaches_a_person(api: BotApi, of: TelegramChannel) -> None:
    message = await read(of, await api.say(hologram={"x": 1}))
    assert (message.kind, message.text, message.note) == (Kind.MESSAGE, "", WORDS.say("telegram.note_unknown", "en"))


async def test_a_forwarded_message_is_said_to_be_one(api: BotApi, of: TelegramChannel) -> None:
    origin = {"type": "hidden_user", "date": 1_795_000_000, "sender_user_name": "Support"}
    message = await read(of, await api.say("Send us your phrase", forward_origin=origin))
    assert message.note == WORDS.say("telegram.note_forwarded", "en")


async def test_who_is_not_answered(api: BotApi, of: TelegramChannel) -> None:
    bot = {"id": 5, "is_bot": True, "first_name": "Other"}
    pinned = api.message("x")
    place = {"location": {"latitude": 1, "longitude": 2, "live_period": 60}}
    updates = [
        await api.add(message={**api.message("hi"), "from": BOT}),
        await api.add(message={**api.message("hi"), "from": bot}),
        await api.say(pinned_message=pinned),
        await api.add(edited_message={**api.message(), **place}),
    ]
    kinds = [(await read(of, update)).kind for update in updates]
    assert kinds == [Kind.OWN, Kind.AUTOMATIC, Kind.AUTOMATIC, Kind.AUTOMATIC]


@pytest.mark.parametrize(
    ("text", "language", "said", "payload"),
    [
        ("/start", "en", "Hello", None),
        ("/start case-123", "zh-hans", "你好", None),
        ("/help", "zh", "我需要帮助", None),
        ("/status", "en", "How is my case?", "status"),
        ("/agent", "zh", "转人工", "person"),
        ("/agent@redress_test_bot my money is gone", "en", "my money is gone", "person"),
        ("/language zh", "en", "请用中文。", None),
        ("/language EN", "zh", "English, please.", None),
        ("/language", "zh", "可以用哪些语言沟通？", "language"),
        ("/language xx", "en", "Which languages do you speak?", "language"),
        ("/appeal 金额不对", "zh", "我不同意对我案件的处理决定，请安排人工重新审核。\n金额不对", "appeal"),
        ("/nothing", "en", "/nothing", None),
        ("/ agent", "en", "/ agent", None),
    ],
)
async def test_commands(
    api: BotApi, of: TelegramChannel, text: str, language: str, said: str, payload: str | None
) -> None:
    sender = {"id": 77, "is_bot": False, "first_name": "Li", "language_code": language}
    message = await read(of, await api.add(message={**api.message(text), "from": sender}))
    assert (message.text, message.payload, message.note) == (said, payload, None)


@pytest.mark.parametrize(
    ("text", "invitation"),
    [("/start aB3_-x", "aB3_-x"), ("/start", None), ("/start two words", None), (f"/start {'x' * 65}", None)],
)
async def test_what_a_deep_link_brings(api: BotApi, of: TelegramChannel, text: str, invitation: str | None) -> None:
    message = await read(of, await api.add(message=api.message(text)))
    assert (message.text, message.invitation) == ("Hello", invitation)


@pytest.mark.parametrize(("button", "said"), [("language:en", "English, please."), ("language:zh", "请用中文。")])
async def test_a_pressed_language_is_what_anybody_could_have_written(
    of: TelegramChannel, button: str, said: str
) -> None:
    message = await of.read(b"{}", {"chat_id": 77, "press": button, "title": "x"})
    assert (message.text, message.payload) == (said, None)


def test_the_desk_understands_what_commands_say() -> None:
    from actions.commands import BUTTONS
    from bot.binding.commands import APPEAL
    from bot.speaking import is_only_a_wish, wished_language
    from channels.telegram.commands import PAYLOADS
    from escalation.broadcast.subscribing import SUBSCRIBE, UNSUBSCRIBE

    assert set(PAYLOADS.values()) <= {*BUTTONS, APPEAL, SUBSCRIBE, UNSUBSCRIBE}
    for language in ("en", "zh"):
        sentence = WORDS.say("telegram.say_language", language)
        assert is_only_a_wish(sentence)
        assert wished_language(sentence) == language


async def test_skimming_leaves_the_file_at_telegram_and_says_so(api: BotApi, of: TelegramChannel) -> None:
    update = await api.say(document=file_of(api, "proof", b"%PDF-1.7", file_name="proof.pdf"), caption="My receipt")
    message = await of.skim(json.dumps(update).encode(), {"chat_id": 77})
    assert (message.text, message.attachments, message.unfetched) == ("My receipt", (), 1)
    assert message.note == WORDS.say("telegram.note_file_over_cap", "en")
    assert (api.called("getFile"), api.sent) == ([], [])
    words = await api.say("only words")
    assert await of.skim(json.dumps(words).encode(), {"chat_id": 77}) == await read(of, words)
