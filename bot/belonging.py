"""Several processes may share a database, but then the data folder too: links, codes and files hang on its key."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from bot.keys import FILE as KEY_FILE
from bot.keys import derive, root_secret
from bot.repository import instance
from bot.settings import Settings, SettingsError
from bot.store.engine import open_engine
from bot.store.store import Store


def insist_before_migration(settings: Settings) -> None:
    """Somebody else's database is not brought to our schema. Raises SettingsError; then nothing was changed."""
    engine = open_engine(settings.database)
    try:
        with engine.connect() as connection:
            theirs = instance.known_owner(connection)
    finally:
        engine.dispose()
    known = (settings.data_dir / KEY_FILE).exists()
    if theirs is not None and (not known or theirs != _print(settings.data_dir)):
        raise _stranger(settings.data_dir)


async def insist_on_own(store: Store, data_dir: Path) -> None:
    """A database that is nobody's yet becomes this folder's. Raises SettingsError."""
    ours = _print(data_dir)
    if await store.write(partial(instance.owner, key_print=ours)) != ours:
        raise _stranger(data_dir)


def _print(data_dir: Path) -> str:
    return derive(root_secret(data_dir), "fingerprint").hex()


def _stranger(data_dir: Path) -> SettingsError:
    return SettingsError(
        f"the database belongs to another data folder: {data_dir / KEY_FILE} is not the key it was begun with. "
        "Set REDRESS_DATA_DIR to the folder of that desk, or give this one a database of its own."
    )
