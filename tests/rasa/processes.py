"""Real processes for the tests: started, waited for by what they print, stopped cleanly."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[2]
RASA_PYTHON = ROOT / "bot" / "rasa" / ".venv" / "bin" / "python"
MODEL = ROOT / "models" / "bot.tar.gz"
SECRET = "a secret of the tests"
READY_SECONDS = 180


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(**variables: str) -> dict[str, str]:
    """Our own environment without any setting of a Redress that may be running."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("REDRESS_")}
    return clean | variables


class Running:
    """A process that says `ready` on standard error when it serves. Everything it prints is kept in `lines`."""

    def __init__(self, command: Sequence[str], variables: Mapping[str, str], ready: str) -> None:
        self.lines: list[str] = []
        self._ready = threading.Event()
        self._word = ready
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment(**variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip())
            if self._word in line:
                self._ready.set()
        self._ready.set()

    def wait_until_ready(self) -> None:
        assert self._ready.wait(READY_SECONDS), f"not ready after {READY_SECONDS} s: {self.lines}"
        assert self.process.poll() is None, f"ended instead of serving: {self.lines}"

    def pause(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def stop(self) -> int:
        """Asks it to end, as an operator would; its exit code."""
        self.process.terminate()
        try:
            return self.process.wait(20)
        finally:
            self.process.kill()
            self._reader.join(5)
            assert self.process.stdout is not None
            self.process.stdout.close()


def start_actions(port: int, backoffice: str, token: str) -> Running:
    command = [sys.executable, "-m", "actions", "--port", str(port), "--backoffice", backoffice]
    secrets = {"REDRESS_RASA_SECRET": SECRET, "REDRESS_BACKOFFICE_TOKEN": token}
    return Running(command, secrets, "actions are ready")


def start_rasa(port: int, data: Path, actions_port: int, model: Path = MODEL, secret: str = SECRET) -> Running:
    command = [str(RASA_PYTHON), str(ROOT / "bot" / "rasa" / "serve.py"), "--port", str(port)]
    command += ["--model", str(model), "--data", str(data)]
    command += ["--actions-url", f"http://127.0.0.1:{actions_port}/webhook"]
    return Running(command, {"REDRESS_RASA_SECRET": secret}, "rasa is ready")


class Door:
    """Rasa's one channel, as the desk calls it."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/webhooks/redress"
        self._http = httpx.Client(timeout=15, trust_env=False)
        self._inbox_id = 0

    def post(self, body: Any, secret: str = SECRET) -> httpx.Response:
        return self._http.post(f"{self.url}/turn", json=body, headers={"Authorization": f"Bearer {secret}"})

    def turn(self, sender: str, text: str, language: str = "en", **metadata: Any) -> httpx.Response:
        self._inbox_id += 1
        body = {"sender": sender, "text": text, "inbox_id": self._inbox_id, "language": language, "metadata": metadata}
        return self.post(body)

    def say(self, sender: str, text: str, language: str = "en", **metadata: Any) -> list[dict[str, Any]]:
        """The commands that answer a message; fails unless the turn was complete."""
        answer = self.turn(sender, text, language, **metadata)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert body["complete"] is True
        assert body["inbox_id"] == self._inbox_id
        return [message["custom"] for message in body["messages"]]

    def get(self, path: str) -> httpx.Response:
        return self._http.get(path)

    def close(self) -> None:
        self._http.close()
