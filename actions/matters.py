"""What the bot does about each class of matter: the table that a newcomer adjusts first."""

from __future__ import annotations

from collections.abc import Mapping

from bot.understanding.labels import COMPLAINTS

ALWAYS_PERSON = frozenset(
    {
        "account_security_theft",
        "scam_fraud_report",
        "account_frozen_risk_control",
        "p2p_dispute",
        "support_quality",
    }
)
"""Matters that a person owns from the first message on."""

LOOK_UPS: Mapping[str, str] = {
    "withdrawal_issue": "withdrawal",
    "deposit_issue": "deposit",
    "kyc_verification": "kyc",
}
"""Matters that the exchange's own records answer, once the user has proven who they are."""

ARTICLES: Mapping[str, str] = {
    "deposit_issue": "deposit_not_credited",
    "deposit_wrong_network_memo": "wrong_network",
    "withdrawal_issue": "withdrawal_pending",
    "kyc_verification": "kyc_failed",
    "login_2fa_recovery": "codes_not_arriving",
    "fiat_card_payment": "card_payment",
    "trading_order_issue": "order_not_filled",
    "futures_liquidation": "liquidation",
    "fees_limits": "fees",
    "rewards_airdrop_earn": "rewards",
    "listing_delisting_network": "delisting",
    "app_technical": "app_problems",
    "api_integration": "api_errors",
    "account_closure_privacy": "close_account",
}
"""The article of data/knowledge that answers the usual question of a class. The desk may name a better one."""

ADVICE: Mapping[str, str] = {
    "account_security_theft": "account_hacked",
    "scam_fraud_report": "phishing",
    "account_frozen_risk_control": "account_restricted",
}
"""What to do at once, told together with the case: a person may take hours, and these steps do not wait."""

HOW_TO = frozenset({"how_to_deposit", "how_to_withdraw", "how_to_verify"})
"""Articles about the way, not about something under way: the user's records would not answer the question."""

SENTENCES: Mapping[str, str] = {
    "feature_feedback": "thanks_for_feedback",
    "not_a_complaint": "kind_words",
    "spam": "not_for_us",
    "out_of_scope": "out_of_scope",
}
"""Classes that are answered with one sentence and nothing else."""

CLASSES = frozenset(COMPLAINTS)
"""The classes that a case can be about (the taxonomy without praise, spam and other people's products)."""
