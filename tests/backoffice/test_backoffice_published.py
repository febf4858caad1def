"""The published contract, the demo exchange and the dataclasses say the same."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

import actions.backoffice
from actions.backoffice.contract import User
from actions.backoffice.demo.app import create_app
from actions.backoffice.demo.seed import seed
from actions.backoffice.demo.site import Site
from actions.backoffice.demo.store import Store
from actions.backoffice.demo.texts import TEXTS
from tests.backoffice.demo_exchange import LONG_AGO, Demo

PUBLISHED: dict[str, Any] = yaml.safe_load(
    (Path(actions.backoffice.__file__).parent / "openapi.yml").read_text(encoding="utf-8")
)
SERVED: dict[str, Any] = create_app(Store(Path("unused")), "t", Site(widget_url="", token_secret="s")).openapi()
OPERATIONS = [(path, method) for path, methods in PUBLISHED["paths"].items() for method in methods]


def resolved(document: Mapping[str, Any], node: Mapping[str, Any]) -> Mapping[str, Any]:
    """The node itself or, for a reference, what it points to."""
    while "$ref" in node:
        target: Any = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def shape(document: Mapping[str, Any], node: Mapping[str, Any]) -> dict[str, Any]:
    """What a schema demands, without its wording and without how it is spelt."""
    schema = resolved(document, node)
    if "anyOf" in schema:
        first, null = (shape(document, part) for part in schema["anyOf"])
        return {**first, "type": sorted({first["type"], null["type"]})}
    kept: dict[str, Any] = {name: schema[name] for name in ("format", "minLength", "maxLength") if name in schema}
    kept["type"] = sorted(schema["type"]) if isinstance(schema["type"], list) else schema["type"]
    if "enum" in schema:
        kept["enum"] = set(schema["enum"])
    if "items" in schema:
        kept["items"] = shape(document, schema["items"])
    if "properties" in schema:
        kept["required"] = set(schema["required"])
        kept["properties"] = {name: shape(document, part) for name, part in schema["properties"].items()}
    return kept


def parameters(document: Mapping[str, Any], operation: Mapping[str, Any]) -> set[tuple[str, str, bool]]:
    given = (resolved(document, parameter) for parameter in operation.get("parameters", ()))
    return {(parameter["name"].lower(), parameter["in"], parameter["required"]) for parameter in given}


def body_of(document: Mapping[str, Any], holder: Mapping[str, Any]) -> dict[str, Any]:
    (content,) = resolved(document, holder)["content"].values()
    return shape(document, content["schema"])


def test_demo_exchange_serves_the_published_paths_and_no_other() -> None:
    served = {(path, method) for path, methods in SERVED["paths"].items() for method in methods}
    assert served == set(OPERATIONS)


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_operation_takes_and_gives_what_is_published(path: str, method: str) -> None:
    published, served = PUBLISHED["paths"][path][method], SERVED["paths"][path][method]
    assert parameters(SERVED, served) == parameters(PUBLISHED, published)
    assert set(served["responses"]) == set(published["responses"])
    for status, answer in published["responses"].items():
        assert body_of(SERVED, served["responses"][status]) == body_of(PUBLISHED, answer)
    assert ("requestBody" in served) == ("requestBody" in published)
    if "requestBody" in published:
        assert body_of(SERVED, served["requestBody"]) == body_of(PUBLISHED, published["requestBody"])


@pytest.mark.parametrize("path", [path for path, method in OPERATIONS if method == "get"])
def test_live_answer_has_exactly_the_published_fields(demo: Demo, path: str) -> None:
    answer = httpx.get(
        demo.url + path.replace("{uid}", "10005"),
        params={"since": LONG_AGO.isoformat(), "at": LONG_AGO.isoformat()},
        headers={"Authorization": f"Bearer {demo.api_token}"},
        trust_env=False,
    )
    schema = body_of(PUBLISHED, PUBLISHED["paths"][path]["get"]["responses"]["200"])
    assert answer.status_code == 200
    assert set(answer.json()) == schema["required"]
    for item in answer.json().get("items", ()):
        assert set(item) == schema["properties"]["items"]["items"]["required"]


def test_refusals_are_problems_that_do_not_repeat_the_question(demo: Demo) -> None:
    headers = {"Authorization": f"Bearer {demo.api_token}"}
    with httpx.Client(base_url=demo.url, headers=headers, trust_env=False) as client:
        answers = [
            client.get("/v1/users/99999"),
            client.get("/v1/users/10001/orders", params={"since": "99999"}),
            client.post("/v1/users/lookup", json={"email": 99999}),
            client.get("/v1/users/10001", headers={"Authorization": "Bearer 99999"}),
        ]
    assert [answer.status_code for answer in answers] == [404, 422, 422, 401]
    for answer in answers:
        assert answer.headers["content-type"] == "application/problem+json"
        assert set(answer.json()) == {"code", "title", "status"}
        assert "99999" not in answer.text


def test_operations_have_names_of_their_own() -> None:
    names = [PUBLISHED["paths"][path][method]["operationId"] for path, method in OPERATIONS]
    assert len(set(names)) == len(names)


def test_guide_lists_every_path_reason_code_and_user() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "backoffice-contract.md").read_text(encoding="utf-8")
    codes = {key.removeprefix("reason.") for key in TEXTS if key.startswith("reason.")}
    users = [record.content for record in seed(LONG_AGO) if isinstance(record.content, User)]
    assert [path for path, _ in OPERATIONS if path not in guide] == []
    assert [code for code in codes if f"| `{code}` |" not in guide] == []
    assert [user.uid for user in users if f"| {user.uid} | {user.name} |" not in guide] == []
