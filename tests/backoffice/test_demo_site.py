"""The demo exchange's pages: both languages, the widget, the token, the locks."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import httpx
import jwt
import pytest

from actions.backoffice import contract
from actions.backoffice.demo import seed
from actions.backoffice.demo.texts import TEXTS
from tests.backoffice.demo_exchange import WIDGET_URL, Demo


def get(demo: Demo, path: str, **query: str) -> httpx.Response:
    return httpx.get(demo.url + path, params=query, trust_env=False)


@pytest.mark.parametrize(
    ("lang", "tag", "heading", "state"),
    [("en", "en", "Withdrawals", "In review"), ("zh", "zh-Hans", "提现记录", "审核中")],
)
def test_wallet_is_shown_in_the_asked_language(demo: Demo, lang: str, tag: str, heading: str, state: str) -> None:
    page = get(demo, "/", uid="10001", lang=lang)
    assert page.status_code == 200
    assert f'<html lang="{tag}">' in page.text
    assert heading in page.text
    assert state in page.text
    assert "WD-70211" in page.text


@pytest.mark.parametrize(("uid", "tag"), [("10001", "en"), ("10002", "zh-Hans"), ("", "en")])
def test_wallet_speaks_its_users_language_when_none_is_asked(demo: Demo, uid: str, tag: str) -> None:
    assert f'<html lang="{tag}">' in get(demo, "/", uid=uid).text


def test_widget_gets_a_token_for_the_user_and_none_for_a_guest(demo: Demo) -> None:
    guest, user = get(demo, "/").text, get(demo, "/", uid="10002", lang="zh").text
    assert f'<script src="{WIDGET_URL}/widget/redress-chat.js" defer></script>' in guest
    assert f'<redress-chat server="{WIDGET_URL}" lang="en"></redress-chat>' in guest
    found = re.search(rf'<redress-chat server="{WIDGET_URL}" lang="zh" token="([^"]+)"></redress-chat>', user)
    assert found
    assert claims(demo, found[1])["sub"] == "10002"


def test_token_names_the_user_for_half_an_hour(demo: Demo) -> None:
    answer = get(demo, "/token", uid="10004").json()
    said = claims(demo, answer["token"])
    assert (said["iss"], said["sub"], said["name"]) == ("exchange", "10004", "王建国")
    assert said["exp"] - said["iat"] == answer["expires_in_seconds"] == 1800
    assert abs(said["iat"] - datetime.now(UTC).timestamp()) < 60


def claims(demo: Demo, token: str) -> dict[str, Any]:
    """What the token says, read as the desk reads it."""
    said: dict[str, Any] = jwt.decode(token, demo.app_token_secret, ["HS256"], audience="redress", issuer="exchange")
    return said


@pytest.mark.parametrize("path", ["/", "/security/review"])
def test_pages_allow_nothing_but_themselves_and_the_widget(demo: Demo, path: str) -> None:
    page = get(demo, path)
    policy = dict(rule.split(" ", 1) for rule in page.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == f"'self' {WIDGET_URL}"
    assert policy["style-src"] == "'self'"
    assert policy["connect-src"] == "https://desk.example:8443 wss://desk.example:8443"
    assert policy["frame-ancestors"] == "'none'"
    assert page.headers["cache-control"] == "no-store"
    assert " style=" not in page.text
    assert not re.search(r"<script(?! src=)|\son\w+=", page.text)


def test_unknown_user_is_not_found(demo: Demo) -> None:
    assert [get(demo, path, uid="99999").status_code for path in ("/", "/token")] == [404, 404]


def test_other_host_names_are_refused(demo: Demo) -> None:
    """A page elsewhere that points its own name at this machine must not be able to read tokens."""
    answer = httpx.get(f"{demo.url}/token?uid=10001", headers={"Host": "evil.example"}, trust_env=False)
    assert answer.status_code == 400
    assert "token" not in answer.text


def test_every_state_and_reason_has_a_word_in_both_languages() -> None:
    families = {
        "user": contract.UserStatus,
        "kyc": contract.KycStatus,
        "withdrawal": contract.WithdrawalStatus,
        "deposit": contract.DepositStatus,
        "order": contract.OrderStatus,
        "order_kind": contract.OrderKind,
        "side": contract.Side,
        "restriction": contract.RestrictionKind,
    }
    states = {f"{family}.{state}" for family, kind in families.items() for state in kind if state != "unknown"}
    records = [record.content for record in seed.seed(datetime.now(UTC))]
    codes = {getattr(record, "reason_code", None) or getattr(record, "kyc_reason_code", None) for record in records}
    reasons = {f"reason.{code}" for code in codes if code}
    assert states | reasons | {"reason.protective_freeze"} <= set(TEXTS)
    assert all(english and chinese for english, chinese in TEXTS.values())
