"""What the operator is told of the connection to Telegram."""

from __future__ import annotations

import pytest

from channels.telegram.state import TROUBLE_AFTER_SECONDS, State


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_silence_is_trouble_after_a_minute_and_never_deafness(clock: Clock) -> None:
    state = State(clock)
    state.not_reached("TimedOut")
    assert state.trouble() is None
    clock.now += TROUBLE_AFTER_SECONDS
    state.not_reached("ServerFault")
    assert state.trouble() == "Telegram cannot be reached (ServerFault)"
    assert state.deaf() is None
    state.heard()
    assert (state.trouble(), state.well) == (None, True)


def test_who_was_never_heard_is_not_well(clock: Clock) -> None:
    assert not State(clock).well


def test_a_refused_token_is_deafness_until_it_is_taken(clock: Clock) -> None:
    state = State(clock)
    state.token_refused()
    assert "token" in str(state.deaf())
    state.sent()
    assert state.deaf() is None


def test_another_receiver_is_trouble_until_we_are_alone(clock: Clock) -> None:
    state = State(clock)
    state.conflict()
    state.heard(alone=False)
    assert "one receiver" in str(state.trouble())
    state.heard()
    assert state.trouble() is None


def test_a_webhook_that_fails_is_trouble(clock: Clock) -> None:
    state = State(clock)
    state.heard("3 updates wait")
    assert state.trouble() == "Telegram cannot post updates to us: 3 updates wait"
