"""Puts the demo exchange together: the contract under /v1, the site around it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fastapi import FastAPI
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.staticfiles import StaticFiles

from actions.backoffice.demo import api, problems, site
from actions.backoffice.demo.store import Store


def create_app(store: Store, api_token: str, pages: site.Site, hosts: Sequence[str] = ()) -> FastAPI:
    """The demo exchange over these books. `hosts` are names it answers to besides those of this machine."""
    app = FastAPI(title="Redress back office", version="1", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.store = store
    app.state.api_token = api_token
    app.state.site = pages
    # Without this a page elsewhere could point its own name at 127.0.0.1 and read tokens (DNS rebinding).
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost", *hosts])
    app.include_router(api.router)
    app.include_router(site.router)
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"))
    problems.install(app)
    return app
