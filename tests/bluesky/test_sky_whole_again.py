"""The whole app process around an account on Bluesky: what becomes of a complaint that its author changes and takes
back."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from tests.bluesky.pds_api import HANDLE, PASSWORD, Pds, did_of
from tests.monitor.media import MediaHost
from tests.monitor.whole import Whole, picture, told


async def test_an_edit_and_a_deletion_stand_beside_the_original_and_are_not_answered(tmp_path: Path) -> None:
    database_url = f"sqlite:///{tmp_path / 'redress.db'}"
    async with Pds().running() as pds:
        section = {"handle": HANDLE, "app_password": PASSWORD, "service": pds.url}
        desk = Whole(tmp_path, database_url, "bluesky", section)
        uri = pds.say(f"@{HANDLE} my withdrawal of 3 BTC is stuck", ago=30)
        async with desk.running():
            await pds.until(posted=1)
            await desk.done(messages=1)
        pds.edit(uri, f"@{HANDLE} my withdrawal of 5 BTC is stuck")
        desk.let_an_hour_go_by()
        async with desk.running():
            await desk.done(messages=2)
        pds.forget(uri)
        desk.let_an_hour_go_by()
        async with desk.running():
            await desk.done(messages=3)
    found = await desk.seen_by_an_agent()
    original, edited, removed = told(found)
    assert (original.text, original.odd) == ("my withdrawal of 3 BTC is stuck", None)
    assert edited.text == "my withdrawal of 5 BTC is stuck"
    assert "This post was changed" in (edited.odd or "")
    assert (removed.text, f"no longer has the post {uri}" in (removed.odd or "")) == ("", True)
    assert (len(found.outbox), len(pds.posted), len(desk.rasa.seen)) == (1, 1, 1)


async def test_a_picture_becomes_evidence_under_its_hash(database_url: str, tmp_path: Path) -> None:
    data, cid = picture(), "bafkreib2rxk3rybpyxsz"
    async with Pds().running() as pds, MediaHost().running() as host:
        section = {"handle": HANDLE, "app_password": PASSWORD, "service": pds.url, "media_url": host.url}
        desk = Whole(tmp_path, database_url, "bluesky", section)
        host.files[f"img/feed_fullsize/plain/{did_of(77)}/{cid}@jpeg"] = data
        shown = {"alt": "", "image": {"$type": "blob", "ref": {"$link": cid}, "mimeType": "image/png"}}
        embed = {"$type": "app.bsky.embed.images", "images": [shown]}
        pds.say(f"@{HANDLE} look at this", ago=30, embed=embed)
        async with desk.running():
            await desk.done(messages=1)
        assert await desk.evidence() == [(f"{cid}.jpg", "image/png", sha256(data).hexdigest(), data)]
