"""Commands as the tests write them."""

from __future__ import annotations

from actions.commands import Answer, Command, OpenCase, Say


def names(commands: tuple[Command, ...]) -> list[str]:
    """Commands in short: say:greeting, answer:fees, open_case:spam, hand_to_person."""
    short = []
    for command in commands:
        match command:
            case Say():
                short.append(f"say:{command.key}")
            case Answer():
                short.append(f"answer:{command.article}")
            case OpenCase():
                short.append(f"open_case:{command.label}")
            case _:
                short.append(command.name)
    return short
