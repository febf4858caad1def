"""Who may speak to Rasa, about what, and what else is open on its port."""

from __future__ import annotations

import socket
from typing import Any

import httpx
import pytest

from tests.rasa.processes import SECRET, Door, Running

GOOD: dict[str, Any] = {"sender": "webchat:c", "text": "hello", "inbox_id": 1, "language": "en", "metadata": {}}


def test_ready_is_open_to_all(door: Door) -> None:
    assert door.get(f"{door.url}/ready").status_code == 200


@pytest.mark.parametrize("secret", ["x", "wrong", SECRET[:-1], f"{SECRET}x"])
def test_without_the_secret_nothing_is_answered(door: Door, secret: str) -> None:
    answer = door.post(GOOD, secret=secret)
    assert answer.status_code == 401
    assert answer.json()["complete"] is False


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"sender": None}, "sender"),
        ({"sender": ""}, "sender"),
        ({"sender": "default"}, "sender"),
        ({"sender": 7}, "sender"),
        ({"text": None}, "text"),
        ({"text": " \u3000"}, "text"),
        ({"text": ["hello"]}, "text"),
        ({"inbox_id": "1"}, "inbox_id"),
        ({"inbox_id": True}, "inbox_id"),
        ({"language": "fr"}, "language"),
        ({"metadata": []}, "metadata"),
        ({"text": "/restart"}, "slash"),
        ({"text": "/session_start"}, "slash"),
        ({"text": "/back"}, "slash"),
        ({"text": "/nlu_fallback"}, "slash"),
        ({"text": '/yes{"uid": "u1"}'}, "slash"),
        ({"text": "/yes@1.0"}, "slash"),
        ({"text": " /yes"}, "slash"),
        ({"text": "\u3000/yes"}, "slash"),
        ({"text": "/yes\n"}, "slash"),
        ({"text": "/dance"}, "slash"),
        ({"text": "/help me"}, "slash"),
    ],
)
def test_what_is_not_a_turn_is_refused_with_a_sentence(door: Door, change: dict[str, Any], named: str) -> None:
    answer = door.post(GOOD | change)
    assert answer.status_code == 400
    body = answer.json()
    assert body["complete"] is False
    assert named in body["error"]


def test_a_body_that_is_no_json_is_refused(door: Door) -> None:
    headers = {"Authorization": f"Bearer {SECRET}"}
    answer = httpx.post(f"{door.url}/turn", content=b"{", headers=headers, trust_env=False)
    assert answer.status_code == 400
    assert answer.json()["complete"] is False


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/status",
        "/version",
        "/domain",
        "/conversations/webchat:c/tracker",
        "/conversations/webchat:c/execute",
        "/model/parse",
        "/model",
        "/webhooks/rest/webhook",
        "/webhooks/redress",
        "/socket.io/",
    ],
)
def test_nothing_else_is_served(door: Door, path: str) -> None:
    base = door.url.removesuffix("/webhooks/redress")
    for method in ("GET", "POST", "PUT", "DELETE"):
        answer = httpx.request(method, f"{base}{path}", json={}, trust_env=False)
        assert answer.status_code in (404, 405)


@pytest.mark.parametrize("other", ["127.0.0.2", "::1"])
def test_both_processes_listen_on_127_0_0_1_only(
    rasa: Running, actions: Running, rasa_port: int, actions_port: int, other: str
) -> None:
    """A server on all addresses would also answer on every other one of this machine."""
    for port in (rasa_port, actions_port):
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
        with pytest.raises(OSError):
            socket.create_connection((other, port), timeout=5)


def test_the_action_server_wants_the_secret_too(actions: Running, actions_port: int) -> None:
    call = {"next_action": "action_greet", "sender_id": "x", "tracker": {}, "domain": {}, "version": "3.6.21"}
    answer = httpx.post(f"http://127.0.0.1:{actions_port}/webhook", json=call, trust_env=False)
    assert answer.status_code == 401


def test_no_word_of_a_user_reaches_the_logs(door: Door, rasa: Running, actions: Running) -> None:
    secret = "zanzibar elephant 象牙海岸"
    door.turn("webchat:quiet", f"my withdrawal {secret}")
    door.turn("webchat:quiet", f"/{secret}")
    door.turn("webchat:quiet", f'/yes{{"x": "{secret}"}}')
    for word in ("zanzibar", "elephant", "象牙"):
        assert not [line for line in rasa.lines + actions.lines if word in line]
    assert all(line.startswith("{") for line in rasa.lines + actions.lines)
