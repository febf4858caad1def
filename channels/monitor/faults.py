"""What can go wrong between a network and us, told apart by what is to be done."""

from __future__ import annotations


class Fault(Exception):
    """`name` is a fixed word of ours; the network's own words may repeat what somebody wrote."""

    name = "fault"


class Unauthorized(Fault):
    """401: the credentials are wrong or were withdrawn."""

    name = "credentials refused"


class Forbidden(Fault):
    """403 or 404: not with this access level, or not for this post."""

    name = "not allowed"


class NotFound(Forbidden):
    """The network says, in its own words, that there is no such post."""


class NoSuchAddress(Forbidden):
    """404, but not in the network's own words: it has no such endpoint, or what stands before it knows none."""


class NotTaken(Fault):
    """400 and whatever else names a mistake of ours."""

    name = "request not taken"


class AskedToWait(Fault):
    """429. `seconds` until the quota is new; None when the answer says no time, or one that has passed."""

    name = "asked to wait"

    def __init__(self, seconds: float | None) -> None:
        super().__init__(self.name)
        self.seconds = seconds


class NeverLeft(Fault):
    """No connection: the request was surely not carried out."""

    name = "no connection"


class Unclear(Fault):
    """Silence, a server's fault or an answer that cannot be read: it may have been carried out."""

    name = "no readable answer"
