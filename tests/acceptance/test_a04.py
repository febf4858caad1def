"""Bar A4 as part of the suite."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.a04_honest_smtp import run
from tests.acceptance.bar import measure


@pytest.mark.timeout(400)
async def test_a_mail_server_hears_the_truth(database_url: str, tmp_path: Path) -> None:
    bar = await measure("A4", run, tmp_path, database_url)
    assert bar.failed == []
