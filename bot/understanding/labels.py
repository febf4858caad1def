"""Which classes and dialogue acts exist?"""

from __future__ import annotations

from typing import Final

COMPLAINTS: Final = (
    "deposit_issue",
    "deposit_wrong_network_memo",
    "withdrawal_issue",
    "account_frozen_risk_control",
    "account_security_theft",
    "scam_fraud_report",
    "kyc_verification",
    "login_2fa_recovery",
    "p2p_dispute",
    "fiat_card_payment",
    "trading_order_issue",
    "futures_liquidation",
    "fees_limits",
    "rewards_airdrop_earn",
    "listing_delisting_network",
    "app_technical",
    "api_integration",
    "support_quality",
    "account_closure_privacy",
    "feature_feedback",
)
"""A matter of the exchange: what a case can be about."""

OTHERS: Final = ("not_a_complaint", "spam", "out_of_scope")
CLASSES: Final = COMPLAINTS + OTHERS
"""The public contract of the classifier: data, reports and the case register use these names."""

ACTS: Final = ("greet", "thanks", "yes", "no", "person", "status", "never_mind")
"""Dialogue acts: a move in the conversation rather than a matter."""

BACKGROUND: Final = "background"
"""Filler of mails (salutations, signatures, politeness). Trained on, never answered with."""
