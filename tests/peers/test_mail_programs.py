"""Mail as people send it: swaks, s-nail and mutt write through a real Postfix, and read its answer in their mailbox."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from bench.postfix import tool
from bot import catalogue
from tests.peers.conftest import Border
from tests.peers.mailboxes import USERS

INBOX = "complaints@exchange.example"
PROGRAMS = ("swaks", "s-nail", "mutt")
GREETINGS = {"en": "Good morning to you all, my friends", "zh": "大家早上好"}


def command(program: str, port: int, sender: str, to: str, subject: str, body: Path) -> Sequence[str]:
    match program:
        case "swaks":
            fields = ("MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit")
            added = [part for field in fields for part in ("--add-header", field)]
            envelope = ["--server", "127.0.0.1", "--port", str(port), "--from", sender, "--to", to]
            return ["swaks", *envelope, "--body", f"@{body}", "--header", f"Subject: {subject}", *added]
        case "s-nail":
            server = [f"mta=smtp://127.0.0.1:{port}", "smtp-auth=none", "v15-compat", "sendwait"]
            settings = [*server, f"from={sender}", "ttycharset=utf-8"]
            return ["s-nail", "-:/", *(part for each in settings for part in ("-S", each)), "-s", subject, to]
        case _:
            server = [
                f'smtp_url="smtp://127.0.0.1:{port}"',
                "ssl_starttls=no",
                "ssl_force_tls=no",
                "use_envelope_from=yes",
                "copy=no",
            ]
            settings = [*server, f'from="{sender}"', "charset=utf-8"]
            options = [part for each in settings for part in ("-e", f"set {each}")]
            return ["mutt", "-n", "-F", "/dev/null", *options, "-s", subject, "--", to]


async def write(program: str, border: Border, folder: Path, sender: str, to: str, text: str) -> None:
    body = folder / "body.txt"
    body.write_text(text + "\n", encoding="utf-8")
    environment = {"HOME": str(folder), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TERM": "dumb", "EMAIL": sender}
    with body.open("rb") as standard_input:
        run = await asyncio.create_subprocess_exec(
            *command(program, border.port, sender, to, "Help 求助", body),
            stdin=standard_input,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=environment,
        )
        said, _ = await asyncio.wait_for(run.communicate(), 60)
    assert run.returncode == 0, said.decode(errors="replace")[-1000:]


def stored(border: Border, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(border.desk.folder / "redress.db")) as database:
        return database.execute(query).fetchall()


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("program", PROGRAMS)
async def test_a_letter_is_answered_into_its_thread(border: Border, folder: Path, program: str, language: str) -> None:
    sender = f"li@{USERS}"
    await write(program, border, folder, sender, INBOX, GREETINGS[language])
    [answer] = await border.mailboxes.wait("li", 1)
    body = answer.get_body(("plain",))
    assert body is not None
    assert body.get_content().strip() == catalogue.whole().say("bot.greeting", language)
    assert answer["Subject"] == "Re: Help 求助"
    assert answer["Auto-Submitted"] == "auto-replied"
    assert answer["Return-Path"] == "<>"
    await write(program, border, folder, sender, str(answer["Reply-To"]), GREETINGS[language])
    _, second = await border.mailboxes.wait("li", 2)
    assert second["In-Reply-To"]
    assert second["In-Reply-To"] != answer["In-Reply-To"]
    assert stored(border, "SELECT channel, last_seq FROM conversation") == [("mail", 4)]


async def test_a_strangers_reply_to_a_signed_address_is_a_new_conversation(border: Border, folder: Path) -> None:
    await write("swaks", border, folder, f"li@{USERS}", INBOX, GREETINGS["en"])
    [answer] = await border.mailboxes.wait("li", 1)
    await write("swaks", border, folder, f"wang@{USERS}", str(answer["Reply-To"]), GREETINGS["zh"])
    [other] = await border.mailboxes.wait("wang", 1)
    assert other["Reply-To"] != answer["Reply-To"]
    assert len(stored(border, "SELECT id FROM conversation")) == 2


async def test_what_comes_while_the_desk_is_down_waits_in_postfix_and_is_stored_once(
    closed_desk: Border, folder: Path
) -> None:
    for user in ("li", "wang", "zhao"):
        await write("swaks", closed_desk, folder, f"{user}@{USERS}", INBOX, GREETINGS["en"])
    await closed_desk.desk.start()
    flush = await asyncio.create_subprocess_exec(tool("postqueue"), "-c", str(closed_desk.configuration), "-f")
    assert await flush.wait() == 0
    for user in ("li", "wang", "zhao"):
        await closed_desk.mailboxes.wait(user, 1)
    assert len(stored(closed_desk, "SELECT id FROM inbox")) == 3
    assert [len(closed_desk.mailboxes.of(user)) for user in ("li", "wang", "zhao")] == [1, 1, 1]
