"""Persons, what was proven, codes that were sent, and dialogues under way."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, or_, select, update

from bot.identity.policy import UNSTATED, WINDOW, longer_lasting
from bot.store.identity_tables import IdentityCode, IdentityDialogue, IdentityProof
from bot.store.tables import Case, Conversation, Inbox, Outbox, Person
from channels.contract import Account
from escalation.repository import add_note

BUTTONS_BACK = 20
"""This many of our own messages back a button may have been offered that was pressed since."""
STUCK = ("parked", "failed", "unknown")
USER = "user"
"""Who began a dialogue when it was no agent."""


@dataclass(frozen=True, kw_only=True)
class CodeRow:
    id: int
    conversation_id: int
    uid: str | None
    address: str
    language: str
    nonce: str
    state: str
    tries: int
    letter_id: int | None
    created_at: datetime
    expires_at: datetime

    def live(self, at: datetime) -> bool:
        """Whether it can be typed at this time. A code that has run out keeps its state: a message that came in time
        may still wait for its turn."""
        return self.state == "live" and at < self.expires_at


@dataclass(frozen=True, kw_only=True)
class DialogueRow:
    stage: str
    waiting_inbox_id: int | None
    asked_by: str
    until: datetime

    @property
    def by_agent(self) -> bool:
        return self.asked_by != USER


@dataclass(frozen=True, kw_only=True)
class Written:
    """A message of the user as it is kept."""

    inbox_id: int
    text: str
    subject: str
    """That of a first mail, which may say it all."""
    pressed: bool
    """It is the title of a button that was offered here."""

    @property
    def words(self) -> str:
        return f"{self.subject}\n{self.text}".strip()


_CODE = [getattr(IdentityCode, name) for name in CodeRow.__dataclass_fields__]
_DIALOGUE = [getattr(IdentityDialogue, name) for name in DialogueRow.__dataclass_fields__]


def bind(connection: Connection, conversation_id: int, account: Account, now: datetime) -> None:
    """Remembers that this account was proven in the conversation. Cheap when it is known already."""
    until = account.until or now + UNSTATED
    query = select(Conversation.person_id, Conversation.account).where(Conversation.id == conversation_id)
    person_id, known = connection.execute(query.with_for_update()).one()
    new = {
        "uid": account.uid,
        "name": account.name,
        "proven_by": account.proven_by,
        "proven_at": now.isoformat(),
        "until": until.isoformat(),
        "email": account.email,
    }
    kept = dict(longer_lasting(known, new))
    same_person = known is not None and known.get("uid") == account.uid
    if person_id is None or not same_person:
        person_id = _person(connection, account, now)
    _adopt_case(connection, conversation_id, person_id)
    if same_person and kept == known:
        return
    values = {"account": kept, "person_id": person_id}
    connection.execute(update(Conversation).where(Conversation.id == conversation_id).values(**values))
    _write_down(connection, conversation_id, person_id, account, now, until)


def _person(connection: Connection, account: Account, now: datetime) -> int:
    """The person of this account, made at the first proof. Two at once: the second runs into the unique uid."""
    found = connection.execute(select(Person.id, Person.name).where(Person.uid == account.uid)).one_or_none()
    if found is None:
        made = insert(Person).values(uid=account.uid, name=account.name, created_at=now)
        return int(connection.execute(made.returning(Person.id)).scalar_one())
    if account.name and found.name != account.name:
        connection.execute(update(Person).where(Person.id == found.id).values(name=account.name))
    return int(found.id)


def _adopt_case(connection: Connection, conversation_id: int, person_id: int) -> None:
    """The complaint that was made here before anybody proved anything is the person's now."""
    case_id = select(Conversation.case_id).where(Conversation.id == conversation_id).scalar_subquery()
    mine = update(Case).where(Case.id == case_id, Case.person_id.is_(None))
    connection.execute(mine.values(person_id=person_id))


