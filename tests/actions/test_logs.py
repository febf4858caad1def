"""Libraries' log lines lose their words."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import logging
from actions.logs import log, quiet_libraries
noisy = logging.getLogger("noisy")
noisy.addHandler(logging.StreamHandler())
quiet_libraries("test")
noisy.warning("user said: my seed phrase")
try:
    raise ValueError("my seed phrase")
except ValueError:
    noisy.exception("failed on my seed phrase")
noisy.info("my seed phrase")
log("info", "ready", port=7)
"""


def test_a_librarys_line_keeps_its_place_and_loses_its_words() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "seed phrase" not in done.stdout + done.stderr
    warned, failed, own = (json.loads(line) for line in done.stderr.splitlines())
    assert warned["place"].startswith("noisy:")
    assert (failed["level"], failed["exception"]) == ("error", "ValueError")
    assert (own["event"], own["port"]) == ("ready", 7)
