"""Which of our languages and scripts a browser prefers, and which other one a page offers."""

from __future__ import annotations

from collections.abc import Iterator

from starlette.requests import Request

from channels.contract import spoken

MOST_TAGS = 20


def preferred(request: Request) -> Iterator[str]:
    """Those of ours in Accept-Language, as browsers list them: best first."""
    tags = request.headers.get("accept-language", "").split(",")[:MOST_TAGS]
    return (ours for tag in tags if (ours := spoken(tag.split(";")[0])) is not None)


def other_language(request: Request, language: str) -> str:
    """What the switch of a page offers: English, or Chinese in the script that the browser prefers."""
    if language != "en":
        return "en"
    return next((each for each in preferred(request) if each != "en"), "zh")
