"""Settings say what is wrong with them; without a token there is no channel to speak of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from channels import telegram
from channels.faults import RetryLater
from channels.telegram.settings import check
from tests.fakes.desk import FakeDesk
from tests.telegram.bot_api import TOKEN
from tests.telegram.harness import WEBHOOK_SECRET, answer, context


@pytest.mark.parametrize(
    ("section", "sentence"),
    [
        ({"token": "secret"}, "token: this is not a bot's token"),
        ({"tokn": "1"}, "there is no setting 'tokn'"),
        ({"mode": "push"}, "mode: "),
        ({"token": TOKEN, "mode": "webhook"}, "mode webhook needs webhook_secret"),
        ({"mode": "webhook", "webhook_secret": "short"}, "mode webhook needs webhook_secret"),
        ({"token": TOKEN, "mode": "webhook", "webhook_secret": WEBHOOK_SECRET}, "needs a public_url"),
        ({"api_url": "telegram.org"}, "is not an address"),
        ({"poll_seconds": 90}, "poll_seconds: "),
    ],
)
def test_a_wrong_setting_is_named(section: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=r"channel telegram: ") as error:
        check(section, "http://127.0.0.1:8080")
    assert sentence in str(error.value)
    assert "secret" not in str(error.value).replace("webhook_secret", "").replace("a secret", "")


def test_a_webhook_with_https_is_good() -> None:
    section = {"token": TOKEN, "mode": "webhook", "webhook_secret": WEBHOOK_SECRET}
    assert check(section, "https://desk.example").bot_id == 4242


async def test_without_a_token_it_is_off(tmp_path: Path) -> None:
    built = telegram.build(context(tmp_path, FakeDesk()))
    await built.start()
    assert (built.deaf(), built.trouble(), built.door(), built.routes()) == (None, None, "", ())
    assert built.figures().connections == 0
    update = b'{"update_id":1,"message":{"message_id":1,"date":1,"chat":{"id":7,"type":"private"},"text":"hi"}}'
    assert (await built.read(update, {"chat_id": 7})).text == "hi"
    with pytest.raises(RetryLater, match="off"):
        await built.send(answer())
    await built.stop()
    await built.close()


async def test_without_a_token_a_webhook_has_no_route(tmp_path: Path) -> None:
    section = {"mode": "webhook", "webhook_secret": WEBHOOK_SECRET}
    assert telegram.build(context(tmp_path, FakeDesk(), **section)).routes() == ()
