"""`python -m bench.profile`: where the app's time goes while it answers chats; written to build/bench/profile.txt.

The sampling slows the app down by about a tenth. Idle time is left out of nothing: look at shares of `Handle._run`.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from pathlib import Path

from bench.chat import QUESTIONS
from bench.desk import chatting, whole_desk
from bench.frame import BUILD


async def _profile(conversations: int, profile: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="work-", dir=BUILD) as folder:
        async with whole_desk(Path(folder), profile) as desk:
            for _ in range(conversations):
                async with chatting(desk) as chat:
                    for question in QUESTIONS:
                        await chat.ask(question)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.profile", description="Where does a chat turn's time go?")
    parser.add_argument("--conversations", type=int, default=20, help=f"each of {len(QUESTIONS)} messages")
    options = parser.parse_args()
    BUILD.mkdir(parents=True, exist_ok=True)
    path = BUILD / "profile.txt"
    asyncio.run(_profile(options.conversations, path))
    print(f"written: {path.relative_to(BUILD.parents[1])}")


if __name__ == "__main__":
    main()
