"""/metrics of a working desk: what really came and left is in it, and nothing of anybody's."""

from __future__ import annotations

from pathlib import Path

import aiosmtplib
import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot.store.store import Store
from channels.registry import names
from tests.operator.commands import quiet
from tests.process.desk import DeskProcess
from tests.process.people import Chatter, letter, post

WRITER = "li.wei@user.example"


async def samples(desk: DeskProcess) -> tuple[dict[tuple[str, ...], float], str]:
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = (await http.get(f"{desk.url}/metrics")).raise_for_status()
    families = text_string_to_metric_families(answer.text)
    found = {(s.name, *s.labels.values()): s.value for family in families for s in family.samples}
    return found, answer.text


@pytest.mark.timeout(200)
async def test_what_came_and_left_is_counted_and_nobody_is_named(tmp_path: Path, rasa_url: str) -> None:
    url = f"sqlite:///{tmp_path / 'redress.db'}"
    desk = DeskProcess(tmp_path, url, rasa_url)
    await desk.start()
    mail = letter(WRITER, "Secret subject", "hello, my secret text")
    for _ in range(2):
        assert (await post(desk, mail, WRITER)).startswith("250")
    with pytest.raises(aiosmtplib.SMTPResponseException, match="no such mailbox"):
        await post(desk, mail, WRITER, recipient="nobody@elsewhere.example")
    chatter = Chatter(desk, language="zh")
    await chatter.say("我的秘密")
    store = Store(url)
    await quiet(store)
    async with chatter.connected():
        found, text = await samples(desk)
    [chat], [post_box] = ([name for name in names() if part in name] for part in ("chat", "mail"))
    assert [found["redress_received_total", name] for name in (chat, post_box)] == [1, 1]
    assert found["redress_duplicates_total", post_box] == 1
    assert found["redress_refused_total", post_box, "no_such_mailbox"] == 1
    assert found["redress_connections", chat] == 1
    assert [found["redress_listening", name] for name in (chat, post_box)] == [1, 1]
    assert found["redress_step_seconds_count", "accept"] == 3
    assert found["redress_step_seconds_count", "rasa"] == 2
    assert found["redress_inbox_rows", "new"] == found["redress_lag_seconds", "inbox"] == 0
    assert found["redress_database_up",] == 1
    for private in (WRITER, "user.example", "Secret", "secret", "秘密", *chatter.session.values()):
        assert private not in text
    store.close()
    assert await desk.stop() == 0
