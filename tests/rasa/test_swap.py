"""One model takes another's place: on disk in every order of events, and under a Rasa that is talking to people."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from bot.rasa import swap
from bot.rasa.stamp import entry_of, fault_of, file_digest, inputs_of, taught_path, write_stamp
from bot.rasa.swap import CannotSwap, alone, back, install
from tests.rasa.processes import RASA_PYTHON, ROOT, Door, Running, environment, free_port, start_rasa

SECONDS = 60


def put(folder: Path, name: str, content: str, taught: str = "") -> Path:
    """A tiny whole model."""
    model = folder / f"{name}.tar.gz"
    model.write_text(content)
    write_stamp(model, f"inputs of {content}")
    if taught:
        taught_path(model).write_text(taught)
    return model


def content_of(model: Path) -> tuple[str, str | None, str]:
    """Of a whole model: its bytes, what it was made from, what it was taught."""
    assert fault_of(model) is None
    lessons = taught_path(model)
    return model.read_text(), inputs_of(model), lessons.read_text() if lessons.is_file() else ""


OLD, NEW = ("old", "inputs of old", ""), ("new", "inputs of new", "lessons")


def test_a_new_model_takes_the_place_and_the_old_one_can_come_back(tmp_path: Path) -> None:
    live = put(tmp_path, "bot", "old")
    install(put(tmp_path, "candidate", "new", "lessons"), live)
    assert content_of(live) == NEW
    assert content_of(tmp_path / swap.PREVIOUS) == OLD
    back(live)
    assert content_of(live) == OLD
    assert content_of(tmp_path / swap.PREVIOUS) == NEW
    back(live)
    assert content_of(live) == NEW
    assert {path.name for path in tmp_path.iterdir()} == {
        "bot.stamp",
        "bot.taught.yml",
        "bot.tar.gz",
        "previous.stamp",
        "previous.tar.gz",
    }


def test_a_first_model_has_no_previous_one(tmp_path: Path) -> None:
    live = tmp_path / "bot.tar.gz"
    install(put(tmp_path, "candidate", "new", "lessons"), live)
    assert content_of(live) == NEW
    with pytest.raises(CannotSwap, match="no previous model"):
        back(live)


def test_a_broken_model_takes_nobodys_place(tmp_path: Path) -> None:
    live, candidate = put(tmp_path, "bot", "old"), put(tmp_path, "candidate", "new")
    candidate.write_text("ne")
    with pytest.raises(CannotSwap, match="not the one that was trained"):
        install(candidate, live)
    install(put(tmp_path, "candidate", "new", "lessons"), live)
    (tmp_path / swap.PREVIOUS).write_text("ol")
    with pytest.raises(CannotSwap, match="not the one that was trained"):
        back(live)
    assert content_of(live) == NEW


def test_a_broken_live_model_is_replaced_and_not_kept(tmp_path: Path) -> None:
    live = put(tmp_path, "bot", "old")
    live.write_text("ol")
    install(put(tmp_path, "candidate", "new", "lessons"), live)
    assert content_of(live) == NEW
    assert not (tmp_path / swap.PREVIOUS).exists()


class PowerCut(Exception):
    pass


@pytest.mark.parametrize("step", range(1, 20))
def test_whenever_the_power_goes_a_whole_model_stands_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    live = put(tmp_path, "bot", "old")
    candidate = put(tmp_path, "candidate", "new", "lessons")
    left = step

    def cut[**P, T](deed: Callable[P, T]) -> Callable[P, T]:
        def wrapped(*given: P.args, **named: P.kwargs) -> T:
            nonlocal left
            left -= 1
            if left == 0:
                raise PowerCut
            return deed(*given, **named)

        return wrapped

    with monkeypatch.context() as patch:
        for owner, name in ((Path, "replace"), (Path, "unlink"), (Path, "write_text"), (os, "link"), (os, "fsync")):
            patch.setattr(owner, name, cut(getattr(owner, name)))
        with suppress(PowerCut):
            install(candidate, live)
    assert entry_of(live) is not None
    assert live.read_text() in ("old", "new")
    if candidate.is_file() and entry_of(candidate) is not None:
        install(candidate, live)
        assert content_of(live)[0] == "new"


def test_two_trainings_come_one_after_the_other(tmp_path: Path) -> None:
    order: list[str] = []
    begun = threading.Event()

    def second() -> None:
        begun.set()
        with alone(tmp_path):
            order.append("second")

    with alone(tmp_path):
        other = threading.Thread(target=second)
        other.start()
        assert begun.wait(SECONDS)
        order.append("first")
    other.join(SECONDS)
    assert order == ["first", "second"]
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_training_left_is_cleared_away(tmp_path: Path) -> None:
    (tmp_path / ".training-abc" / "components").mkdir(parents=True)
    with alone(tmp_path):
        assert list(tmp_path.iterdir()) == []


def test_back_says_when_there_is_nothing_to_put_back(tmp_path: Path) -> None:
    command = [str(RASA_PYTHON), str(ROOT / "bot/rasa/train.py"), "--back", "--model", str(tmp_path / "bot.tar.gz")]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, "There is no previous model to put back.\n")


def another_like(model: Path) -> Path:
    """A candidate of the same content in other bytes: another model as far as anybody can tell."""
    candidate = model.with_name(swap.CANDIDATE)
    with gzip.open(model) as source, gzip.open(candidate, "wb", compresslevel=1) as target:
        shutil.copyfileobj(source, target)
    write_stamp(candidate, str(inputs_of(model)))
    return candidate


@contextmanager
def serving(model: Path, data: Path, actions_port: int) -> Iterator[tuple[Running, Door]]:
    port = free_port()
    running = start_rasa(port, data, actions_port, model)
    running.wait_until_ready()
    door = Door(port)
    try:
        yield running, door
    finally:
        door.close()
        assert running.stop() == 0


def until(running: Running, door: Door, event: str) -> None:
    """Until the process has said that; people go on talking to it meanwhile."""
    said = len([line for line in running.lines if event in line])
    for turn in range(10_000):
        assert door.say(f"webchat:meanwhile-{turn % 7}", "hello")
        if len([line for line in running.lines if event in line]) > said:
            return
    pytest.fail(f"never said {event}: {running.lines}")


@pytest.mark.usefixtures("actions")
def test_conversations_survive_a_swap_a_broken_archive_and_the_way_back(
    model: Path, actions_port: int, tmp_path: Path
) -> None:
    live = Path(shutil.copy(model, tmp_path / "bot.tar.gz"))
    shutil.copy(model.with_name("bot.stamp"), tmp_path / "bot.stamp")
    first = file_digest(live)
    with serving(live, tmp_path / "data", actions_port) as (running, door):
        for language, text in (("en", "how do I reset my authenticator"), ("zh", "怎么重置谷歌验证器")):
            asked = door.say(f"webchat:half-{language}", text, language)
            assert asked[-1]["key"] == "did_this_help"

        install(another_like(live), live)
        until(running, door, "another model answers now")
        ready = door.get(f"{door.url}/ready").json()
        assert ready == {"ready": True, "model": file_digest(live)[:12], "fault": None}
        assert ready["model"] != first[:12]
        assert door.say("webchat:half-en", "yes")[0]["command"] == "resolve"

        live.unlink()
        live.write_bytes(b"no archive")
        until(running, door, "the model stays")
        ready = door.get(f"{door.url}/ready").json()
        assert ready["fault"].endswith("The one before keeps serving.")
        assert str(live) in ready["fault"]

        back(live)
        until(running, door, "another model answers now")
        assert door.get(f"{door.url}/ready").json() == {"ready": True, "model": first[:12], "fault": None}
        assert door.say("webchat:half-zh", "是的", "zh")[0]["command"] == "resolve"


@pytest.mark.usefixtures("actions")
def test_a_whole_archive_that_is_no_model_does_not_stop_the_one_that_answers(
    model: Path, actions_port: int, tmp_path: Path
) -> None:
    live = Path(shutil.copy(model, tmp_path / "bot.tar.gz"))
    shutil.copy(model.with_name("bot.stamp"), tmp_path / "bot.stamp")
    with serving(live, tmp_path / "data", actions_port) as (running, door):
        install(put(tmp_path, "candidate", "not even a tar"), live)
        until(running, door, "the model stays")
        assert "cannot be loaded (ReadError)" in door.get(f"{door.url}/ready").json()["fault"]
