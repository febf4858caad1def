"""The widget's files, for any allowed site, and the desk's own chat page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from channels.contract import Words
from channels.web.door import cors, language_of
from channels.web.languages import other_language
from channels.web.origins import Origins, origin_of_url

WIDGET = Path(__file__).parent / "widget"
SHARED = Path(__file__).parents[1] / "web" / "static"
TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
HTML_TAGS = {"en": "en", "zh": "zh-CN", "zh-Hant": "zh-Hant"}
SIMPLIFIED, TRADITIONAL = "strings.zh.js", "strings.zh-hant.js"
"""The widget's Chinese words, and the name under which they are served in 繁體, from when they are first asked for."""


@dataclass(frozen=True)
class WidgetFile:
    content: bytes
    media_type: str
    etag: str


class Pages:
    def __init__(self, origins: Origins, public_url: str, exchange_names: Mapping[str, str], words: Words) -> None:
        self._origins = origins
        self._exchange_names = exchange_names
        self._words = words
        self._files = _widget_files()
        self._policy = _content_policy(public_url)
        environment = Environment(loader=FileSystemLoader(WIDGET), autoescape=True, undefined=StrictUndefined)
        self._page = environment.get_template("page.html")

    def routes(self) -> Sequence[BaseRoute]:
        return [
            Route("/chat", self._chat, methods=["GET"]),
            Route("/widget/{name}", self._file, methods=["GET"]),
        ]

    async def _chat(self, request: Request) -> Response:
        language = language_of(request)
        other = other_language(request, language)
        exchange = self._exchange_names.get(language, "")
        page = self._page.render(
            language=language,
            html_language=HTML_TAGS[language],
            title=self._words.say("webchat.page_title", language, exchange=exchange),
            intro=self._words.say("webchat.page_intro", language, exchange=exchange),
            no_script=self._words.say("webchat.page_no_script", language),
            other=other,
            other_title="English" if other == "en" else "中文",
            other_html_language=HTML_TAGS[other],
        )
        return HTMLResponse(page, headers=self._page_headers())

    async def _file(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name == TRADITIONAL and name not in self._files:
            simplified = self._files[SIMPLIFIED].content.decode()
            self._files[name] = _widget_file(".js", self._words.written(simplified, "zh-Hant").encode())
        file = self._files.get(name)
        if file is None:
            return PlainTextResponse("404", status_code=404)
        headers = {
            "ETag": file.etag,
            # Asked for anew each time, so that the modules of the widget always fit together.
            "Cache-Control": "public, max-age=0, must-revalidate",
            "Cross-Origin-Resource-Policy": "cross-origin",
            "X-Content-Type-Options": "nosniff",
            **cors(request, self._origins),
        }
        if _unchanged(request, file.etag):
            return Response(status_code=304, headers=headers)
        return Response(file.content, media_type=file.media_type, headers=headers)

    def _page_headers(self) -> dict[str, str]:
        return {
            "Content-Security-Policy": self._policy,
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-cache",
        }


def _widget_files() -> dict[str, WidgetFile]:
    return {
        path.name: _widget_file(path.suffix, path.read_bytes())
        for folder in (WIDGET, SHARED)
        for path in folder.iterdir()
        if path.suffix in TYPES
    }


def _widget_file(suffix: str, content: bytes) -> WidgetFile:
    return WidgetFile(content, TYPES[suffix], f'"{sha256(content).hexdigest()[:32]}"')


def _content_policy(public_url: str) -> str:
    """Browsers differ in whether 'self' covers WebSockets, so the socket's origin is named."""
    parts = urlsplit(origin_of_url(public_url))
    socket = f"{'wss' if parts.scheme == 'https' else 'ws'}://{parts.netloc}"
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        f"connect-src 'self' {socket}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _unchanged(request: Request, etag: str) -> bool:
    """RFC 9110 section 13.1.2; a proxy may have weakened the tag."""
    known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    return etag in known or known == ["*"]
