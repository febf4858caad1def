"""The first start: a database at the newest schema and one person who can log in."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import closing

from sqlalchemy import Connection, select

from bot import belonging, folder
from bot.settings import Settings, SettingsError
from bot.store.migrate import migrate
from bot.store.store import Store
from bot.store.tables import Agent
from escalation.console.auth import create_agent

ADMIN = "admin"


def prepare(settings: Settings) -> str | None:
    """Migrates and, when nobody can log in yet, adds the administrator. The password if one was generated.

    Raises DataFolderInUse while another desk works here that would not expect a new schema, or a restore.
    """
    with folder.held(settings.data_dir, shared=settings.database.startswith("postgresql")):
        bring_up(settings)
        with closing(Store(settings.database)) as store:
            return asyncio.run(_ensure_admin(store, settings.admin_password))


def bring_up(settings: Settings) -> None:
    """Brings our own database to the newest schema. Raises SettingsError, RestoreIncomplete, SchemaTooNew."""
    folder.insist_on_whole(settings.data_dir)
    belonging.insist_before_migration(settings)
    migrate(settings.database)


async def _ensure_admin(store: Store, chosen: str) -> str | None:
    if await store.read(_somebody):
        return None
    password = chosen or secrets.token_urlsafe(12)
    try:
        await create_agent(store, ADMIN, "Administrator", "admin", password)
    except ValueError as error:
        if await store.read(_somebody):
            return None  # another process of this desk started at the same moment and was first
        raise SettingsError(f"admin_password: {error}") from error
    return None if chosen else password


def _somebody(connection: Connection) -> bool:
    return connection.execute(select(Agent.id).limit(1)).first() is not None
