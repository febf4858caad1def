"""The composition root: the one place that knows every concrete part of the app process."""

from __future__ import annotations

from bot.bootstrap.desk import Desk, build

__all__ = ["Desk", "build"]
