"""The whole app process around an account at Mastodon: what becomes of a complaint that its author changes and takes
back."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from tests.mastodon.mastodon_api import TOKEN, MastodonApi
from tests.monitor.media import MediaHost
from tests.monitor.whole import Whole, picture, told


async def test_an_edit_and_a_deletion_stand_beside_the_original_and_are_not_answered(tmp_path: Path) -> None:
    database_url = f"sqlite:///{tmp_path / 'redress.db'}"
    async with MastodonApi().running() as api:
        desk = Whole(tmp_path, database_url, "mastodon", {"access_token": TOKEN, "base_url": api.url})
        post_id = api.say("@DemoExchange my withdrawal of 3 BTC is stuck", ago=30)
        async with desk.running():
            await api.until(posted=1)
            await desk.done(messages=1)
        api.edit(post_id, "@DemoExchange my withdrawal of 5 BTC is stuck")
        desk.let_an_hour_go_by()
        async with desk.running():
            await desk.done(messages=2)
        api.delete(post_id)
        desk.let_an_hour_go_by()
        async with desk.running():
            await desk.done(messages=3)
    found = await desk.seen_by_an_agent()
    original, edited, removed = told(found)
    assert (original.text, original.odd) == ("my withdrawal of 3 BTC is stuck", None)
    assert edited.text == "my withdrawal of 5 BTC is stuck"
    assert "was edited" in (edited.odd or "")
    assert (removed.text, f"no longer has the post {post_id}" in (removed.odd or "")) == ("", True)
    assert (len(found.outbox), len(api.posted), len(desk.rasa.seen)) == (1, 1, 1)


async def test_a_picture_becomes_evidence_under_its_hash(database_url: str, tmp_path: Path) -> None:
    data = picture()
    async with MastodonApi().running() as api, MediaHost().running() as host:
        section = {"access_token": TOKEN, "base_url": api.url, "media_origins": [host.url]}
        desk = Whole(tmp_path, database_url, "mastodon", section)
        host.files["media/proof.png"] = data
        item = {"id": "1", "type": "image", "url": f"{host.url}/media/proof.png"}
        api.say("@DemoExchange look at this", ago=30, media_attachments=[item])
        async with desk.running():
            await desk.done(messages=1)
        assert await desk.evidence() == [("proof.png", "image/png", sha256(data).hexdigest(), data)]
