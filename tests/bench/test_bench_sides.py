"""The sides that are measured do what they are taken for: floors are durable, and 250 means stored."""

from __future__ import annotations

import platform
import smtplib
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from bench import machine
from bench.floors import Postgres, postgres, sqlite_floor
from bench.mail_server import ADDRESS
from bench.processes import free_port, python, running
from bot.store.migrate import migrate


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Postgres]:
    async with postgres(tmp_path) as started:
        yield started


def test_the_sqlite_floor_counts_rows_that_are_there(tmp_path: Path) -> None:
    with sqlite_floor(tmp_path) as floor:
        assert floor.rows_per_second(3, seconds=0.01) > 0
    engine = create_engine(f"sqlite:///{tmp_path / 'floor.db'}")
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT count(*) FROM row")).scalar_one()
        assert connection.execute(text("PRAGMA journal_mode")).scalar_one() == "wal"
    engine.dispose()
    assert rows > 0
    assert rows % 3 == 0


async def test_pgbench_runs_our_statement_without_gaps(server: Postgres) -> None:
    assert await server.pgbench(clients=2, seconds=1) > 0
    engine = create_engine(server.url)
    with engine.connect() as connection:
        rows, last = connection.execute(
            text("SELECT (SELECT count(*) FROM floor_inbox), (SELECT sum(last_seq) FROM floor_conversation)")
        ).one()
    engine.dispose()
    assert rows == last > 0


async def test_a_new_database_takes_the_desks_tables(server: Postgres) -> None:
    url = server.database("fresh")
    migrate(url)
    engine = create_engine(url)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM inbox")).scalar_one() == 0
    engine.dispose()


@pytest.mark.parametrize("stored", [True, False], ids=["the desk", "the no-op"])
async def test_a_mail_server_of_the_benchmark_accepts(tmp_path: Path, stored: bool) -> None:
    database, port = f"sqlite:///{tmp_path / 'mail.db'}", free_port()
    own = ["--folder", str(tmp_path), "--database", database] if stored else []
    command = python("bench.mail_server", "--port", str(port), *own)
    async with running(command, tmp_path / "log", "ready"):
        _send(port)
    if stored:
        engine = create_engine(database)
        with engine.connect() as connection:
            assert connection.execute(text("SELECT channel, state FROM inbox")).all() == [("mail", "new")]
        engine.dispose()


def _send(port: int) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "li@user.example", ADDRESS, "Help"
    mail.set_content("My withdrawal is stuck.")
    with smtplib.SMTP("127.0.0.1", port, timeout=60) as client:
        assert client.send_message(mail) == {}


def test_the_machine_is_described_without_its_name_or_paths(tmp_path: Path) -> None:
    described = machine.describe(tmp_path)
    said = " ".join(described.values())
    assert {"cores", "memory", "disk", "system", "versions"} <= described.keys()
    assert str(tmp_path) not in said
    assert platform.node() not in said
