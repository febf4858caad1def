"""The benchmarks of the channels run, in small: they measure what they say, and fail when something is lost."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bench import __main__ as command
from bench import frame, mail, mentions, webhook


@pytest.fixture(autouse=True)
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing is written to the project's own build folder."""
    folder = tmp_path / "build" / "bench"
    monkeypatch.setattr(frame, "BUILD", folder)
    return folder


async def rounds(name: str) -> frame.Result:
    return await frame.run(command.found()[name], lambda _line: None, rounds=1)


async def test_updates_are_stored_by_every_side(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "UPDATES", 80)
    result = await rounds("webhook")
    sides = [side(each) for each in (webhook.SQLITE, webhook.POSTGRESQL) for side in (webhook.floor, webhook.ours)]
    assert list(result.series) == sides
    assert [verdict.bar.limit for verdict in result.verdicts if verdict.values] == [0.7, 0.7]


async def test_mentions_are_stored_once_each_within_quota(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mentions, "MENTIONS", 250)
    monkeypatch.setattr(mentions, "AUTHORS", 30)
    result = await rounds("mentions")
    assert list(result.series) == [mentions.FORGOTTEN, mentions.SQLITE, mentions.POSTGRESQL]


@pytest.mark.skipif(shutil.which("smtp-source", path="/usr/sbin") is None, reason="smtp-source comes with Postfix")
async def test_mail_is_stored_over_one_twenty_and_a_hundred_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(mail.MAILS) == [1, 20, 100]
    monkeypatch.setattr(mail, "MAILS", {1: 2, 100: 100})
    result = await rounds("mail-keep")
    assert {mail.series(mail.SQLITE, 1), mail.series(mail.POSTGRESQL, 100)} <= set(result.series)
