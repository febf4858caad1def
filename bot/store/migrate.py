"""Brings the database to the newest schema. A database newer than this program stops the start."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bot.store.engine import open_engine

MIGRATIONS = Path(__file__).parent / "migrations"


class SchemaTooNew(Exception):
    """The database was migrated by a newer Redress; run that version, or restore a back-up made before."""


class SchemaTooOld(Exception):
    """The database has not been migrated yet; a start does it."""


def config(url: str) -> Config:
    alembic = Config()
    alembic.set_main_option("script_location", str(MIGRATIONS))
    alembic.attributes["url"] = url
    return alembic


def migrate(url: str) -> None:
    """Runs what is missing, in one transaction. Raises SchemaTooNew on a schema this program does not know."""
    script = ScriptDirectory.from_config(config(url))
    current = _current(url)
    known = {revision.revision for revision in script.walk_revisions()}
    if current is not None and current not in known:
        raise SchemaTooNew(
            f"the database is at schema {current}, which this version of Redress does not know. "
            "Start the newer version, or restore a back-up."
        )
    command.upgrade(config(url), "head")


def knows(revision: str) -> bool:
    """Whether this program can bring a database of this revision to its own."""
    script = ScriptDirectory.from_config(config(""))
    return revision in {known.revision for known in script.walk_revisions()}


def insist_on_current(url: str) -> None:
    """Raises SchemaTooOld unless the database has the schema of this program."""
    head = ScriptDirectory.from_config(config(url)).get_current_head()
    found = _current(url)
    if found != head:
        raise SchemaTooOld(
            f"the database is at schema {found or 'none'}, not {head}: start Redress once, then try again"
        )


def _current(url: str) -> str | None:
    engine = open_engine(url)
    try:
        with engine.connect() as connection:
            return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    except DBAPIError as error:
        if "alembic_version" in str(error.orig):
            return None
        raise
    finally:
        engine.dispose()
