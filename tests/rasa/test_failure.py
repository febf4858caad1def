"""A turn is complete or failed: dead, broken and hanging peers, and a restart in the middle of a question."""

from __future__ import annotations

import json
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, override

import pytest

from tests.rasa.processes import (
    MODEL,
    RASA_PYTHON,
    ROOT,
    SECRET,
    Door,
    Running,
    environment,
    free_port,
    start_actions,
    start_rasa,
)

ANSWER = b'{"events": [], "responses": [{"custom": {"command": "resolve"}}]}'
BUDGET_SECONDS = 5.0


class _Peer(BaseHTTPRequestHandler):
    """An action server that answers what the test says: a status with a body, or nothing at all."""

    status = 500
    body = b"{}"
    hangs: threading.Event
    asked: list[dict[str, Any]]

    def do_POST(self) -> None:
        self.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        if self.status == 0:
            self.hangs.wait(30)
            return
        self.send_response(self.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Silent."""


@contextmanager
def peer(port: int, status: int, body: bytes) -> Iterator[list[dict[str, Any]]]:
    """Answers as told for as long as the block runs; gives the calls that came."""
    released = threading.Event()
    asked: list[dict[str, Any]] = []
    handler = type("Handler", (_Peer,), {"status": status, "body": body, "hangs": released, "asked": asked})
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield asked
    finally:
        released.set()
        server.shutdown()
        server.server_close()
        thread.join(5)


class Second:
    """A Rasa of this module's own, which can be restarted; what answers at its action server's port is up to a test."""

    def __init__(self, model: Path, data: Path) -> None:
        self.data = data
        self.actions_port = free_port()
        self._model = model
        self._start()

    def _start(self) -> None:
        port = free_port()
        self._running = start_rasa(port, self.data, self.actions_port, self._model)
        self._running.wait_until_ready()
        self.door = Door(port)

    def stop(self) -> None:
        self.door.close()
        assert self._running.stop() == 0

    def restart(self) -> None:
        self.stop()
        self._start()


@pytest.fixture(scope="module")
def second(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Second]:
    running = Second(model, tmp_path_factory.mktemp("second"))
    yield running
    running.stop()


@pytest.mark.parametrize(
    ("status", "body", "wanted"),
    [
        (500, b"{}", 502),
        (404, b'{"error": "no such action"}', 502),
        (400, b'{"action_name": "action_greet", "error": "rejected"}', 502),
        (200, b"this is not JSON", 502),
        (200, b'["events", "responses"]', 502),
        (200, b'{"events": 7, "responses": []}', 502),
        (200, b'{"events": [{"name": "no event"}], "responses": [{"text": "x"}]}', 502),
        (200, b'{"events": [], "responses": ["x"]}', 502),
        (200, b'{"events": [], "responses": []}', 502),
        (
            200,
            b'{"events": [{"event": "action_execution_rejected", "name": "action_greet"}], "responses": []}',
            502,
        ),
        (200, b'{"events": [{"event": "followup", "name": "action_greet"}], "responses": [{"text": "x"}]}', 502),
    ],
)
def test_a_broken_action_server_fails_the_turn(second: Second, status: int, body: bytes, wanted: int) -> None:
    with peer(second.actions_port, status, body) as asked:
        answer = second.door.turn("webchat:broken", "hello")
    assert asked
    assert answer.status_code == wanted
    assert answer.json()["complete"] is False
    assert "Traceback" not in answer.text


def test_a_dead_action_server_fails_the_turn(second: Second) -> None:
    answer = second.door.turn("webchat:dead", "hello")
    assert answer.status_code == 502
    assert answer.json()["complete"] is False


def test_a_hanging_action_server_fails_the_turn_within_the_budget(second: Second) -> None:
    with peer(second.actions_port, 0, b""):
        started = time.monotonic()
        answer = second.door.turn("webchat:hanging", "hello")
        took = time.monotonic() - started
    assert answer.status_code == 502
    assert took < BUDGET_SECONDS


def test_a_failed_turn_leaves_nothing_behind_and_the_next_one_works(second: Second) -> None:
    second.door.turn("webchat:again", "hello")
    with closing(sqlite3.connect(second.data / "rasa.db")) as database:
        assert database.execute("select count(*) from events where sender_id = 'webchat:again'").fetchone() == (0,)
    with peer(second.actions_port, 200, ANSWER):
        assert second.door.say("webchat:again", "hello") == [{"command": "resolve"}]


def said(second: Second, sender: str) -> list[str]:
    """The user's words that the conversation holds."""
    with closing(sqlite3.connect(second.data / "rasa.db")) as database:
        query = "select data from events where sender_id = ? and type_name = 'user' order by id"
        return [json.loads(data)["text"] for (data,) in database.execute(query, (sender,))]


def test_a_failed_turn_is_forgotten_by_a_conversation_that_was_going_on(second: Second) -> None:
    with peer(second.actions_port, 200, ANSWER):
        second.door.say("webchat:going-on", "hello")
    assert second.door.turn("webchat:going-on", "thanks").status_code == 502
    with peer(second.actions_port, 200, ANSWER):
        second.door.say("webchat:going-on", "where is my withdrawal")
    assert said(second, "webchat:going-on") == ["hello", "where is my withdrawal"]


def test_what_another_process_said_in_a_conversation_is_known(second: Second) -> None:
    with peer(second.actions_port, 200, ANSWER):
        second.door.say("webchat:shared", "hello")
    event = {"event": "slot", "name": "matter", "value": "deposit_issue", "timestamp": time.time()}
    row = ("webchat:shared", "slot", event["timestamp"], json.dumps(event))
    with closing(sqlite3.connect(second.data / "rasa.db")) as database, database:
        database.execute("insert into events (sender_id, type_name, timestamp, data) values (?, ?, ?, ?)", row)
    with peer(second.actions_port, 200, ANSWER) as asked:
        second.door.say("webchat:shared", "thanks")
    assert asked[0]["tracker"]["slots"]["matter"] == "deposit_issue"
    assert said(second, "webchat:shared") == ["hello", "thanks"]


def test_a_tracker_store_that_cannot_write_fails_the_turn(second: Second) -> None:
    with (
        peer(second.actions_port, 200, ANSWER),
        closing(sqlite3.connect(second.data / "rasa.db", isolation_level=None)) as database,
    ):
        database.execute("begin immediate")
        answer = second.door.turn("webchat:locked", "hello")
        database.execute("rollback")
    assert answer.status_code == 500
    assert answer.json()["complete"] is False


def test_what_was_asked_is_still_asked_after_a_restart(second: Second) -> None:
    filled = {
        "awaiting": "fact",
        "asked": "network",
        "tries": 1,
        "matter": "deposit_issue",
        "facts": {"deposit_issue": {"amount": "500 USDT", "tx_hash": ""}},
        "later": ["fees_limits"],
        "unhanded": ["money_missing"],
        "epoch": 3,
    }
    slots = [{"event": "slot", "name": name, "value": value} for name, value in filled.items()]
    with peer(second.actions_port, 200, json.dumps({**json.loads(ANSWER), "events": slots}).encode()):
        second.door.say("webchat:kept", "where is my withdrawal")
    with closing(sqlite3.connect(second.data / "rasa.db")) as database:
        assert database.execute("pragma journal_mode").fetchone() == ("wal",)
    second.restart()
    with peer(second.actions_port, 200, ANSWER) as asked:
        second.door.say("webchat:kept", "/yes")
    assert asked[0]["next_action"] == "action_yes"
    assert {name: asked[0]["tracker"]["slots"][name] for name in filled} == filled


def test_a_long_conversation_does_not_grow_without_end(second: Second) -> None:
    with peer(second.actions_port, 200, ANSWER):
        for _ in range(45):
            second.door.say("webchat:endless", "hello")
    with closing(sqlite3.connect(second.data / "rasa.db")) as database:
        kept = database.execute("select count(*) from events where sender_id = 'webchat:endless'").fetchone()
    assert kept[0] < 200


def ended(running: Running) -> tuple[int, str]:
    """The exit code and the words of a process that does not start."""
    code = running.process.wait(120)
    running.stop()
    return code, "\n".join(running.lines)


def test_without_a_secret_it_does_not_start(model: Path, tmp_path: Path) -> None:
    code, words = ended(start_rasa(free_port(), tmp_path, free_port(), model, secret=" "))
    assert code == 2
    assert "REDRESS_RASA_SECRET" in words


def test_the_action_server_does_not_start_without_a_secret_either() -> None:
    command = [sys.executable, "-m", "actions", "--port", "1", "--backoffice", "http://127.0.0.1:1"]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True)
    assert done.returncode == 2
    assert "REDRESS_RASA_SECRET" in done.stderr


