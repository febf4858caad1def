"""Bad input from operators and the machine: a clear sentence or the right code, and nothing lost."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import aiosmtplib
import pytest

from bot.store.migrate import migrate
from tests.fakes.rasa import FakeRasa
from tests.fakes.web import serving
from tests.process.desk import DeskProcess, free_port
from tests.process.people import Chatter, letter, post

MIB = 1024 * 1024
DISK_BYTES = 14 * MIB
BALLAST_BYTES = 4 * MIB
"""Taken at the start: the room that an operator makes later. What waited needs some of it."""


@pytest.fixture
async def rasa_url() -> AsyncIterator[str]:
    async with serving(FakeRasa().app) as url:
        yield url


def sqlite(folder: Path) -> str:
    url = f"sqlite:///{folder / 'redress.db'}"
    migrate(url)
    return url


async def refused(folder: Path, expected: int = 2, **settings: str) -> str:
    """What `redress serve` says when it refuses to start with these settings."""
    desk = DeskProcess(folder, sqlite(folder), "http://127.0.0.1:9", **settings)
    code, said = await desk.redress("serve")
    assert code == expected, said
    assert "Traceback" not in said
    return said


async def test_an_unknown_setting_stops_the_start(tmp_path: Path) -> None:
    assert "REDRESS_SMPT_PORT" in await refused(tmp_path, SMPT_PORT="25")


async def test_an_unknown_setting_of_a_channel_stops_the_start(tmp_path: Path) -> None:
    assert "adress" in await refused(tmp_path, CHANNEL__MAIL__ADRESS="a@b.example")


async def test_a_section_for_no_channel_stops_the_start(tmp_path: Path) -> None:
    assert "pigeon" in await refused(tmp_path, CHANNEL__PIGEON__COLOUR="grey")


async def test_contradictory_settings_stop_the_start(tmp_path: Path) -> None:
    port = str(free_port())
    assert "different ones" in await refused(tmp_path, HTTP_PORT=port, SMTP_PORT=port)


@pytest.mark.parametrize("which", ["HTTP_PORT", "SMTP_PORT"])
async def test_a_port_in_use_stops_the_start(tmp_path: Path, which: str) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = str(taken.getsockname()[1])
        assert port in await refused(tmp_path, 2, **{which: port})


async def test_a_database_that_cannot_be_reached_stops_the_start(tmp_path: Path) -> None:
    url = f"postgresql+psycopg://nobody@127.0.0.1:{free_port()}/nothing"
    assert "database" in await refused(tmp_path, expected=1, DATABASE_URL=url)  # it may be there later


async def test_a_second_desk_on_the_same_data_refuses_to_start(tmp_path: Path, rasa_url: str) -> None:
    first = DeskProcess(tmp_path, sqlite(tmp_path), rasa_url)
    await first.start()
    second = DeskProcess(tmp_path, sqlite(tmp_path), rasa_url)
    code, said = await second.redress("serve")
    assert (code, "another Redress" in said) == (2, True)
    assert await first.stop() == 0


async def test_an_unusable_toml_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "redress.toml").write_text("http_port = [", encoding="utf-8")
    assert "redress.toml" in await refused(tmp_path, CONFIG=str(tmp_path / "redress.toml"))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of `DISK_BYTES`."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)], check=False)
    if mounted.returncode != 0:
        pytest.skip("mounting a small file system needs root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
async def cramped(small_disk: Path, rasa_url: str) -> AsyncIterator[DeskProcess]:
    """A desk on it, beside the ballast."""
    (small_disk / "ballast").write_bytes(b"\0" * BALLAST_BYTES)
    desk = DeskProcess(small_disk, sqlite(small_disk), rasa_url)
    desk.log = small_disk.parent / "app.log"
    await desk.start()
    yield desk
    await desk.stop()


async def test_a_full_disk_means_later_and_nothing_is_lost(cramped: DeskProcess, small_disk: Path) -> None:
    desk, filler = cramped, small_disk / "filler"
    sent, code = await _fill(desk)
    assert code in (451, 452)
    _fill_the_rest(filler)
    chatter = Chatter(desk)
    saved = await _until_not_saved(chatter)
    assert len(chatter.stored) == saved
    state = await desk.state()
    assert state["ready"] is False
    assert state["reason"]
    filler.unlink()
    (small_disk / "ballast").unlink()
    async with asyncio.timeout(30):
        sender = "after@mail.example"
        assert (await post(desk, letter(sender, "hello", "again"), sender)).startswith("250")
    async with asyncio.timeout(30):
        while not (await desk.state())["ready"]:  # what it found out is kept for a second
            await asyncio.sleep(0.1)
    code, book = await desk.redress("reconcile")
    assert code == 0
    assert json.loads(book.splitlines()[-1])["received"] >= sent + saved + 1


async def _fill(desk: DeskProcess) -> tuple[int, int]:
    """Mails of a mebibyte until the desk does not take one: how many it took, and its code for the last."""
    body = "x" * 70 + "\r\n"
    async with aiosmtplib.SMTP(hostname="127.0.0.1", port=desk.smtp_port, timeout=30) as smtp:
        await smtp.ehlo()
        accepted = 0
        while True:
            mail = letter("big@mail.example", f"big {accepted}", body * (MIB // len(body)))
            try:
                await smtp.mail("big@mail.example")
                await smtp.rcpt("complaints@exchange.example")
                await smtp.data(mail)
            except aiosmtplib.SMTPResponseException as error:
                return accepted, error.code
            accepted += 1


async def _until_not_saved(chatter: Chatter) -> int:
    """How many messages found room in the database's own files, which were larger before."""
    for saved in range(500):
        try:
            async with asyncio.timeout(3):
                await chatter.say(f"is this saved? {saved}")
        except TimeoutError:
            return saved
    raise AssertionError("the disk is not full")


def _fill_the_rest(filler: Path) -> None:
    with filler.open("wb", buffering=0) as file:
        for size in (MIB, 4096, 1):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                continue
