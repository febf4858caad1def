"""Error pages as any part of the desk shows them: what they say, and what they keep to themselves."""

from __future__ import annotations

import httpx
import pytest
import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.clock import now
from channels.faults import NotStored
from escalation.web import static
from escalation.web.errors import handlers
from escalation.web.headers import CONTENT_SECURITY_POLICY
from escalation.web.pages import Pages
from tests.console.world import BRANDS, wording

SECRET = "mail of chen@example.org about 1,200 USDT"


async def fails(request: Request) -> Response:
    raise {
        "500": RuntimeError(SECRET),
        "503": NotStored(SECRET),
        "418": HTTPException(418, SECRET),
        "502": HTTPException(502, SECRET),
        "429": HTTPException(429, SECRET, {"retry-after": "7"}),
    }[request.path_params["kind"]]


async def ask(path: str, language: str = "en") -> httpx.Response:
    application = Starlette(
        routes=[Route("/{kind}", fails)], exception_handlers=handlers(Pages(wording(), now, BRANDS))
    )
    transport = httpx.ASGITransport(application, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://desk.test") as client:
        return await client.get(path, headers={"accept-language": language})


@pytest.mark.parametrize(
    ("kind", "en", "zh"),
    [
        ("500", "Something went wrong on our side", "我们这边出了点问题"),
        ("502", "Something went wrong on our side", "我们这边出了点问题"),
        ("503", "Not possible at the moment", "暂时无法处理"),
        ("429", "Too many attempts", "尝试次数过多"),
        ("418", "This request could not be read", "无法识别这个请求"),
        ("a/b", "Page not found", "找不到页面"),
    ],
)
async def test_an_error_is_said_in_both_languages_without_internals(kind: str, en: str, zh: str) -> None:
    for language, says in (("en", en), ("zh-CN,zh;q=0.9", zh)):
        answer = await ask(f"/{kind}", language)
        assert answer.status_code == (int(kind) if kind.isdigit() else 404)
        assert says in answer.text
        assert "chen" not in answer.text
        assert "Error" not in answer.text.split("</head>")[1]
        assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY


async def test_a_failing_page_leaves_no_secret_in_the_log() -> None:
    with structlog.testing.capture_logs() as logged:
        await ask("/500?secret=abc")
    assert [entry["function"] for entry in logged] == ["fails"]
    assert "abc" not in str(logged)
    assert "chen" not in str(logged)


async def test_headers_of_the_error_are_kept() -> None:
    assert (await ask("/429")).headers["retry-after"] == "7"


def test_missing_packages_stop_the_start_with_the_way_out() -> None:
    with pytest.raises(static.MissingPackages, match="npm ci"):
        static.routes(node_modules=static.ROOT / "nowhere")