def test_a_port_in_use_is_one_sentence(model: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for running in (
            start_rasa(port, tmp_path, free_port(), model),
            start_actions(port, "http://127.0.0.1:1", "token"),
        ):
            code, words = ended(running)
            assert code == 2
            assert words.startswith(f"Port {port} on 127.0.0.1 cannot be used")
            assert len(words.splitlines()) == 1


def test_a_missing_model_is_one_sentence(tmp_path: Path) -> None:
    code, words = ended(start_rasa(free_port(), tmp_path, free_port(), tmp_path / "bot.tar.gz"))
    assert code == 3
    assert words == f"There is no model at {tmp_path / 'bot.tar.gz'}: train one with bot/rasa/train.py."


def test_a_damaged_model_is_one_sentence(model: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "bot.tar.gz"
    damaged.write_bytes(model.read_bytes()[:-1000])
    shutil.copy(MODEL.with_name("bot.stamp"), tmp_path / "bot.stamp")
    code, words = ended(start_rasa(free_port(), tmp_path, free_port(), damaged))
    assert code == 3
    assert words.startswith(f"The model {damaged} is not the one that was trained")
    assert len(words.splitlines()) == 1


def test_a_model_that_was_never_one_is_one_sentence(tmp_path: Path) -> None:
    never = tmp_path / "bot.tar.gz"
    never.write_bytes(b"not an archive")
    stamp = "import pathlib, sys; from bot.rasa.stamp import write_stamp; write_stamp(pathlib.Path(sys.argv[1]), '')"
    subprocess.run([str(RASA_PYTHON), "-c", stamp, str(never)], cwd=ROOT, check=True)
    code, words = ended(start_rasa(free_port(), tmp_path, free_port(), never))
    assert code == 3
    assert f"The model {never} cannot be loaded" in words
    assert "Traceback" not in words
    assert SECRET not in words
