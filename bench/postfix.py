"""The mail server that everybody knows, as a floor: it stores a mail durably (fsync), says 250, and discards it."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bench.frame import Missing
from bench.processes import free_port

HOW = "Postfix and smtp-source are missing (`apt-get install --no-install-recommends postfix` has both)"
_SETTINGS = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/maillog
maillog_file_prefixes = {folder}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = exchange.example
mydestination =
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
alias_maps =
smtputf8_enable = no
"""


DISCARD = """
default_transport = discard:
relay_transport = discard:
"""


def tool(name: str) -> str:
    """Raises Missing, saying how to install it."""
    found = shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/sbin")
    if found is None:
        raise Missing(HOW)
    return found


@asynccontextmanager
async def postfix(folder: Path, more: str = "") -> AsyncIterator[int]:
    """The port of a Postfix with a configuration and a queue of its own, `more` being further lines of it; an empty
    one discards what it took. Raises Missing."""
    if os.geteuid() != 0:
        raise Missing("Postfix starts only as root")
    place, port = folder / "postfix", free_port()
    await asyncio.to_thread(_lay_out, place, port, more or DISCARD)
    try:
        await _ask(place, "start")
        await _until_open(port)
        yield port
    finally:
        await _ask(place, "stop")


def _lay_out(place: Path, port: int, more: str) -> None:
    stock = Path("/usr/share/postfix/master.cf.dist")
    if not stock.exists():
        raise Missing(HOW)
    for part in ("queue", "data"):
        (place / part).mkdir(parents=True)
    for parent in (place, *place.parents[:2]):
        parent.chmod(0o755)  # its daemons are not root
    shutil.chown(place / "data", "postfix")
    (place / "main.cf").write_text(_SETTINGS.format(folder=place) + more, encoding="ascii")
    lines = stock.read_text(encoding="ascii").splitlines()
    services = [line for line in lines if line and not line.startswith(("#", "smtp      inet"))]
    services = [_unjailed(line) for line in services]
    services.append(f"127.0.0.1:{port} inet n - n - - smtpd")
    (place / "master.cf").write_text("\n".join(services) + "\n", encoding="ascii")


def _unjailed(line: str) -> str:
    """The chroot column set to n: the jail is the system's queue folder, not ours."""
    fields = line.split()
    if line[0].isspace() or len(fields) < 8:
        return line
    fields[4] = "n"
    return " ".join(fields)


async def _ask(place: Path, what: str) -> None:
    process = await asyncio.create_subprocess_exec(
        tool("postfix"), "-c", str(place), what, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said = (await process.communicate())[0].decode(errors="replace")
    if what == "start" and process.returncode != 0:
        raise Missing(f"Postfix did not start: {said.strip()[-300:]}")


async def _until_open(port: int) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
                continue
            writer.close()
            return