def _write_down(
    connection: Connection, conversation_id: int, person_id: int, account: Account, now: datetime, until: datetime
) -> None:
    """A renewed proof (the app signs a new token every half hour) lengthens the one that is written down."""
    running = update(IdentityProof).where(
        IdentityProof.conversation_id == conversation_id,
        IdentityProof.person_id == person_id,
        IdentityProof.method == account.proven_by,
        IdentityProof.detail == account.detail,
        IdentityProof.until >= now,
    )
    if connection.execute(running.values(until=until)).rowcount:
        return
    connection.execute(
        insert(IdentityProof).values(
            conversation_id=conversation_id,
            person_id=person_id,
            method=account.proven_by,
            detail=account.detail,
            at=now,
            until=until,
        )
    )
    said = [account.proven_by, *([account.detail] if account.detail else []), f"UID {account.uid}"]
    add_note(connection, conversation_id, "proven", at=now, data={"reasons": said})


def write_down_bond(connection: Connection, conversation_id: int, person_id: int, method: str, now: datetime) -> None:
    """The conversation is bound to one in which the person was proven: that is no proof of the account, and holds for
    no time at all."""
    values = {"conversation_id": conversation_id, "person_id": person_id, "method": method, "at": now, "until": now}
    connection.execute(insert(IdentityProof).values(**values))


def dialogue(connection: Connection, conversation_id: int) -> DialogueRow | None:
    query = select(*_DIALOGUE).where(IdentityDialogue.conversation_id == conversation_id)
    row = connection.execute(query).one_or_none()
    return None if row is None else DialogueRow(**row._mapping)


def open_dialogue(
    connection: Connection,
    conversation_id: int,
    stage: str,
    now: datetime,
    *,
    asked_by: str = USER,
    waiting_inbox_id: int | None = None,
) -> None:
    """Begins it, or takes it to another stage; what waits for its end goes on waiting."""
    before = dialogue(connection, conversation_id)
    if before is not None and waiting_inbox_id is None:
        waiting_inbox_id = before.waiting_inbox_id
    close_dialogue(connection, conversation_id)
    until = now + WINDOW
    connection.execute(
        insert(IdentityDialogue).values(
            conversation_id=conversation_id,
            stage=stage,
            waiting_inbox_id=waiting_inbox_id,
            asked_by=asked_by if before is None or asked_by != USER else before.asked_by,
            until=until,
        )
    )
    connection.execute(update(Conversation).where(Conversation.id == conversation_id).values(proving_until=until))


def close_dialogue(connection: Connection, conversation_id: int) -> None:
    connection.execute(delete(IdentityDialogue).where(IdentityDialogue.conversation_id == conversation_id))


def newest_code(connection: Connection, conversation_id: int) -> CodeRow | None:
    """The code that was asked for last in this conversation, or that went into it as a letter."""
    here = or_(IdentityCode.conversation_id == conversation_id, IdentityCode.letter_conversation_id == conversation_id)
    row = connection.execute(select(*_CODE).where(here).order_by(IdentityCode.id.desc()).limit(1)).one_or_none()
    return None if row is None else CodeRow(**row._mapping)


def code(connection: Connection, code_id: int) -> CodeRow:
    return CodeRow(**connection.execute(select(*_CODE).where(IdentityCode.id == code_id)).one()._mapping)


def sends_of_conversation(connection: Connection, conversation_id: int, now: datetime) -> Sequence[datetime]:
    """When codes were asked for here lately, sent or not: nobody is to learn from the count which were."""
    recent = (IdentityCode.conversation_id == conversation_id, IdentityCode.created_at > now - WINDOW)
    return connection.execute(select(IdentityCode.created_at).where(*recent)).scalars().all()


def sends_of_account(connection: Connection, account_key: str, now: datetime) -> Sequence[datetime]:
    """When codes really went to this account lately, whoever asked for them."""
    recent = (
        IdentityCode.account_key == account_key,
        IdentityCode.created_at > now - WINDOW,
        IdentityCode.uid.is_not(None),
    )
    return connection.execute(select(IdentityCode.created_at).where(*recent)).scalars().all()


