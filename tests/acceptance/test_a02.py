"""Bar A2 as part of the suite, with fewer mails."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from tests.acceptance import strace
from tests.acceptance.a02_on_disk_before_250 import run
from tests.acceptance.bar import measure


@pytest.mark.timeout(400)
async def test_a_mail_is_on_disk_before_its_sender_hears_so(database_url: str, tmp_path: Path) -> None:
    try:
        bar = await measure("A2", partial(run, 20), tmp_path, database_url)
    except strace.CannotTrace as lacking:
        pytest.skip(str(lacking))
    assert bar.failed == []
