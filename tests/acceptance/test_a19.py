"""Bar A19 as part of the suite."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.store.migrate import migrate
from tests.acceptance.a19_rasa_isolation import run
from tests.acceptance.bar import measure


@pytest.mark.timeout(400)
async def test_rasa_is_isolated(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'redress.db'}"
    migrate(url)
    bar = await measure("A19", run, tmp_path, url)
    assert bar.failed == []
