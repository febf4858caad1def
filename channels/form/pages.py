"""The pages of the form, rendered from its templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from channels.contract import Entry, Words
from channels.form.fields import LIMITS, LONG, MORE, ROLES, WHAT, YOU, Fault, Filled
from channels.form.settings import FormSettings
from channels.form.topics import OTHER, groups, topics
from channels.live_contract import Receipt, Upload
from channels.web.languages import other_language
from channels.web.sessions import Session

HERE = Path(__file__).parent
FOLDERS = (HERE / "static", HERE.parent / "web" / "static")
TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
HTML_LANGUAGES = {"en": "en", "zh": "zh-CN", "zh-Hant": "zh-Hant"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    # Browsers send "Origin: null" with a form of a page that names no referrer at all.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}
SCRIPT_WORDS = (
    *("file_remove", "file_waiting", "file_going", "file_again", "file_ready", "file_failed", "file_empty"),
    *("file_too_large", "file_too_many", "file_partly", "file_gone", "files_wait", "files_partly"),
)


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A form as it is shown: empty, or given back with what was typed."""

    language: str
    session: Session
    filled: Filled
    files: Sequence[Upload] = ()
    faults: Sequence[Fault] = ()
    notice: str = ""
    """A sentence's name: "<notice>" is its heading, "<notice>_text" the sentence."""
    values: Mapping[str, object] = field(default_factory=dict)
    status: int = 200
    adds: bool = False
    """More about a complaint that was filed before."""


class Pages:
    def __init__(self, settings: FormSettings, exchange: Mapping[str, str], words: Words) -> None:
        self._settings = settings
        self._exchange = exchange
        self._words = words
        environment = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates = environment
        self._files = {
            path.name: path for folder in FOLDERS for path in sorted(folder.iterdir()) if path.suffix in TYPES
        }

    def choose(self, request: Request, language: str) -> Response:
        return self._show(request, "choose.html", language, groups=groups())

    def sheet(self, request: Request, sheet: Sheet) -> Response:
        say = partial(self._say, sheet.language)
        page = self._show(
            request,
            "sheet.html",
            sheet.language,
            status=sheet.status,
            sheet=sheet,
            token=f"{sheet.session.id}.{sheet.session.secret}",
            questions=topics()[sheet.filled.topic],
            what=WHAT,
            you=YOU,
            more=MORE,
            roles=ROLES,
            long=LONG,
            limits={**LIMITS, "description": self._settings.max_characters},
            faults=[self._fault(say, fault) for fault in sheet.faults],
            given=request.method == "POST",
            faulty={fault.field for fault in sheet.faults},
            script={name: say(name, name="{name}", percent="{percent}") for name in SCRIPT_WORDS},
            max_files=self._settings.max_files,
            max_file_bytes=self._settings.max_file_bytes,
            action="/form?" + urlencode({"class": sheet.filled.topic, "lang": sheet.language}),
            other_topic=OTHER,
        )
        if sheet.notice and (seconds := sheet.values.get("seconds")):
            page.headers["Retry-After"] = str(seconds)
        return page

    def receipt(
        self, request: Request, language: str, token: str, receipt: Receipt, entries: Sequence[Entry], tries: int
    ) -> Response:
        """`tries`: how often the page has been asked for a number that is not there; 0 asks no more by itself."""
        again = "?" + urlencode({"lang": language, "look": tries}) if tries and not receipt.number else ""
        add = "/form?" + urlencode({"add": token, "lang": language})
        return self._show(
            request, "receipt.html", language, receipt=receipt, entries=entries, again=again, add=add, tries=tries
        )

    def plain(self, request: Request, language: str, notice: str, status: int) -> Response:
        """A page that says why nothing was taken."""
        values = {"megabytes": self._settings.max_post_bytes // 2**20} if notice == "too_large" else {}
        return self._show(request, "plain.html", language, status=status, notice=notice, values=values)

    def file(self, request: Request) -> Response:
        path = self._files.get(request.path_params["name"])
        if path is None:
            return PlainTextResponse("404", status_code=404)
        content = path.read_bytes()
        etag = f'"{sha256(content).hexdigest()[:32]}"'
        headers = {"ETag": etag, "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers=headers)
        return Response(content, media_type=TYPES[path.suffix], headers=headers)

    def _fault(self, say: partial[str], fault: Fault) -> tuple[str, str]:
        label = say(f"ask_{fault.field}") if fault.field and fault.field != "files" else ""
        values = {"limit": f"{fault.limit:,}"} if fault.limit else {}
        return fault.field, say(fault.key, field=label, **values)

    def _say(self, language: str, key: str, **values: object) -> str:
        return self._words.say(f"form.{key}", language, **{**self._settings.figures, **values})

    def _has(self, language: str, key: str) -> bool:
        """Not every question has a hint."""
        try:
            self._say(language, key)
        except KeyError:
            return False
        return True

    def _show(
        self, request: Request, template: str, language: str, *, status: int = 200, **values: object
    ) -> HTMLResponse:
        other = other_language(request, language)
        exchange = self._exchange.get(language, "")
        switch = f"?{request.url.include_query_params(lang=other).query}" if request.method in ("GET", "HEAD") else ""
        content = self._templates.get_template(template).render(
            t=partial(self._say, language),
            has=partial(self._has, language),
            language=language,
            colon=": " if language == "en" else "：",
            html_language=HTML_LANGUAGES[language],
            other_html_language=HTML_LANGUAGES[other],
            switch=switch,
            exchange=exchange,
            **values,
        )
        headers = {**HEADERS, "Content-Language": language}
        return HTMLResponse(content, status_code=status, headers=headers)
