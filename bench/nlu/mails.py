"""Is a complaint found that stands in one sentence among ten that say nothing?"""

from __future__ import annotations

import random

from bench.nlu import datasets
from bench.nlu.datasets import Pairs
from bench.nlu.fillers import CLOSINGS, OPENINGS, STORIES, TRAINING
from bench.nlu.trial import Outcome, Trial, percent
from bot.understanding.labels import BACKGROUND

MAILS = 120
FILLERS = 10
BACKGROUND_SENTENCES = 900
"""Of CLINC150's intents that have nothing to do with banks and money."""
SEED = 20

NEAR_BANKING = frozenset([
    "account_blocked", "application_status", "apr", "balance", "bill_balance", "bill_due", "card_declined",
    "credit_limit", "credit_limit_change", "credit_score", "damaged_card", "direct_deposit", "exchange_rate",
    "expiration_date", "freeze_account", "improve_credit_score", "income", "insurance", "insurance_change",
    "interest_rate", "international_fees", "min_payment", "new_card", "order", "order_checks", "order_status",
    "pay_bill", "payday", "pin_change", "redeem_rewards", "replacement_card_duration", "report_fraud",
    "report_lost_card", "rewards_balance", "rollover_401k", "routing", "spending_history", "taxes", "transactions",
    "transfer", "travel_notification", "w2",
])  # fmt: skip
"""Intents of CLINC150 that a bank's customer might bring to a bank."""


def mails(trial: Trial) -> Outcome:
    """120 mails; what counts is the label of the mail as a whole."""
    train, test = (datasets.banking(trial.data, split) for split in ("train", "test"))
    classifier = trial.train([*train, *background(datasets.clinc(trial.data)["train"])])
    chosen = random.Random(SEED).sample(test, MAILS)  # noqa: S311
    written = compose(chosen)
    found = trial.ask(classifier, [text for text, _ in written])
    alone = trial.ask(classifier, [text for text, _ in chosen])
    right = percent(answer.label == label for answer, (_, label) in zip(found, written, strict=True))
    single = percent(answer.label == label for answer, (_, label) in zip(alone, chosen, strict=True))
    return Outcome({"mails": right}, (f"the complaints of the mails, asked alone: {single:.1f} % right",))


def background(clinc: Pairs) -> Pairs:
    """What the background class learns."""
    far = sorted(text for text, label in clinc if label not in NEAR_BANKING)
    drawn = random.Random(SEED).sample(far, BACKGROUND_SENTENCES)  # noqa: S311
    return [(text, BACKGROUND) for text in (*drawn, *TRAINING)]


def compose(complaints: Pairs) -> Pairs:
    """Each complaint in a mail of its own: two openings, five sentences of a story, three closings around it."""
    return [(_mail(text, random.Random(f"{SEED}:{number}")), label) for number, (text, label) in enumerate(complaints)]  # noqa: S311


def _mail(complaint: str, draw: random.Random) -> str:
    lines = [*_some(OPENINGS, 2, draw), *_some(STORIES, 5, draw), *_some(CLOSINGS, 3, draw)]
    lines.insert(draw.randint(2, 7), complaint)
    return "\n".join(lines)


def _some(fillers: tuple[str, ...], count: int, draw: random.Random) -> list[str]:
    """In the order in which the fillers are listed."""
    return [fillers[number] for number in sorted(draw.sample(range(len(fillers)), count))]
