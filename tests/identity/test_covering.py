"""A live code reaches neither agents nor the bot, in whatever message and spelling it comes; both languages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from email.message import EmailMessage

import pytest

from bot import catalogue
from bot.identity.assembly import limits_of
from bot.identity.codes import Codes
from bot.identity.covering import Cover, LetterWords
from bot.identity.digits import MASK
from bot.settings import IdentitySettings
from bot.store.tables import Evidence
from bot.store.tables import Inbox as InboxTable
from channels.caps_contract import Caps
from channels.contract import ReadMessage
from channels.files_contract import Attachment
from tests.fakes.exchange import EMMA
from tests.fakes.rasa import FakeRasa
from tests.identity.conftest import START, IdentityRoad, Said
from tests.identity.test_proving import BOTH

EXCHANGE = {"en": "Demo Exchange", "zh": "演示交易所"}
SPELLINGS: dict[str, Callable[[str], str]] = {
    "pairs": lambda code: f"{code[:2]} {code[2:4]} {code[4:]}",
    "single digits": " ".join,
    "after a word": lambda code: f"code{code}",
    "before a word": lambda code: f"{code}thx",
    "a dot": lambda code: f"{code[:3]}.{code[3:]}",
    "dashes": lambda code: f"{code[:2]}-{code[2:4]}-{code[4:]}",
    "emphasis": lambda code: f"_{code}_",
}


async def letter_in(road: IdentityRoad, language: str) -> tuple[str, str]:
    """A letter in this language as it was sent, and its code."""
    await road.say({"en": "where is my withdrawal", "zh": "我的提现到哪里了"}[language])
    await road.say(START[language])
    code = await road.code_for("10001")
    return road.letters.sent[-1].text, code


@BOTH
@pytest.mark.parametrize("kind", ["bounce: ", "auto: ", ""])
async def test_a_letter_that_comes_back_shows_its_code_to_nobody(
    road: IdentityRoad, rasa: FakeRasa, kind: str, language: str
) -> None:
    letter, code = await letter_in(road, language)
    await road.post(f"{kind}{letter}", road.letters.sent[-1].conversation_key, "letters")
    assert code not in str(await road.column(InboxTable.text))
    assert code not in str(rasa.seen)
    assert MASK in (await road.column(InboxTable.text))[-1]
    assert (await road.conversation())["account"] is None


async def test_what_a_bounce_encloses_of_the_letter_is_no_evidence(road: IdentityRoad) -> None:
    await letter_in(road, "en")
    await road.post("bounce: It could not be delivered.", road.letters.sent[-1].conversation_key, "letters")
    assert await road.column(Evidence.filename) == ["shot.png"]
    assert (await road.outcomes())[-1] == "automatic"


@BOTH
async def test_an_enclosed_letter_is_known_by_its_words_in_any_conversation(road: IdentityRoad, language: str) -> None:
    letter, _code = await letter_in(road, language)
    mail = EmailMessage()
    mail.set_content(letter)
    cover = Cover(codes=Codes(b"s" * 32), letter=LetterWords(road.words, EXCHANGE, limits_of(IdentitySettings())))
    files = tuple(
        Attachment(filename=str(number), content_type="message/rfc822", data=data)
        for number, data in enumerate((mail.as_bytes(), b"Subject: another\n\nHello", b"\xff" * 99, b""))
    )
    proving = cover.over(1, ReadMessage(text="returned to sender", attachments=files), None, None)
    assert proving is not None
    assert proving.attachments == files[1:]
    assert proving.masked == "returned to sender"
    assert proving.goes_on


async def test_the_files_of_other_automatic_mail_are_evidence_as_always(road: IdentityRoad) -> None:
    await road.post("bounce: It could not be delivered.", "another")
    assert await road.column(Evidence.filename) == ["letter.eml", "shot.png"]


@BOTH
async def test_a_letter_that_is_forwarded_to_the_desk_shows_its_code_to_nobody(
    road: IdentityRoad, rasa: FakeRasa, language: str
) -> None:
    letter, code = await letter_in(road, language)
    why = {"en": "I never asked for this!", "zh": "我没有申请过这个！"}[language]
    await road.say(f"{why}\n\n> {letter}", "another")
    assert code not in str(await road.column(InboxTable.text))
    assert code not in str(rasa.seen)
    assert why in rasa.seen[-1]["text"]
    assert MASK in rasa.seen[-1]["text"]


@BOTH
async def test_a_letter_that_is_copied_whole_into_its_conversation_counts_and_is_no_question(
    road: IdentityRoad, rasa: FakeRasa, said: Said, language: str
) -> None:
    await road.say(START[language])
    code = await road.code_for("10001")
    assert await road.say(road.letters.sent[-1].text) == [
        said("proven", language, name=EMMA["name"]),
        said("what_now", language),
    ]
    assert rasa.seen == []
    assert code not in await road.everything_kept()


@BOTH
@pytest.mark.parametrize("name", SPELLINGS)
async def test_however_it_is_spelled_it_counts_and_is_hidden(
    road: IdentityRoad, said: Said, name: str, language: str
) -> None:
    await road.say(START[language])
    code = await road.code_for("10001")
    typed = SPELLINGS[name](code)
    assert (await road.say(typed))[0] == said("proven", language, name=EMMA["name"])
    kept = (await road.column(InboxTable.text))[-1]
    assert MASK in kept
    assert typed not in kept


@BOTH
async def test_many_spellings_in_one_message_are_as_many_tries(road: IdentityRoad, said: Said, language: str) -> None:
    await road.say(START[language])
    code = await road.code_for("10001")
    wrong = [f"{(int(code) + step) % 1_000_000:06}" for step in (1, 2, 3)]
    await road.say(" / ".join(" ".join(each) for each in wrong))
    assert await road.say(code) == [said("code_locked", language)]


@pytest.fixture
def letter_words() -> LetterWords:
    return LetterWords(catalogue.whole(), EXCHANGE, limits_of(IdentitySettings()))


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("Your code is: 482913", {"482913"}),
        ("> Your code\n> is:\n> 482 913", {"482913"}),
        ("FW: your code is: *482913*", {"482913"}),
        ("您的验证码是：482913", {"482913"}),
        ("您的驗證碼是：482913", {"482913"}),
        ("my order is: 482913", set()),
        ("Your code is: unknown", set()),
        ("Your code is: see the letter of Monday, 482913", set()),
    ],
)
def test_our_letter_is_known_by_its_words(letter_words: LetterWords, text: str, codes: set[str]) -> None:
    assert letter_words.codes(text) == codes


async def test_a_code_among_too_many_messages_is_hidden_and_can_be_sent_again(
    road: IdentityRoad, rasa: FakeRasa
) -> None:
    await road.say("where is my withdrawal")
    await road.say(START["en"])
    code = await road.code_for("10001")
    caps = Caps(messages_per_minute=3, messages_per_hour=100)
    road.channel.capabilities = replace(road.channel.capabilities, caps=caps)
    said = await road.say(code)
    assert said == [road.words.say("case.over_cap", "en")]
    assert code not in str(await road.column(InboxTable.text))
    assert (await road.conversation())["account"] is None
    road.clock.move(seconds=61)
    await road.say(code)
    assert (await road.conversation())["account"] is not None
    assert code not in str(rasa.seen)
