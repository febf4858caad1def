"""Bar A20 as part of the suite."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.a20_dependencies_fail import run
from tests.acceptance.bar import measure


@pytest.mark.timeout(400)
async def test_people_hear_the_truth_while_parts_fail(database_url: str, tmp_path: Path) -> None:
    bar = await measure("A20", run, tmp_path, database_url)
    assert bar.failed == []
