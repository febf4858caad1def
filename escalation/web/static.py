"""Serves styles, scripts and icons: our own from their folders, third-party ones by name from node_modules."""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import Route

ROOT = Path(__file__).parents[2]
ESCALATION = ROOT / "escalation"
NODE_MODULES = ROOT / "frontend" / "node_modules"

_SCRIPT = "text/javascript; charset=utf-8"
_STYLE = "text/css; charset=utf-8"

VENDOR = {
    "htmx.js": "htmx.org/dist/htmx.min.js",
    "htmx-sse.js": "htmx-ext-sse/dist/sse.min.js",
}
"""The allow-list: what may leave node_modules, and under which name."""

OWN = {
    "desk.css": (ESCALATION / "web" / "static" / "desk.css", _STYLE),
    "help.css": (ESCALATION / "help" / "static" / "help.css", _STYLE),
    "icon.svg": (ESCALATION / "web" / "static" / "icon.svg", "image/svg+xml"),
    "console.css": (ESCALATION / "console" / "static" / "console.css", _STYLE),
    "console.js": (ESCALATION / "console" / "static" / "console.js", _SCRIPT),
}


class MissingPackages(Exception):
    """The front-end packages are not installed; run `make run`, or `npm ci` in the folder frontend."""


def routes(node_modules: Path = NODE_MODULES) -> list[Route]:
    """`/static/<name>` and `/static/vendor/<name>`. Raises MissingPackages, naming the file that is not there."""
    served = [_route(f"/static/{name}", path, kind) for name, (path, kind) in OWN.items()]
    for name, inside in VENDOR.items():
        path = node_modules / inside
        if not path.is_file():
            raise MissingPackages(f"{path} is missing: run `make run`, or `npm ci` in the folder frontend")
        served.append(_route(f"/static/vendor/{name}", path, _SCRIPT))
    return served


def _route(address: str, path: Path, kind: str) -> Route:
    # "no-cache" means "ask whether it changed": a new release is never mixed with old scripts.
    headers = {"cache-control": "no-cache", "x-content-type-options": "nosniff"}

    async def serve(_: Request) -> FileResponse:
        return FileResponse(path, media_type=kind, headers=headers)

    return Route(address, serve, methods=["GET"])
