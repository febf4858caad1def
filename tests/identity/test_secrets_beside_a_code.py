"""The code that the desk asked for is read before secrets are removed; what else is said beside it is not spared."""

from __future__ import annotations

import pytest

from tests.fakes.rasa import FakeRasa
from tests.identity.conftest import START, IdentityRoad, Said
from tests.understanding.secrets_cases import EN


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "{code}"),
        ("en", "my verification code is {code}"),
        ("en", "password {code}"),
        ("zh", "验证码是{code}"),
        ("zh", "密码：{code}"),
    ],
)
async def test_a_code_that_is_called_one_still_proves(
    road: IdentityRoad, said: Said, language: str, words: str
) -> None:
    await road.say(START[language])
    code = await road.code_for("10001")
    answers = await road.say(words.format(code=code))
    account = (await road.conversation())["account"]
    assert account["uid"] == "10001"
    assert not any(
        answer == road.words.say(f"secret.{key}", each)
        for answer in answers
        for key in ("code", "password")
        for each in ("en", "zh")
    )
    assert code not in await road.everything_kept()


async def test_what_is_said_beside_the_code_loses_its_secrets(road: IdentityRoad, rasa: FakeRasa) -> None:
    await road.say(START["en"])
    code = await road.code_for("10001")
    answers = await road.say(f"{code} and where is my withdrawal? My phrase is {EN}")
    assert answers[0] == road.words.say("secret.wallet", "en")
    assert (await road.conversation())["account"]["uid"] == "10001"
    assert "withdrawal" in rasa.seen[-1]["text"]
    kept = await road.everything_kept() + repr(rasa.seen)
    assert EN not in kept
    assert code not in kept


async def test_a_code_of_somebody_else_is_removed_and_warned_of(road: IdentityRoad, rasa: FakeRasa) -> None:
    said = await road.say("the bank sent me the verification code 482913, is that you?")
    assert said[0] == road.words.say("secret.code", "en")
    assert "482913" not in await road.everything_kept() + repr(rasa.seen)
