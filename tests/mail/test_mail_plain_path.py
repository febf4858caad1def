"""The short cut for plain addresses says what the library's parser says."""

from __future__ import annotations

import pytest
from aiosmtpd.smtp import SMTP
from hypothesis import given
from hypothesis import strategies as st

from channels.mail.smtp import _PLAIN_PATH


class Limits:
    """What the library's parser asks of its session."""

    local_part_limit = 0


def of_library(argument: str) -> tuple[str, str]:
    address, rest = SMTP._getaddr(Limits(), argument)  # type: ignore[arg-type]
    assert address is not None
    assert rest is not None
    return str(address), rest


def of_short_cut(argument: str) -> tuple[str, str] | None:
    found = _PLAIN_PATH.fullmatch(argument)
    return None if found is None else (found.group(1), found.group(2) or "")


@given(st.from_regex(_PLAIN_PATH, fullmatch=True))
def test_it_agrees_with_the_library(argument: str) -> None:
    assert of_short_cut(argument) == of_library(argument)


@pytest.mark.parametrize(
    ("argument", "meant"),
    [
        ("<li@user.example>", ("li@user.example", "")),
        ("<li.mei+x@user.example> SIZE=1024 BODY=8BITMIME", ("li.mei+x@user.example", "SIZE=1024 BODY=8BITMIME")),
        ("<complaints+abc.v1def@exchange.example>", ("complaints+abc.v1def@exchange.example", "")),
    ],
)
def test_it_takes_what_clients_write(argument: str, meant: tuple[str, str]) -> None:
    assert of_short_cut(argument) == meant == of_library(argument)


@pytest.mark.parametrize(
    "argument",
    [
        "",
        "<>",
        "<postmaster>",
        "<@relay.example:li@user.example>",
        '<"li mei"@user.example>',
        "<李@用户.例子>",
        "<li@[127.0.0.1]>",
        "<li@user.example>\n",
        "<li@user.example>\r\nRCPT TO:<b@user.example>",
        "<li@user.example> (a comment)",
        "<li..mei@user.example>",
        "<li@user.example\x00>",
        "<li@user.example> SIZE=1\x00",
    ],
)
def test_everything_else_is_left_to_the_library(argument: str) -> None:
    assert of_short_cut(argument) is None
