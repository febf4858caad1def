"""Every log line is one JSON object, and an exception's message stays out of it."""

from __future__ import annotations

import json
import subprocess
import sys

SCRIPT = """
import logging, structlog
from bot import logs
logs.set_up()
log = structlog.get_logger()
log.info("plain", inbox_id=1)
try:
    raise ValueError("seed phrase: apple banana\\n2026 admin login ok")
except ValueError as error:
    log.error("broke", exc_info=error)
    logging.getLogger("uvicorn.error").error("page failed", exc_info=True)
logging.getLogger("mail.log").error("b'RCPT TO:<someone@private.example>'")
logging.getLogger("httpx").info("GET https://host/track/RD-1/secret")
"""


def test_lines_are_json_and_hold_no_customers_text() -> None:
    run = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    assert [line["event"] for line in lines] == ["plain", "broke", "page failed"]
    assert lines[1]["exception"] == lines[2]["exception"] == "ValueError"
    assert lines[1]["places"]
    everything = run.stdout + run.stderr
    for private in ("apple", "private.example", "secret", "admin login"):
        assert private not in everything
