"""The original bytes may hold a secret: who opens them is on record, and the agents see it."""

from __future__ import annotations

import getpass

from sqlalchemy import select

from bot.store.tables import Deed, Note
from tests.operator.commands import reading
from tests.operator.conftest import Places


def test_who_opens_the_original_bytes_is_recorded(places: Places) -> None:
    place = places("first")
    place.fill(1)
    code, shown = place.redress("raw", "1", "--by", "Mei", "--reason", "court order 7")
    assert code == 0
    assert "投诉 0" in shown
    assert place.redress("raw", "1")[0] == 0
    deeds = reading(place.database, lambda c: c.execute(select(Deed.deed, Deed.target, Deed.person, Deed.reason)).all())
    assert deeds == [
        ("raw_shown", "inbox:1", "Mei", "court order 7"),
        ("raw_shown", "inbox:1", getpass.getuser(), ""),
    ]
    seen = reading(place.database, lambda c: c.execute(select(Note.kind, Note.data).order_by(Note.id)).all())
    assert seen[0] == ("raw_shown", {"inbox_id": 1, "reason": "court order 7, Mei"})


def test_what_is_not_there_is_not_recorded(places: Places) -> None:
    place = places("first")
    place.fill(1)
    assert place.redress("raw", "99") == (1, "there is no message 99\n")
    assert reading(place.database, lambda c: c.execute(select(Deed.id)).all()) == []
