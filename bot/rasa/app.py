"""Puts the Rasa process together: model, tracker store, action server, the one channel."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Optional

from rasa.core.channels.channel import UserMessage
from rasa.core.lock_store import InMemoryLockStore
from rasa.core.nlg import TemplatedNaturalLanguageGenerator
from rasa.core.run import create_http_input_channels
from rasa.core.utils import AvailableEndpoints
from rasa.engine.constants import PLACEHOLDER_MESSAGE, PLACEHOLDER_TRACKER
from rasa.shared.core.domain import Domain
from sanic import Sanic
from sanic.request import Request
from sanic.response import HTTPResponse, json

from actions.logs import log
from bot.rasa.calls import call_cheaply
from bot.rasa.processor import BoundedEndpoint, StrictProcessor
from bot.rasa.serving import Serving
from bot.rasa.tracker import DurableTrackerStore

HERE = Path(__file__).parent
BODY_BYTES = 1024 * 1024
"""A turn larger than this is refused; the longest mail text that the desk sends is far below."""


def load_processor(model: Path, beside: Optional[StrictProcessor] = None) -> StrictProcessor:
    """The processor of that model archive. Raises whatever a broken archive provokes.

    `beside`: the one it is to take the place of; both know the same conversations.
    """
    call_cheaply()
    endpoints = AvailableEndpoints.read_endpoints(str(HERE / "endpoints.yml"))
    processor = StrictProcessor(
        model_path=model,
        tracker_store=_tracker_store(endpoints) if beside is None else beside.tracker_store,
        lock_store=InMemoryLockStore() if beside is None else beside.lock_store,
        generator=TemplatedNaturalLanguageGenerator({}),
        action_endpoint=_action_server(endpoints) if beside is None else beside.action_endpoint,
    )
    # The encoder loads with its first text; the first user should not wait for it.
    processor.graph_runner.run(
        inputs={PLACEHOLDER_MESSAGE: [UserMessage("hello")], PLACEHOLDER_TRACKER: None},
        targets=[processor.model_metadata.nlu_target],
    )
    return processor


def make_app(serving: Serving) -> Sanic:
    """The web server: the channel of credentials.yml, and a fixed answer to everything else."""
    app = Sanic("redress_rasa", configure_logging=False)
    app.config.REQUEST_MAX_SIZE = BODY_BYTES
    app.config.ACCESS_LOG = False
    app.config.FALLBACK_ERROR_FORMAT = "json"
    app.ctx.serving = serving
    for channel in create_http_input_channels(None, str(HERE / "credentials.yml")):
        app.blueprint(channel.blueprint(serving.handle), url_prefix=f"/webhooks/{channel.url_prefix()}")
    app.error_handler.add(Exception, _refuse)
    app.register_listener(_announce, "after_server_start")
    app.add_task(serving.watch())
    return app


def _action_server(endpoints: AvailableEndpoints) -> BoundedEndpoint:
    return BoundedEndpoint(endpoints.action.url, headers=endpoints.action.headers)


def _tracker_store(endpoints: AvailableEndpoints) -> DurableTrackerStore:
    kept = endpoints.tracker_store
    return DurableTrackerStore(domain=Domain.empty(), host=kept.url, **kept.kwargs)


async def _refuse(_request: Request, error: Exception) -> HTTPResponse:
    status = getattr(error, "status_code", 500)
    sentence = "There is nothing here." if status == 404 else "The request cannot be served."
    return json({"complete": False, "error": sentence}, status=status)


async def _announce(_app: Sanic, _loop: Any) -> None:
    log("info", "rasa is ready")
