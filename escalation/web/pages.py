"""Renders pages: one template, one language, every word from the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from starlette.requests import Request
from starlette.responses import HTMLResponse

from bot.clock import Clock
from bot.wording import Wording
from bot.wording.traditional import HANT
from channels.web.languages import other_language
from escalation.web import language as languages
from escalation.web import moments

HERE = Path(__file__).parent
HTML_TAGS = {"en": "en", "zh": "zh-CN", HANT: HANT}
"""The `lang` of a page, by language."""


class Pages:
    """`show(request, "queue.html", rows=...)`. Unknown names in a template and unknown wording keys fail."""

    def __init__(
        self,
        words: Wording,
        clock: Clock,
        brands: Mapping[str, str],
        *folders: Path,
        remember_language: bool = False,
        language_of: Callable[[Request], str] = languages.language_of,
    ) -> None:
        """`brands` is the exchange's name by language; `folders` hold templates besides the shared ones."""
        self._words = words
        self._clock = clock
        self._brands = brands
        self._remember_language = remember_language
        self._language_of = language_of
        self._templates = _environment((*folders, HERE / "templates"), words)

    def language(self, request: Request) -> str:
        return self._language_of(request)

    def say(self, key: str, language: str, **values: object) -> str:
        return self._words.say(key, language, **values)

    def show(
        self, request: Request, template: str, *, status: int = 200, language: str | None = None, **values: Any
    ) -> HTMLResponse:
        """A response. `language` overrides what the request asks for."""
        spoken = language or self.language(request)
        page = HTMLResponse(self.render(request, template, spoken, **values), status_code=status)
        page.headers["content-language"] = spoken
        asked = languages.asked_language(request)
        if self._remember_language and asked:
            page.set_cookie(languages.COOKIE, asked, max_age=languages.YEAR_SECONDS, samesite="lax", httponly=True)
        return page

    def render(self, request: Request, template: str, language: str, **values: Any) -> str:
        other = other_language(request, language)
        return self._templates.get_template(template).render(
            lang=language,
            html_lang=HTML_TAGS[language],
            other_lang=other,
            other_html_lang=HTML_TAGS[other],
            switch_path=_switch_path(request, other),
            brand=self._brands[language],
            now=self._clock(),
            **values,
        )


def _switch_path(request: Request, language: str) -> str | None:
    """The same page in the other language, relative to itself; a form's answer has none: it cannot be asked again."""
    if request.method not in ("GET", "HEAD"):
        return None
    return f"?{request.url.include_query_params(lang=language).query}"


@cache
def _environment(folders: tuple[Path, ...], words: Wording) -> Environment:
    """Kept, because compiling the templates takes longer than anything a page does."""

    @pass_context
    def said(context: Context, key: str, /, **values: object) -> str:
        """A key may end in a code made elsewhere (a class, a channel): `or_else` is said when it has no words."""
        fallback = values.pop("or_else", None)
        if fallback is not None and not words.knows(key):
            return str(fallback)
        return words.say(key, context["lang"], **values)

    environment = Environment(
        loader=FileSystemLoader(folders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["t"] = said
    environment.filters["moment"] = _moment
    environment.filters["day"] = _day
    environment.filters["calendar_day"] = _calendar_day
    environment.filters["since"] = _since
    return environment


@pass_context
def _moment(context: Context, at: datetime) -> str:
    return moments.moment(at, context["lang"])


@pass_context
def _day(context: Context, at: datetime) -> str:
    return moments.day(at, context["lang"])


@pass_context
def _calendar_day(context: Context, on: date) -> str:
    return moments.calendar_day(on, context["lang"])


@pass_context
def _since(context: Context, at: datetime) -> str:
    length: timedelta = context["now"] - at
    return moments.span(length, context["lang"])
