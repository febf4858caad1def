"""The demo exchange's own pages: a wallet per user, with the desk's chat widget on it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates

from actions.backoffice.contract import Deposit, Order, User, Withdrawal
from actions.backoffice.demo.api import Books
from actions.backoffice.demo.problems import Problem
from actions.backoffice.demo.store import Store
from actions.backoffice.demo.texts import Language, translator
from actions.backoffice.demo.tokens import LIFETIME, app_token

_TEMPLATES = Jinja2Templates(Path(__file__).parent / "templates")
_SHOWN = timedelta(days=90)


@dataclass(frozen=True, kw_only=True)
class Site:
    """What the pages need to know. `widget_url` is the desk's address without a final slash, "" for no chat."""

    widget_url: str
    token_secret: str

    def token_for(self, user: User) -> str:
        """The token that names `user` to the desk from now on."""
        return app_token(user, self.token_secret, datetime.now(UTC))

    def headers(self) -> dict[str, str]:
        """The security headers of every page: nothing from elsewhere but the widget, nothing kept."""
        widget = self.widget_url
        sockets = widget.replace("http", "ws", 1)
        policy = {
            "default-src": "'none'",
            "script-src": f"'self' {widget}",
            "style-src": "'self'",
            "img-src": f"'self' {widget}",
            "connect-src": f"{widget} {sockets}" if widget else "'none'",
            "form-action": "'self'",
            "base-uri": "'none'",
            "frame-ancestors": "'none'",
        }
        return {
            "Content-Security-Policy": "; ".join(f"{name} {rule}".strip() for name, rule in policy.items()),
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
            "Cache-Control": "no-store",
        }


def _site(request: Request) -> Site:
    site = request.app.state.site
    assert isinstance(site, Site)
    return site


Pages = Annotated[Site, Depends(_site)]
router = APIRouter(include_in_schema=False)


@router.get("/")
def wallet(request: Request, books: Books, site: Pages, uid: str = "", lang: str = "") -> HTMLResponse:
    """The wallet of the chosen user, or the guest's page without one."""
    user = _chosen(books, uid) if uid else None
    language = _language(lang, user)
    content: dict[str, Any] = {"users": books.users(), "incidents": books.incidents(datetime.now(UTC))}
    if user:
        content |= {"user": user, "token": site.token_for(user), **_holdings(books, user)}
    return _page(request, site, "wallet.html", language, content)


@router.get("/security/review")
def security_review(request: Request, site: Pages, lang: str = "") -> HTMLResponse:
    """Where a restriction sends its user."""
    return _page(request, site, "review.html", _language(lang, None), {})


@router.get("/token")
def token(books: Books, site: Pages, uid: str) -> dict[str, str | int]:
    """A token of this user for programs that play the exchange's app."""
    signed = site.token_for(_chosen(books, uid))
    return {"token": signed, "expires_in_seconds": int(LIFETIME.total_seconds())}


def _chosen(books: Store, uid: str) -> User:
    user = books.user(uid)
    if user is None:
        raise Problem(404, "user_not_found", "The demo exchange has no user with this uid.")
    return user


def _language(asked: str, user: User | None) -> Language:
    """What the address asks for, else the user's own language, else English."""
    wanted = asked or (user.language if user else "")
    return "zh" if wanted.startswith("zh") else "en"


def _holdings(books: Store, user: User) -> dict[str, Any]:
    since = datetime.now(UTC) - _SHOWN
    return {
        "restrictions": books.restrictions(user.uid),
        "withdrawals": books.since(Withdrawal, user.uid, since),
        "deposits": books.since(Deposit, user.uid, since),
        "orders": books.since(Order, user.uid, since),
    }


def _page(request: Request, site: Site, template: str, language: Language, content: dict[str, Any]) -> HTMLResponse:
    context = {"lang": language, "t": translator(language), "widget_url": site.widget_url, **content}
    return _TEMPLATES.TemplateResponse(request, template, context, headers=site.headers())
