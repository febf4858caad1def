"""`python -m tests.conversations.write [files]`: plays conversations and writes down anew what the desk says in them.

What comes out is to be read: a transcript is what the desk should say, not what it happens to say.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from tests.conversations.script import DONE, FOLDER, Line, Script, preface, scripts
from tests.conversations.stage import play_all


def main(names: list[str]) -> int:
    wanted = [script for script in scripts() if not names or script.file in names]
    with tempfile.TemporaryDirectory() as folder:
        played = asyncio.run(play_all(Path(folder), wanted))
    for script in wanted:
        if failure := played[script.id].failure:
            print(f"{script.id}: {type(failure).__name__} {failure}", file=sys.stderr)
    for name, group in groupby(wanted, key=lambda script: script.file):
        path = FOLDER / f"{name}.txt"
        told = [script.played(_whole(script, played[script.id].lines)) for script in group]
        path.write_text("\n\n".join([preface(path), *map(str, told)]) + "\n", encoding="utf-8")
    return 0


def _whole(script: Script, seen: Sequence[Line]) -> Sequence[Line]:
    """With what is still to be done in a conversation that was broken off."""
    done = sum(line.kind in DONE for line in seen)
    return [*seen, *script.deeds[done:]]


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
