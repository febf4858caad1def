"""The back-office contract (`openapi.yml`) served from the demo exchange's books."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import AwareDatetime, BeforeValidator, StringConstraints

from actions.backoffice.contract import (
    Deposit,
    Freeze,
    Incident,
    Order,
    Restriction,
    Trade,
    User,
    Withdrawal,
)
from actions.backoffice.demo.problems import Problem, ProblemBody
from actions.backoffice.demo.store import KeyReused, Store

PAGE_SIZE = 100

Uid = Annotated[str, Path(pattern="^[A-Za-z0-9_-]{1,64}$")]


def _not_a_number(value: object) -> object:
    """pydantic reads digits as seconds since 1970; the contract knows ISO 8601 only."""
    if isinstance(value, str) and value.lstrip("+-").replace(".", "", 1).isdigit():
        raise ValueError("not an ISO 8601 time")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_not_a_number)]
Cursor = Annotated[str | None, Query(pattern="^[0-9]{1,6}$")]


@dataclass(frozen=True, kw_only=True)
class Page[T]:
    """A part of a list; `next_cursor` asks for the next part and is null in the last."""

    items: tuple[T, ...]
    next_cursor: str | None


@dataclass(frozen=True, kw_only=True)
class EmailQuery:
    """Whom to look up."""

    email: Annotated[str, StringConstraints(min_length=3, max_length=254)]


@dataclass(frozen=True, kw_only=True)
class FreezeRequest:
    """Why the account is to be frozen: a code or a short sentence of the desk."""

    reason: Annotated[str, StringConstraints(min_length=1, max_length=200)]


def _page[T](records: tuple[T, ...], cursor: str | None) -> Page[T]:
    start = int(cursor or 0)
    end = start + PAGE_SIZE
    return Page(items=records[start:end], next_cursor=str(end) if end < len(records) else None)


def _store(request: Request) -> Store:
    store = request.app.state.store
    assert isinstance(store, Store)
    return store


Books = Annotated[Store, Depends(_store)]


def _known_user(uid: Uid, books: Books) -> User:
    user = books.user(uid)
    if user is None:
        raise Problem(404, "user_not_found", "There is no user with this uid.")
    return user


KnownUser = Annotated[User, Depends(_known_user)]


def _authorised(
    request: Request,
    given: Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))],
) -> None:
    wanted: str = request.app.state.api_token
    if given is None or not secrets.compare_digest(given.credentials.encode(), wanted.encode()):
        raise Problem(401, "unauthorized", "The bearer token is missing or wrong.")


router = APIRouter(
    prefix="/v1",
    dependencies=[Depends(_authorised)],
    responses={401: {"model": ProblemBody}, 422: {"model": ProblemBody}},
)
_may_be_missing: dict[int | str, dict[str, object]] = {404: {"model": ProblemBody}}


@router.get("/users/{uid}", responses=_may_be_missing)
def get_user(user: KnownUser) -> User:
    """The user with this uid."""
    return user


@router.post("/users/lookup", responses=_may_be_missing)
def look_up_user(query: EmailQuery, books: Books) -> User:
    """The user registered with this address."""
    user = books.user_by_email(query.email)
    if user is None:
        raise Problem(404, "user_not_found", "There is no user with this address.")
    return user


@router.get("/users/{uid}/deposits", responses=_may_be_missing)
def list_deposits(user: KnownUser, books: Books, since: Moment, cursor: Cursor = None) -> Page[Deposit]:
    """The user's deposits."""
    return _page(books.since(Deposit, user.uid, since), cursor)


@router.get("/users/{uid}/withdrawals", responses=_may_be_missing)
def list_withdrawals(user: KnownUser, books: Books, since: Moment, cursor: Cursor = None) -> Page[Withdrawal]:
    """The user's withdrawals."""
    return _page(books.since(Withdrawal, user.uid, since), cursor)


@router.get("/users/{uid}/orders", responses=_may_be_missing)
def list_orders(user: KnownUser, books: Books, since: Moment, cursor: Cursor = None) -> Page[Order]:
    """The user's orders."""
    return _page(books.since(Order, user.uid, since), cursor)


@router.get("/users/{uid}/trades", responses=_may_be_missing)
def list_trades(user: KnownUser, books: Books, since: Moment, cursor: Cursor = None) -> Page[Trade]:
    """The user's trades."""
    return _page(books.since(Trade, user.uid, since), cursor)


@router.get("/users/{uid}/restrictions", responses=_may_be_missing)
def list_restrictions(user: KnownUser, books: Books, cursor: Cursor = None) -> Page[Restriction]:
    """What is closed to the user now."""
    return _page(books.restrictions(user.uid), cursor)


@router.get("/incidents")
def list_incidents(books: Books, at: Moment, cursor: Cursor = None) -> Page[Incident]:
    """What was wrong on the platform at that time."""
    return _page(books.incidents(at), cursor)


@router.post("/users/{uid}/freezes", responses=_may_be_missing)
def freeze_account(
    user: KnownUser,
    books: Books,
    wish: FreezeRequest,
    idempotency_key: Annotated[str, Header(min_length=1, max_length=128)],
) -> Freeze:
    """Freezes the account; a repeated key gives the same freeze."""
    try:
        return books.freeze(user, wish.reason, idempotency_key)
    except KeyReused as error:
        title = "This Idempotency-Key was used for another user or another reason."
        raise Problem(422, "idempotency_key_reused", title) from error
