"""Settings say what is wrong with them; without server and token there is no channel to speak of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from channels import mastodon
from channels.faults import RetryLater
from channels.mastodon.replying import size
from channels.mastodon.settings import check
from tests.fakes.desk import PUBLIC_URL
from tests.mastodon.harness import SENTENCES, WORDS, answer
from tests.mastodon.mastodon_api import TOKEN
from tests.monitor.context import context
from tests.monitor.harness import Desk

ON = {"base_url": "https://mastodon.example/", "access_token": TOKEN}


@pytest.mark.parametrize(
    ("section", "sentence"),
    [
        ({"token": "1"}, "there is no setting 'token'"),
        ({**ON, "access_token": ""}, "access_token is not set"),
        ({**ON, "base_url": ""}, "base_url is not set"),
        ({**ON, "access_token": "a b c d e f g h"}, "access_token: this is not an access token"),
        ({**ON, "base_url": "mastodon.example"}, "is not an address"),
        ({**ON, "base_url": "https://me:secret@mastodon.example"}, "is not an address"),
        ({"keywords": ['a "quote"']}, "keywords: a keyword is a word or a phrase without"),
        ({"hashtags": ["two words"]}, "hashtags: a hashtag is one word"),
        ({"own_accounts": ["a b"]}, "own_accounts: an account is written"),
        ({"poll_seconds": 1}, "poll_seconds: "),
        ({"replies_per_hour": 0}, "replies_per_hour: "),
    ],
)
def test_a_wrong_setting_is_named(section: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=r"channel mastodon: ") as error:
        check(section, PUBLIC_URL)
    assert sentence in str(error.value)
    assert TOKEN not in str(error.value)


def test_replies_need_a_public_address() -> None:
    with pytest.raises(ValueError, match="replies = false"):
        check(ON, "http://127.0.0.1:8080")
    assert check({**ON, "replies": False}, "http://127.0.0.1:8080").server == "mastodon.example"


@pytest.mark.parametrize(
    ("account", "own"),
    [("news", True), ("News@mastodon.example", True), ("news@far.example", False), ("a@b.example", True), ("a", False)],
)
def test_our_other_accounts_are_known_with_and_without_our_server(account: str, own: bool) -> None:
    settings = check({**ON, "own_accounts": ["news", "@a@b.example"]}, PUBLIC_URL)
    assert settings.is_own(account) is own


async def test_without_a_token_it_is_off(tmp_path: Path) -> None:
    built = mastodon.build(context(tmp_path, Desk(), WORDS, "http://127.0.0.1:8080"))
    await built.start()
    assert (built.deaf(), built.trouble(), built.door(), built.routes()) == (None, None, "", ())
    assert built.figures().connections == 0
    with pytest.raises(RetryLater, match="off"):
        await built.send(answer("1"))
    await built.stop()
    await built.close()
    assert not (tmp_path / "mastodon").exists()


def test_the_sentences_fit_into_a_post(tmp_path: Path) -> None:
    assert all(size(sentence) <= 500 for sentence in SENTENCES.values())
    long = context(tmp_path, Desk(), WORDS, "https://" + "a" * 600 + ".example")
    assert mastodon.build(long).name == "mastodon"
