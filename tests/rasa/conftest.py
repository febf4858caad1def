"""One real Rasa with the trained model, one real action server, one tiny back office, for all tests of the folder."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rasa.processes import MODEL as MODEL_PATH
from tests.rasa.processes import RASA_PYTHON, ROOT, Door, Running, environment, free_port, start_actions, start_rasa
from tests.rasa.records import TOKEN, Records


@pytest.fixture(scope="session")
def model() -> Path:
    """The model of today's inputs; trained first where it is missing or old."""
    command = [str(RASA_PYTHON), str(ROOT / "bot" / "rasa" / "train.py")]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return MODEL_PATH


@pytest.fixture(scope="session")
def records() -> Iterator[Records]:
    served = Records()
    yield served
    served.close()


@pytest.fixture(scope="session")
def actions_port() -> int:
    return free_port()


@pytest.fixture(scope="session")
def actions(records: Records, actions_port: int) -> Iterator[Running]:
    running = start_actions(actions_port, records.url, TOKEN)
    running.wait_until_ready()
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="session")
def rasa_port() -> int:
    return free_port()


@pytest.fixture(scope="session")
def rasa(
    model: Path, actions: Running, actions_port: int, rasa_port: int, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    running = start_rasa(rasa_port, tmp_path_factory.mktemp("rasa"), actions_port, model)
    running.wait_until_ready()
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="session")
def door(rasa: Running, rasa_port: int) -> Iterator[Door]:
    opened = Door(rasa_port)
    yield opened
    opened.close()
