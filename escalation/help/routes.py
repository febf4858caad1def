"""GET /help, /help/<id>, /notices: what everybody may read, without a script and without a cookie."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Connection
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from bot.clock import Clock
from bot.store.store import Store
from bot.understanding.knowledge import Article, Knowledge
from bot.understanding.masking import masked, same_words_key
from bot.wording import Wording, base
from escalation.broadcast.repository import broadcasts
from escalation.broadcast.repository.broadcasts import BroadcastRow
from escalation.help import feed, repository
from escalation.help.blocks import blocks
from escalation.help.repository import Gap
from escalation.help.shelf import Shelf
from escalation.web.errors import Refused
from escalation.web.headers import SecurityHeaders
from escalation.web.language import asked_language, preferred_language
from escalation.web.pages import Pages
from escalation.web.rate import Rate

HERE = Path(__file__).parent
WORDING = HERE / "wording"
LONGEST_QUERY = 200
SHORTEST_GAP = 2
"""Characters from which a search that finds nothing says something."""
FOUND = 12
NEWEST = 3
SEARCHES, VOTES = (60, timedelta(minutes=1)), (20, timedelta(minutes=10))
"""How many from one place in what time."""
GAPS_OF_ALL = (30, timedelta(minutes=1))
"""What strangers may write into the list of gaps, all of them together."""
_NOT_INDEXED = {"x-robots-tag": "noindex"}


@dataclass(frozen=True, kw_only=True)
class HelpDesk:
    """What the help pages need; the composition root fills it in."""

    store: Store
    clock: Clock
    words: Wording
    """Holds at least the catalogues of `escalation/web/wording` and `escalation/help/wording`."""
    knowledge: Knowledge
    brands: Mapping[str, str]
    """The exchange's name by language."""
    public_url: str


def address_of(public_url: str, article: str, language: str) -> str:
    """Where an article can be read."""
    return f"{public_url}/help/{article}?lang={language}"


def routes(desk: HelpDesk) -> list[BaseRoute]:
    pages = HelpPages(desk)
    headers = Middleware(SecurityHeaders, referrer="same-origin", https=desk.public_url.startswith("https://"))
    return [
        Route("/help", pages.index, methods=["GET"], middleware=[headers]),
        Route("/help/{id}", pages.article, methods=["GET"], middleware=[headers]),
        Route("/help/{id}/{vote}", pages.vote, methods=["POST"], middleware=[headers]),
        Route("/notices", pages.notices, methods=["GET"], middleware=[headers]),
        Route("/notices.atom", pages.atom, methods=["GET"], middleware=[headers]),
    ]


class HelpPages:
    def __init__(self, desk: HelpDesk) -> None:
        self._desk = desk
        self._shelf = Shelf(desk.knowledge, desk.words)
        self._pages = Pages(desk.words, desk.clock, desk.brands, HERE / "templates", language_of=_language)
        self._searches = Rate(desk.clock, *SEARCHES)
        self._votes = Rate(desk.clock, *VOTES)
        self._gaps = Rate(desk.clock, *GAPS_OF_ALL)

    async def index(self, request: Request) -> Response:
        """The topics; with `q`, what was found."""
        query, language, shelf = _query(request), _language(request), self._shelf
        values: dict[str, Any] = {
            "query": query,
            "topics": shelf.topics(language),
            "newest": shelf.notices(language)[:NEWEST],
        }
        if not query:
            return self._pages.show(request, "index.html", found=None, **values)
        if self._searches.spent(_client(request)):
            raise _too_many(SEARCHES[1])
        found = await asyncio.to_thread(shelf.search, query, language, FOUND)
        if not any(match.good for match in found):
            await self._note_search(query, language)
        page = self._pages.show(request, "index.html", found=found, **values)
        page.headers.update(_NOT_INDEXED)
        return page

    async def article(self, request: Request) -> Response:
        language = _language(request)
        article = self._article(request, language)
        related = await asyncio.to_thread(self._shelf.related, article.id, language)
        return self._pages.show(
            request,
            "article.html",
            article=article,
            blocks=blocks(article.body),
            related=related,
            voted=request.query_params.get("voted"),
            vote_query=urlencode({"lang": language, **({"q": query} if (query := _query(request)) else {})}),
        )

    async def vote(self, request: Request) -> Response:
        """ "Did this help?" A page of another site must not answer for its readers (Fetch Metadata)."""
        language, vote = _language(request), request.path_params["vote"]
        article = self._article(request, language)
        if vote not in ("yes", "no"):
            raise Refused(404, "web.error_404")
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            raise Refused(403, "web.error_403")
        if self._votes.spent(_client(request)):
            raise _too_many(VOTES[1])
        await self._note_vote(article, language, _query(request), helped=vote == "yes")
        return RedirectResponse(f"/help/{article.id}?lang={language}&voted={vote}#helped", status_code=303)

    async def notices(self, request: Request) -> Response:
        shown = [(one, blocks(one.body)) for one in self._shelf.notices(_language(request))]
        return self._pages.show(request, "notices.html", notices=shown, published=await self._published())

    async def _published(self) -> Sequence[BroadcastRow]:
        now = self._desk.clock()
        return await self._desk.store.read(lambda connection: broadcasts.published(connection, now))

    async def atom(self, request: Request) -> Response:
        language = _language(request)
        content = feed.atom(
            self._shelf.notices(language),
            await self._published(),
            title=self._desk.words.say("help.notices_of", language, brand=self._desk.brands[language]),
            author=self._desk.brands[language],
            language=language,
            base=self._desk.public_url,
        )
        return Response(content, media_type="application/atom+xml")

    def _article(self, request: Request, language: str) -> Article:
        """Raises Refused 404 for an id that no article has."""
        try:
            return self._shelf.article(request.path_params["id"], language)
        except KeyError as error:
            raise Refused(404, "help.no_such_article") from error

    async def _note_search(self, query: str, language: str) -> None:
        if len(query) < SHORTEST_GAP or self._gaps.spent("all"):
            return
        gap = _gap(query, language, repository.SEARCH)
        at = self._desk.clock()
        await self._desk.store.write(lambda connection: repository.add_gap(connection, gap, at))

    async def _note_vote(self, article: Article, language: str, query: str, *, helped: bool) -> None:
        """Somebody who searched and was not helped by what was found has found nothing."""
        gap = None if helped or not query else _gap(query, language, repository.UNHELPED, article)
        at = self._desk.clock()

        def add(connection: Connection) -> None:
            repository.add_vote(connection, article.id, base(language), at, helped=helped)
            if gap is not None:
                repository.add_gap(connection, gap, at)

        await self._desk.store.write(add)


def _gap(query: str, language: str, why: str, article: Article | None = None) -> Gap:
    text = masked(query)
    return Gap(
        text=text,
        alike=same_words_key(text),
        language=base(language),
        why=why,
        label=None if article is None else article.class_,
        article=None if article is None else article.id,
    )


def _query(request: Request) -> str:
    return " ".join(request.query_params.get("q", "").replace("\x00", " ").split())[:LONGEST_QUERY]


def _client(request: Request) -> str:
    return request.client.host if request.client else ""


def _language(request: Request) -> str:
    return asked_language(request) or preferred_language(request)


def _too_many(window: timedelta) -> Refused:
    return Refused(429, "help.too_many", {"retry-after": str(int(window.total_seconds()))})
