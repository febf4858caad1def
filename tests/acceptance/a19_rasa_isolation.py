"""A19: what users type never acts on Rasa; senders and metadata are ours; unsafe settings refuse to start.

python -m tests.acceptance.a19_rasa_isolation
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from tests.acceptance.bar import Bar, main
from tests.fakes.rasa import FakeRasa
from tests.fakes.web import serving
from tests.process.desk import NO_CAPS, ROOT, DeskProcess, free_port
from tests.process.people import Chatter, letter, post

PREFIXES = ["", " ", "\t", "\u00a0", "\u3000", "\u0085", "\u2028", "\u200b", "\ufeff", "\u200f", "\u2060", "\u202e"]
SLASHES = ["/", "／", "//", "\u200b／"]
VARIANTS = [prefix + slash + "restart" for prefix in PREFIXES for slash in SLASHES]
PAYLOADS = [
    f'{slash}{intent}{{"{slot}": true}}'
    for slash in ("/", "／")
    for intent in ("inform", "person", "yes", "session_start", "back")
    for slot in ("verified", "uid")
]
ORDINARY = ["24/7", "／客服", "/help me"]
OURS = {
    *("inbox_id", "channel", "language", "entities", "signals", "account", "can_prove", "case", "urgent", "articles"),
    *("epoch", "known", "language_wish", "live", "overheard", "reopened", "written"),
}


async def run(bar: Bar, folder: Path, database_url: str) -> None:
    rasa = FakeRasa()
    async with serving(rasa.app) as url:
        desk = DeskProcess(folder, database_url, url, CHANNEL__WEBCHAT__MESSAGES_PER_MINUTE="10000", **NO_CAPS)
        await desk.start()
        texts = [*VARIANTS, *PAYLOADS, *ORDINARY]
        chatter = Chatter(desk)
        for text in texts:
            await chatter.say(text)
        for number, text in enumerate(texts):
            sender = f"writer{number}@mail.example"
            await post(desk, letter(sender, "hello", text), sender)
        async with asyncio.timeout(120):
            while len(rasa.seen) < 2 * len(texts):
                await asyncio.sleep(0.1)
        answers = await chatter.wait_for(len(texts), seconds=60)
        await desk.stop()
    commands = [body["text"] for body in rasa.seen if body["text"].strip().startswith("/")]
    bar.require(len(VARIANTS) >= 40 and len(PAYLOADS) >= 20, "variants and payloads tried", len(VARIANTS + PAYLOADS))
    bar.require(not commands, "typed texts that reached Rasa as a command", len(commands))
    senders = {body["sender"] for body in rasa.seen}
    bar.require(all(_opaque(sender) for sender in senders), "senders are channel:opaque", len(senders))
    foreign = {key for body in rasa.seen for key in body["metadata"]} - OURS
    bar.require(not foreign, "metadata is ours alone", sorted(foreign))
    bar.require(len(answers) >= len(texts), "every text on chat, ordinary ones too, got an answer", len(answers))
    await _refusals(bar, folder)


def _opaque(sender: str) -> bool:
    channel, _, key = sender.partition(":")
    return bool(channel) and len(key) >= 16 and key not in ("None", "null", "default")


async def _refusals(bar: Bar, folder: Path) -> None:
    """Unsafe settings stop the start: a Rasa without a secret, on both sides of the border."""
    desk = DeskProcess(folder / "unsafe", "", "http://127.0.0.1:9", RASA_SECRET="")
    code, said = await desk.redress("serve")
    bar.require(code == 2 and "rasa_secret" in said, "the desk refuses a Rasa without a secret", said.strip()[-80:])
    python = ROOT / "bot/rasa/.venv/bin/python"
    env = {name: value for name, value in os.environ.items() if not name.startswith("REDRESS_")}
    process = await asyncio.create_subprocess_exec(
        str(python if python.exists() else sys.executable),
        *("bot/rasa/serve.py", "--port", str(free_port()), "--data", str(folder)),
        cwd=ROOT,
        env=env | {"PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    bar.require(process.returncode == 2, "Rasa refuses to start without a secret", output.decode().strip()[-80:])


if __name__ == "__main__":
    main("A19", run)
