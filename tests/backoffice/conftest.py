"""A real demo exchange for all tests of this folder."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.backoffice.demo_exchange import WIDGET_URL, Demo


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The demo exchange as a process of its own on a free port."""
    data = tmp_path_factory.mktemp("exchange")
    command = [sys.executable, "-m", "actions.backoffice.demo", "--port", "0", "--data", str(data)]
    with subprocess.Popen([*command, "--widget-url", WIDGET_URL], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Demo(json.loads(process.stdout.readline())["listening"], data)
        finally:
            process.terminate()
