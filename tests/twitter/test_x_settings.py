"""Settings say what is wrong with them; without credentials there is no channel to speak of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from channels import twitter
from channels.faults import RetryLater
from channels.twitter.settings import check, query
from channels.twitter.weight import weight
from tests.fakes.desk import PUBLIC_URL, FakeDesk
from tests.twitter.harness import SENTENCES, answer, context
from tests.twitter.x_api import CREDENTIALS


@pytest.mark.parametrize(
    ("section", "sentence"),
    [
        ({"token": "1"}, "there is no setting 'token'"),
        ({**CREDENTIALS, "access_token": "abc"}, "access_token: this is not an access token"),
        ({**CREDENTIALS, "consumer_key": ""}, "consumer_key is not set"),
        ({"keywords": ['a "quote"']}, "keywords: a keyword is a word or a phrase without"),
        ({"keywords": ["a" * 50] * 12}, "more than 512 characters"),
        ({"own_usernames": ["so-so"]}, "own_usernames: a user name has"),
        ({"api_url": "x.com"}, "is not an address"),
        ({"poll_seconds": 1}, "poll_seconds: "),
        ({"first_hours": 200}, "first_hours: "),
        ({"bearer_token": "two words"}, "bearer_token: this is not a bearer token"),
        ({"bearer_token": "AAAA"}, "webhook and bearer_token need to know our app and account: set consumer_key"),
        ({"webhook": True}, "webhook and bearer_token need to know our app and account: set consumer_key"),
        ({"stream_silence_seconds": 0}, "stream_silence_seconds: "),
        ({"backfill_seconds": 1}, "backfill_seconds: "),
        ({"replies_per_hour": 0}, "replies_per_hour: "),
    ],
)
def test_a_wrong_setting_is_named(section: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=r"channel twitter: ") as error:
        check(section, PUBLIC_URL)
    assert sentence in str(error.value)
    assert not any(secret in str(error.value) for secret in CREDENTIALS.values())


def test_replies_need_a_public_address() -> None:
    with pytest.raises(ValueError, match="replies = false"):
        check(CREDENTIALS, "http://127.0.0.1:8080")
    assert check({**CREDENTIALS, "replies": False}, "http://127.0.0.1:8080").account_id == "4242"


@pytest.mark.parametrize("public_url", ["http://desk.exchange.example", "https://desk.exchange.example:8443"])
def test_a_webhook_needs_an_address_that_x_takes(public_url: str) -> None:
    section = {**CREDENTIALS, "webhook": True, "replies": False}
    with pytest.raises(ValueError, match="webhook = false"):
        check(section, public_url)
    assert check(section, PUBLIC_URL).webhook
    assert check({**section, "api_url": "http://127.0.0.1:9"}, public_url).webhook


def test_a_search_asks_for_our_name_and_the_keywords() -> None:
    assert query("Demo", ["a b", "交易所"]) == '(@Demo OR "a b" OR "交易所") -is:retweet -from:Demo'


async def test_without_credentials_it_is_off(tmp_path: Path) -> None:
    built = twitter.build(context(tmp_path, FakeDesk(), "http://127.0.0.1:8080"))
    await built.start()
    assert (built.deaf(), built.trouble(), built.door(), built.routes()) == (None, None, "", ())
    assert built.figures().connections == 0
    with pytest.raises(RetryLater, match="off"):
        await built.send(answer("1"))
    await built.stop()
    await built.close()
    assert not (tmp_path / "twitter").exists()


def test_the_sentences_fit_into_a_post(tmp_path: Path) -> None:
    assert all(weight(sentence) <= 280 for sentence in SENTENCES.values())
    long = context(tmp_path, FakeDesk(), "https://" + "a" * 300 + ".example")
    assert twitter.build(long).name == "twitter"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("abc", 3),
        ("中文", 4),
        ("é", 1),
        ("e\u0301", 1),
        ("a https://x.example/" + "b" * 100, 25),
        ("😀", 2),
        ("“a”", 3),
    ],
)
def test_characters_are_weighed_as_x_weighs_them(text: str, expected: int) -> None:
    assert weight(text) == expected
