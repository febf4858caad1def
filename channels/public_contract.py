"""What the desk should know of a message that was written in front of everybody, besides its words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Posing:
    """The author is called like us. Whether that is a fraud hangs on whom the message answers, which the desk knows."""

    reason: str
    """Why it looks so: "our_name" or "our_name_support" (our name beside a word such as "support" or 客服)."""
    who: str
    """The author's name and handle, for agents."""
    link: str
    """To the message, for agents; "" when there is none."""
    answers: tuple[str, ...] = ()
    """Keys of conversations of this channel: of those whom the message answers or names, without us and the author. A
    key is none of ours when that person never wrote to us."""
    before_us: bool = False
    """It answers somebody else in a talk in which we are named."""


@dataclass(frozen=True, kw_only=True)
class Public:
    """A message as everybody sees it."""

    posing: Posing | None = None
    addressed: bool = True
    """False: its author does not speak to us; the message was found by what it says. It is answered by nobody, and is a
    matter of ours only when it is a complaint about us."""
