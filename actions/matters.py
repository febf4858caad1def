"""What the bot does about each class of matter: the table that a newcomer adjusts first (docs/dialogue.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.understanding.labels import COMPLAINTS


@dataclass(frozen=True, kw_only=True)
class Flow:
    """How one class is treated, from the first message to the end.

    `sentence`: answered with one sentence and nothing else. `person`: a person owns it from the first message on, and
    `advice` is what to do meanwhile. `at_once`: no question is asked before the person comes. `look_up`: what of the
    exchange's records answers it, once the user has proven who they are. `article`: the article of data/knowledge that
    answers the usual question; the desk may name a better one. `facts`: what a person needs to know (`FACTS`), in the
    order in which it is asked. `tip`: whether there is a tip for next time (bot/wording, "tip_<class>").
    `incidents`: whether something wrong on the platform may be behind it.
    """

    sentence: str | None = None
    person: bool = False
    at_once: bool = False
    advice: str | None = None
    look_up: str | None = None
    article: str | None = None
    facts: tuple[str, ...] = ()
    tip: bool = False
    incidents: bool = False


FLOWS: Mapping[str, Flow] = {
    "deposit_issue": Flow(
        look_up="deposit",
        article="deposit_not_credited",
        facts=("asset", "network", "amount", "tx_hash"),
        tip=True,
        incidents=True,
    ),
    "deposit_wrong_network_memo": Flow(
        article="wrong_network", facts=("asset", "network", "amount", "tx_hash"), tip=True
    ),
    "withdrawal_issue": Flow(
        look_up="withdrawal",
        article="withdrawal_pending",
        facts=("asset", "amount", "movement"),
        tip=True,
        incidents=True,
    ),
    "account_frozen_risk_control": Flow(
        person=True, look_up="restriction", advice="account_restricted", facts=("notice", "since"), tip=True
    ),
    "account_security_theft": Flow(
        person=True, at_once=True, advice="account_hacked", facts=("taken", "since", "tx_hash"), tip=True
    ),
    "scam_fraud_report": Flow(person=True, advice="phishing", facts=("who", "amount", "since", "tx_hash"), tip=True),
    "kyc_verification": Flow(look_up="kyc", article="kyc_failed", facts=("document", "notice"), tip=True),
    "login_2fa_recovery": Flow(article="codes_not_arriving", facts=("sign_in_step", "since"), tip=True, incidents=True),
    "p2p_dispute": Flow(person=True, advice="p2p_appeal", facts=("order_id", "story"), tip=True),
    "fiat_card_payment": Flow(article="card_payment", facts=("amount", "since", "reference"), tip=True, incidents=True),
    "trading_order_issue": Flow(
        article="order_not_filled", facts=("order_id", "pair", "since"), tip=True, incidents=True
    ),
    "futures_liquidation": Flow(article="liquidation", facts=("order_id", "pair", "since"), tip=True, incidents=True),
    "fees_limits": Flow(article="fees", facts=("which_fee", "amount"), tip=True),
    "rewards_airdrop_earn": Flow(article="rewards", facts=("campaign", "since"), tip=True),
    "listing_delisting_network": Flow(article="delisting", facts=("asset", "network"), tip=True, incidents=True),
    "app_technical": Flow(article="app_problems", facts=("device", "notice"), tip=True, incidents=True),
    "api_integration": Flow(article="api_errors", facts=("endpoint", "notice"), tip=True, incidents=True),
    "support_quality": Flow(person=True, article="how_we_handle", facts=("story",)),
    "account_closure_privacy": Flow(article="close_account", facts=("privacy_wish",), tip=True),
    "feature_feedback": Flow(sentence="thanks_for_feedback"),
    "not_a_complaint": Flow(sentence="kind_words"),
    "spam": Flow(sentence="not_for_us"),
    "out_of_scope": Flow(sentence="out_of_scope"),
}

HOW_TO = frozenset(
    {
        "how_to_deposit",
        "how_to_withdraw",
        "how_to_verify",
        "tutorial_first_deposit",
        "tutorial_first_withdrawal",
        "tutorial_authenticator",
        "tutorial_order_history",
        "tutorial_spot_phishing",
        "address_book",
        "api_key_safely",
        "app_download",
        "check_contact",
        "margin_modes",
        "order_types",
        "p2p_safely",
        "secure_account",
    }
)
"""Articles about the way, not about something under way: the user's records would not answer the question.

Fewer than the knowledge base calls tutorials: whoever asks why a face check fails has a verification under way.
"""

GRAVE = ("account_security_theft", "scam_fraud_report", "account_frozen_risk_control")
"""Of several matters in one message these come first, in this order (the tie-breaks of the taxonomy)."""

CLASSES = frozenset(COMPLAINTS)
"""The classes that a case can be about (the taxonomy without praise, spam and other people's products)."""

_UNKNOWN = Flow()


def flow_of(label: str | None) -> Flow:
    """The flow of a class; of a matter that nobody has classified there is none to follow."""
    return FLOWS.get(label or "", _UNKNOWN)