def next_ordinal(connection: Connection, account_key: str) -> int:
    """The number of the account's next code. Read it before counting: whoever commits one in between takes the same
    number, and the later of the two is tried again from the start."""
    last = select(func.max(IdentityCode.ordinal)).where(IdentityCode.account_key == account_key)
    return (connection.execute(last).scalar_one() or 0) + 1


def add_code(connection: Connection, conversation_id: int, account_key: str, ordinal: int, **values: Any) -> int:
    """A new code; earlier ones of the conversation are void. Raises IntegrityError when the ordinal is taken."""
    end_codes(connection, conversation_id)
    made = insert(IdentityCode).values(
        conversation_id=conversation_id, account_key=account_key, ordinal=ordinal, **values
    )
    return int(connection.execute(made.returning(IdentityCode.id)).scalar_one())


def end_codes(connection: Connection, conversation_id: int) -> None:
    live = (IdentityCode.conversation_id == conversation_id, IdentityCode.state == "live")
    connection.execute(update(IdentityCode).where(*live).values(state="void"))


def change_code(connection: Connection, code_id: int, **values: Any) -> None:
    connection.execute(update(IdentityCode).where(IdentityCode.id == code_id).values(**values))


def count_tries(connection: Connection, code_id: int, more: int = 1) -> int:
    """`more` wrong tries; how many there are now."""
    counted = update(IdentityCode).where(IdentityCode.id == code_id).values(tries=IdentityCode.tries + more)
    return int(connection.execute(counted.returning(IdentityCode.tries)).scalar_one())


def blank_letter(connection: Connection, letter_id: int, now: datetime) -> bool:
    """Takes the words of a letter away once it has left or is of no use. False while it is on its way.

    Nobody may send it later, empty: one that still waits is dropped; for one that is stuck an operator has nothing
    left to decide, and its state goes on saying how it ended.
    """
    state = connection.execute(select(Outbox.state).where(Outbox.id == letter_id).with_for_update()).scalar_one()
    if state == "sending":
        return False
    values: dict[str, Any] = {"text": ""}
    if state == "new":
        values |= {"state": "dropped", "error": "expired"}
    elif state in STUCK:
        values |= {"settled_at": func.coalesce(Outbox.settled_at, now)}
    connection.execute(update(Outbox).where(Outbox.id == letter_id).values(**values))
    return True


def letter_state(connection: Connection, letter_id: int) -> str:
    return str(connection.execute(select(Outbox.state).where(Outbox.id == letter_id)).scalar_one())


def letter_conversation(connection: Connection, letter_id: int) -> int:
    return int(connection.execute(select(Outbox.conversation_id).where(Outbox.id == letter_id)).scalar_one())


def written_before(connection: Connection, conversation_id: int, seq: int, limit: int) -> Sequence[Written]:
    """What the user wrote lately, newest first."""
    before = (Inbox.conversation_id == conversation_id, Inbox.seq < seq, Inbox.kind == "message")
    rows = connection.execute(_WRITTEN.where(*before).order_by(Inbox.seq.desc()).limit(limit)).all()
    titles = _offered(connection, conversation_id, seq)
    return [_written(row, titles) for row in rows]


def written(connection: Connection, inbox_id: int) -> Written:
    return _written(connection.execute(_WRITTEN.where(Inbox.id == inbox_id)).one(), frozenset())


_WRITTEN = select(Inbox.id, Inbox.seq, Inbox.text, Conversation.subject).join(
    Conversation, Conversation.id == Inbox.conversation_id
)


def _written(row: Row[int, int, str, str], titles: Set[str]) -> Written:
    subject = row.subject if row.seq == 1 else ""
    return Written(inbox_id=row.id, text=row.text, subject=subject, pressed=row.text.strip() in titles)


def _offered(connection: Connection, conversation_id: int, seq: int) -> Set[str]:
    """Titles of the buttons offered lately: the row of a message does not say that it was pressed."""
    shown = select(Outbox.buttons).where(Outbox.conversation_id == conversation_id, Outbox.seq < seq)
    rows = connection.execute(shown.order_by(Outbox.seq.desc()).limit(BUTTONS_BACK)).scalars()
    return {str(title) for buttons in rows for _, title in buttons}
