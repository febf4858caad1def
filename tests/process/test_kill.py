"""kill -9 at random moments while mail and chat arrive: the short form of bar A1 (`make acceptance-kill`)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.a01_no_loss_under_kill import rounds_of
from tests.acceptance.bar import Bar
from tests.acceptance.killing import Plan

PLAN = Plan(rounds=5, mails=8, chats=12, lease_seconds=3.0, seed=3)
"""With this seed the app is killed three times, a process that reads mail and Rasa once each."""


@pytest.mark.timeout(300)
async def test_nothing_is_lost_repeated_or_reordered(database_url: str, tmp_path: Path) -> None:
    bar = Bar("A1")
    await rounds_of(PLAN, bar, tmp_path, database_url)
    assert bar.failed == []
