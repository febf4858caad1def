"""Under which topic does a reader look for an article?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

TOPIC_OF_CLASS: Final[Mapping[str, str]] = {
    "deposit_issue": "deposits",
    "deposit_wrong_network_memo": "recovery",
    "withdrawal_issue": "withdrawals",
    "kyc_verification": "verification",
    "login_2fa_recovery": "login",
    "account_frozen_risk_control": "account",
    "account_closure_privacy": "account",
    "account_security_theft": "security",
    "scam_fraud_report": "security",
    "p2p_dispute": "p2p",
    "trading_order_issue": "trading",
    "futures_liquidation": "trading",
    "fees_limits": "fees",
    "fiat_card_payment": "fees",
    "rewards_airdrop_earn": "rewards",
    "listing_delisting_network": "listings",
    "api_integration": "api",
    "app_technical": "app",
    "feature_feedback": "app",
    "support_quality": "complaints",
}
"""Where an article stands that names no topic of its own. Twenty classes are too many to browse."""

TOPICS: Final = tuple(dict.fromkeys(TOPIC_OF_CLASS.values()))
"""In the order of the page."""
