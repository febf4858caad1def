"""What the settings promise to users, as the parts of the desk take it."""

from __future__ import annotations

from datetime import timedelta

from bot.settings import Settings
from escalation.cases import Promise
from escalation.queue import Patience


def promise(settings: Settings) -> Promise:
    return Promise(
        first_answer=timedelta(hours=settings.promise.first_answer_hours),
        decision=timedelta(days=settings.promise.decision_days),
        same_matter=timedelta(days=settings.promise.same_matter_days),
    )


def remind_after(settings: Settings) -> timedelta:
    return timedelta(minutes=settings.promise.unread_reminder_minutes)


def patience(settings: Settings) -> Patience:
    return Patience(
        live=timedelta(seconds=settings.promise.queue_patience_seconds),
        other=timedelta(hours=settings.promise.first_answer_hours),
    )
