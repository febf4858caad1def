"""The settings say what is wrong with them, and without credentials the channel is off."""

from __future__ import annotations

import pytest

from channels.facebook.settings import check
from tests.facebook.graph_api import CREDENTIALS

HTTPS = "https://desk.exchange.example"


def test_without_credentials_it_is_off() -> None:
    assert not check({}, "").on


def test_with_credentials_it_is_on_and_shows_no_secret() -> None:
    settings = check(CREDENTIALS, HTTPS)
    assert settings.on
    assert not [secret for secret in list(CREDENTIALS.values())[1:] if secret in repr(settings)]


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"page_id": "1"}, "page_token, app_secret, verify_token is not set"),
        ({**CREDENTIALS, "page_id": "demo"}, "page_id: the id of a page is its number"),
        ({**CREDENTIALS, "app_secret": "short"}, "app_secret: this has 16 to 512 characters"),
        ({**CREDENTIALS, "verify_token": "with a space in it"}, "verify_token: this has 16"),
        ({"own_ids": ["@demo"]}, "own_ids: an id is a number"),
        ({"api_url": "graph.facebook.com"}, "api_url: 'graph.facebook.com' is not an address"),
        ({"api_version": "25"}, "api_version"),
        ({"file_origins": ["fbcdn.net"]}, "file_origins: an origin is a scheme and a host"),
        ({"file_origins": ["https://*.fbcdn.net/x"]}, "file_origins"),
        ({"poll_seconds": 1}, "poll_seconds"),
        ({"token": "x"}, "there is no setting 'token' (there are page_id, page_token"),
    ],
)
def test_what_is_wrong_is_named(section: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match="channel facebook: ") as fault:
        check(section, HTTPS)
    assert said in str(fault.value)
    assert not [secret for secret in list(CREDENTIALS.values())[1:] if secret in str(fault.value)]


def test_the_public_api_needs_an_address_that_it_can_post_to() -> None:
    with pytest.raises(ValueError, match="https://"):
        check(CREDENTIALS, "http://desk.exchange.example")
    assert check({**CREDENTIALS, "api_url": "http://127.0.0.1:9/"}, "").api_url == "http://127.0.0.1:9"
