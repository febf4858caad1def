"""What can go wrong with Facebook besides what can with every network, told apart by what is to be done."""

from __future__ import annotations

from channels.monitor.faults import Forbidden, NeverLeft


class NotPermitted(Forbidden):
    """The app or the page may not do this, or is blocked for it."""

    name = "not permitted"


class WindowClosed(Forbidden):
    """The person's last message is too old for an answer."""

    name = "window closed"


class Unavailable(Forbidden):
    """The person takes no messages from us: blocked us, left, or is not known."""

    name = "person unavailable"


class ServerFault(NeverLeft):
    """The server answered that it did not do it: a temporary error."""

    name = "fault of the server"
