"""What a desk loads: the library of a channel that is off stays where it is, and so does what nobody calls."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from tests.process.desk import ROOT, clean_environment

LIBRARIES = ("atproto_client", "mastodon", "psycopg", "requests", "telegram", "tweepy", "typer")
PROGRAM = f"""
import json, sys
from bot.bootstrap import build
from bot.settings import load
from bot.understanding import reading
desk = build(load())
reading.prepare()
assert "spacy" in sys.modules
print(json.dumps([sorted(desk.channels), [name for name in {LIBRARIES!r} if name in sys.modules]]))
"""


async def test_a_default_desk_loads_no_library_of_a_channel_that_is_off(tmp_path: Path) -> None:
    environment = {
        **clean_environment(),
        "REDRESS_DATA_DIR": str(tmp_path),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, cwd=ROOT, env=environment, stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await process.communicate()
    channels, loaded = json.loads(printed.splitlines()[-1])
    assert channels
    assert loaded == []
