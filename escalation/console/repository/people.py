"""Agents, their sessions and failed log-ins."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, or_, select, update

from bot.store.tables import Agent, AgentSession, LoginAttempt


@dataclass(frozen=True, kw_only=True)
class AgentRow:
    id: int
    login: str
    name: str
    role: str
    password_hash: str
    disabled: bool


@dataclass(frozen=True, kw_only=True)
class SessionRow:
    """A live session together with its agent as the agent is now, not as at log-in."""

    id: int
    csrf: str
    seen_at: datetime
    agent_id: int
    name: str
    role: str


def agent_by_login(connection: Connection, login: str) -> AgentRow | None:
    columns = [getattr(Agent, name) for name in AgentRow.__dataclass_fields__]
    row = connection.execute(select(*columns).where(Agent.login == login)).one_or_none()
    return None if row is None else AgentRow(**row._mapping)


def names(connection: Connection) -> dict[int, str]:
    """Every agent's name by id, for those whose words and deeds are shown."""
    return {row.id: row.name for row in connection.execute(select(Agent.id, Agent.name))}


def add_agent(connection: Connection, *, login: str, name: str, role: str, password_hash: str, at: datetime) -> int:
    values = {"login": login, "name": name, "role": role, "password_hash": password_hash, "created_at": at}
    return int(connection.execute(insert(Agent).values(**values).returning(Agent.id)).scalar_one())


def disable(connection: Connection, agent_id: int) -> None:
    """Nobody logs in as this person any more, open sessions included; what they did keeps their name."""
    connection.execute(update(Agent).where(Agent.id == agent_id).values(disabled=True))


def add_session(connection: Connection, agent_id: int, token_hash: str, csrf: str, at: datetime) -> None:
    connection.execute(
        insert(AgentSession).values(agent_id=agent_id, token_hash=token_hash, csrf=csrf, created_at=at, seen_at=at)
    )


def live_session(
    connection: Connection, token_hash: str, created_after: datetime, seen_after: datetime
) -> SessionRow | None:
    query = (
        select(
            AgentSession.id,
            AgentSession.csrf,
            AgentSession.seen_at,
            Agent.id.label("agent_id"),
            Agent.name,
            Agent.role,
        )
        .join(Agent, Agent.id == AgentSession.agent_id)
        .where(AgentSession.token_hash == token_hash, Agent.disabled.is_(False))
        .where(AgentSession.created_at > created_after, AgentSession.seen_at > seen_after)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else SessionRow(**row._mapping)


def touch_session(connection: Connection, session_id: int, at: datetime) -> None:
    connection.execute(update(AgentSession).where(AgentSession.id == session_id).values(seen_at=at))


def end_session(connection: Connection, token_hash: str) -> None:
    connection.execute(delete(AgentSession).where(AgentSession.token_hash == token_hash))


def drop_dead_sessions(connection: Connection, created_before: datetime, seen_before: datetime) -> None:
    dead = or_(AgentSession.created_at <= created_before, AgentSession.seen_at <= seen_before)
    connection.execute(delete(AgentSession).where(dead))


def attempts(connection: Connection, login: str, since: datetime) -> tuple[int, int]:
    """Log-ins that were tried and did not succeed since then: for this login, and for all."""
    mine = func.count().filter(LoginAttempt.login == login)
    row = connection.execute(select(mine, func.count()).where(LoginAttempt.at > since)).one()
    return int(row[0]), int(row[1])


def add_attempt(connection: Connection, login: str, at: datetime, forget_before: datetime) -> None:
    connection.execute(delete(LoginAttempt).where(LoginAttempt.at <= forget_before))
    connection.execute(insert(LoginAttempt).values(login=login, at=at))


def forget_attempts(connection: Connection, login: str) -> None:
    connection.execute(delete(LoginAttempt).where(LoginAttempt.login == login))
