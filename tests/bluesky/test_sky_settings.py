"""Settings say what is wrong with them; without handle and app password there is no channel to speak of."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from channels import bluesky
from channels.bluesky.settings import check, query
from channels.faults import RetryLater
from tests.bluesky.harness import SENTENCES, WORDS, answer
from tests.bluesky.pds_api import HANDLE, PASSWORD
from tests.fakes.desk import PUBLIC_URL
from tests.monitor.context import context
from tests.monitor.harness import Desk

ON = {"handle": HANDLE, "app_password": PASSWORD}


@pytest.mark.parametrize(
    ("section", "sentence"),
    [
        ({"token": "1"}, "there is no setting 'token'"),
        ({**ON, "app_password": ""}, "app_password is not set"),
        ({**ON, "handle": ""}, "handle is not set"),
        ({**ON, "app_password": "my own password"}, "app_password: this is not an app password"),
        ({**ON, "handle": "exchange"}, "is not a handle"),
        ({**ON, "handle": "exchange.123"}, "is not a handle"),
        ({**ON, "service": "bsky.social"}, "is not an address"),
        ({**ON, "service": "https://me:secret@bsky.social"}, "is not an address"),
        ({"keywords": ['a "quote"']}, "keywords: a keyword is a word or a phrase without"),
        ({"own_handles": ["a b"]}, "own_handles: a handle is"),
        ({"poll_seconds": 1}, "poll_seconds: "),
        ({"replies_per_hour": 0}, "replies_per_hour: "),
    ],
)
def test_a_wrong_setting_is_named(section: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=r"channel bluesky: ") as error:
        check(section, PUBLIC_URL)
    assert sentence in str(error.value)
    assert PASSWORD not in str(error.value)


def test_replies_need_a_public_address() -> None:
    with pytest.raises(ValueError, match="replies = false"):
        check(ON, "http://127.0.0.1:8080")
    settings = check({**ON, "handle": f"@{HANDLE.title()}", "replies": False}, "http://127.0.0.1:8080")
    assert (settings.handle, settings.is_own(HANDLE.upper()), settings.is_own("")) == (HANDLE, True, False)


def test_a_search_asks_for_a_phrase_or_a_hashtag() -> None:
    assert [query(each) for each in ("demo exchange", "#演示交易所")] == ['"demo exchange"', "#演示交易所"]


async def test_without_a_password_it_is_off(tmp_path: Path) -> None:
    built = bluesky.build(context(tmp_path, Desk(), WORDS, "http://127.0.0.1:8080"))
    await built.start()
    assert (built.deaf(), built.trouble(), built.door(), built.routes()) == (None, None, "", ())
    assert built.figures().connections == 0
    with pytest.raises(RetryLater, match="off"):
        await built.send(answer("1"))
    await built.stop()
    await built.close()
    assert not (tmp_path / "bluesky").exists()


def test_a_channel_that_is_off_does_not_load_the_library() -> None:
    program = "import sys, channels.bluesky; sys.exit('atproto_client' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_the_sentences_fit_into_a_post(tmp_path: Path) -> None:
    assert all(len(sentence) <= 300 for sentence in SENTENCES.values())
    long = context(tmp_path, Desk(), WORDS, "https://" + "a" * 300 + ".example")
    with pytest.raises(ValueError, match=r"bluesky\.reply in en is longer than the 300 characters"):
        bluesky.build(long)
