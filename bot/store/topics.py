"""Names of what wake-ups are about that every process of the desk must agree on."""

from __future__ import annotations

EVERYTHING = "*"
"""Whatever is watched; signs of the moment excepted."""
