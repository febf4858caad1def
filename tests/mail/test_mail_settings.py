"""A wrong setting stops the start with a sentence that names it."""

from __future__ import annotations

import pytest

from channels.mail.settings import check


@pytest.mark.parametrize(
    ("section", "named"),
    [
        ({"adress": "a@b.example"}, "there is no setting 'adress'"),
        ({"address": "not an address"}, "'not an address' is not a mail address"),
        ({"address": "complaints-of-our-dear-customers@b.example"}, "must have at most 17 characters"),
        ({"address": "a+b@c.example"}, "no '+'"),
        ({"address": "a@b.example\r\nx"}, "is not a mail address"),
        ({"max_recipients": 0}, "max_recipients"),
        ({"relay_port": "many"}, "relay_port"),
        ({"authentication": "maybe"}, "authentication"),
        ({"authentication": "trust"}, "trusted_authserv_id"),
        ({"trusted_authserv_id": "mx.b.example"}, "trusted_authserv_id"),
        ({"automatic_per_address": -1}, "automatic_per_address"),
        ({"relay_user": "u"}, "relay_user and relay_password belong together"),
    ],
)
def test_wrong_settings_are_named(section: dict[str, object], named: str) -> None:
    with pytest.raises(ValueError, match="channel mail: ") as raised:
        check(section)
    assert named in str(raised.value)
    assert "\n" not in str(raised.value)


def test_defaults_and_the_password_in_no_text() -> None:
    assert check({}).address == "complaints@exchange.example"
    settings = check({"relay_user": "u", "relay_password": "hunter2", "address": "Help@Ex.Example"})
    assert "hunter2" not in repr(settings)
    assert settings.address == "help@ex.example"
