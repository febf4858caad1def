"""Every address of the console, taken from its route table: strangers stay out, and no foreign page can act."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from starlette.routing import Mount, Route

from escalation.console import routes as console
from escalation.console.sessions import Cookies
from escalation.web.headers import CONTENT_SECURITY_POLICY
from tests.conftest import MovedClock
from tests.console.world import Visitor, World, ask_for_person, attach, everything_stored, open_case, talk

NOTHING_THERE = (
    "/console/evidence/1/preview",
    "/console/message/1/formatted",
    "/console/letter/1",
    "/console/broadcasts/1",
    "/console/broadcasts/1/results.csv",
    "/console/record/",
)
"""What this desk does not have: a picture, a mail, an answer that is to be told, a notice, a channel for calls."""
FOREIGN = "https://evil.example"
FIELDS = {
    "text": "hello",
    "nonce": "n1",
    "label": "withdrawal_issue",
    "severity": "high",
    "number": "RD-00000-00000",
    "login": "li",
    "password": "x",
}


def addresses(world: World, method: str) -> list[str]:
    """All paths that take this method, with the ids of what `desk_with_work` made."""
    mounts = [mount for mount in console.routes(world.desk) if isinstance(mount, Mount)]
    found = [(mount.path, route) for mount in mounts for route in mount.routes if isinstance(route, Route)]
    return [f"{at}{route.path.replace('{id:int}', '1')}" for at, route in found if method in (route.methods or ())]


@pytest.fixture
async def desk_with_work(world: World) -> World:
    conversation_id = await talk(world.store, world.clock())
    assert conversation_id == 1
    assert await attach(world, conversation_id, "a.png", b"png", "image/png") == 1
    await open_case(world.store, conversation_id, world.clock())
    await ask_for_person(world.store, conversation_id, world.clock())
    return world


async def attempt(visitor: Visitor, path: str, token: str, how: str) -> int:
    """One POST with something wrong about it; its status."""
    right = {"csrf": token, **FIELDS}
    form: Mapping[str, str] = right
    headers = {"origin": visitor.url}
    if how == "no token":
        form = FIELDS
    elif how == "empty token":
        form = {**right, "csrf": ""}
    elif how == "wrong token":
        form = {**right, "csrf": "x" * len(token)}
    elif how == "foreign origin":
        headers = {"origin": FOREIGN}
    elif how == "null origin":
        headers = {"origin": "null"}
    elif how == "other port":
        headers = {"origin": "http://127.0.0.1:1"}
    elif how == "cross-site":
        headers = {"sec-fetch-site": "cross-site"}
    if how in ("text/plain", "application/json"):
        headers |= {"content-type": how, "x-csrf-token": token}
        return (await visitor.client.post(path, content=b'{"text": "hello"}', headers=headers)).status_code
    return (await visitor.client.post(path, data=dict(form), headers=headers)).status_code


WRONG = (
    "no token",
    "empty token",
    "wrong token",
    "foreign origin",
    "null origin",
    "other port",
    "cross-site",
    "text/plain",
    "application/json",
)


async def test_no_form_of_a_foreign_page_is_taken(desk_with_work: World) -> None:
    world = desk_with_work
    paths = addresses(world, "POST")
    assert len(paths) == 19
    async with world.signed_in("root") as root:
        token = await root.token()
        root.client.cookies.set(Cookies.of(world.url).log_in, token, domain="127.0.0.1", path="/")
        before = await world.store.read(everything_stored)
        answers = {(path, how): await attempt(root, path, token, how) for path in paths for how in WRONG}
        assert {key: status for key, status in answers.items() if status != 403} == {}
        assert await world.store.read(everything_stored) == before


async def test_the_right_form_is_taken_without_origin_and_from_the_same_site(desk_with_work: World) -> None:
    """The other side of the matrix: what is refused above is refused for its fault, not by accident."""
    async with desk_with_work.signed_in("root") as root:
        fields = {"csrf": await root.token(), "text": "a note"}
        headers: dict[str, str]
        for headers in ({}, {"sec-fetch-site": "same-origin"}, {"origin": root.url}):
            assert (await root.client.post("/console/c/1/note", data=fields, headers=headers)).status_code == 303
        without = {"text": "another"}
        headers = {"origin": root.url, "x-csrf-token": fields["csrf"]}
        assert (await root.client.post("/console/c/1/note", data=without, headers=headers)).status_code == 303


async def test_the_token_of_another_agent_does_not_serve(desk_with_work: World) -> None:
    async with desk_with_work.signed_in("li") as li, desk_with_work.signed_in("ann") as ann:
        answer = await ann.send("/console/c/1/take", {"csrf": await li.token()})
    assert answer.status_code == 403


async def test_strangers_see_and_change_nothing(desk_with_work: World) -> None:
    world = desk_with_work
    before = await world.store.read(everything_stored)
    async with world.visitor() as stranger:
        for path in addresses(world, "POST"):
            answer = await stranger.send(path, {"csrf": "x", **FIELDS})
            assert answer.status_code == (403 if path.endswith("/login") else 401), path
        for path in set(addresses(world, "GET")) - {"/console/login"}:
            answer = await stranger.get(path)
            assert answer.status_code in (303, 401), path
            assert "withdrawal" not in answer.text
    assert await world.store.read(everything_stored) == before


async def test_looking_changes_nothing(desk_with_work: World) -> None:
    """Mail scanners open links, browsers fetch ahead: no GET may act."""
    world = desk_with_work
    async with world.signed_in("root") as root:
        before = await world.store.read(everything_stored)
        for path in addresses(world, "GET"):
            if path.endswith("/live"):
                continue  # a stream; tests/console/test_console_live.py
            status = (await root.get(path)).status_code
            assert status in ((404,) if path in NOTHING_THERE else (200, 303)), path
        assert await world.store.read(everything_stored) == before


async def test_being_active_is_written_at_most_once_a_minute(desk_with_work: World, clock: MovedClock) -> None:
    world = desk_with_work
    async with world.signed_in("root") as root:
        clock.move(seconds=61)
        await root.get("/console/")
        after_first = await world.store.read(everything_stored)
        clock.move(seconds=59)
        await root.get("/console/")
        assert await world.store.read(everything_stored) == after_first


@pytest.mark.parametrize(
    "path", ["/console/c/999", "/console/c/999/parts", "/console/c/999/live", "/console/evidence/9"]
)
async def test_what_does_not_exist_is_not_found(desk_with_work: World, path: str) -> None:
    async with desk_with_work.signed_in("li") as li:
        assert (await li.get(path)).status_code == 404
        huge = path.replace("9", "9" * 30, 1)
        assert (await li.get(huge)).status_code == 404
        assert (await li.get(f"{huge}x")).status_code == 404
        assert (await li.post("/console/c/999/take")).status_code == 404


async def test_every_answer_carries_the_security_headers(desk_with_work: World) -> None:
    async with desk_with_work.signed_in("li") as li:
        for path in ("/console/login?x=1", "/console/", "/console/c/1", "/console/c/1/parts", "/console/nothing"):
            headers = (await li.get(path)).headers
            assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY, path
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["x-frame-options"] == "DENY"
            assert headers["referrer-policy"] == "same-origin"
            assert headers["cache-control"] == "no-store"
            assert "strict-transport-security" not in headers
    assert "unsafe" not in CONTENT_SECURITY_POLICY


@pytest.mark.parametrize(
    ("language", "status", "path", "says"),
    [
        ("en", 404, "/console/nothing", "Page not found"),
        ("zh", 404, "/console/nothing", "找不到页面"),
        ("en", 405, "/console/c/1/take", "Not possible here"),
        ("zh", 405, "/console/c/1/take", "此处无法这样操作"),
    ],
)
async def test_error_pages_speak_both_languages(
    desk_with_work: World, language: str, status: int, path: str, says: str
) -> None:
    async with desk_with_work.signed_in("li") as li:
        answer = await li.get(path, **{"accept-language": f"{language}-XX,en;q=0.5"})
    assert answer.status_code == status
    assert says in answer.text
    assert answer.headers["content-language"] == language


async def test_a_form_that_is_too_large_is_refused(desk_with_work: World) -> None:
    async with desk_with_work.signed_in("li") as li:
        answer = await li.post("/console/c/1/note", {"text": "x" * 600_000})
    assert answer.status_code == 413


async def test_the_short_address_leads_to_the_queue(desk_with_work: World) -> None:
    async with desk_with_work.visitor() as visitor:
        assert (await visitor.get("/console")).headers["location"].endswith("/console/")


async def test_the_language_is_remembered(desk_with_work: World) -> None:
    async with desk_with_work.signed_in("li") as li:
        assert "等待人工" in (await li.get("/console/?lang=zh")).text
        assert "等待人工" in (await li.get("/console/")).text
        assert "Waiting" in (await li.get("/console/?lang=en")).text
        assert "Waiting" in (await li.get("/console/?lang=xx")).text


async def test_only_listed_files_are_served(desk_with_work: World) -> None:
    async with desk_with_work.visitor() as visitor:
        for name in ("desk.css", "console.js", "vendor/htmx.js", "vendor/htmx-sse.js", "icon.svg"):
            answer = await visitor.get(f"/static/{name}")
            assert answer.status_code == 200
            assert answer.headers["x-content-type-options"] == "nosniff"
        for name in ("vendor/axe.min.js", "vendor/../package.json", "vendor/htmx.org/package.json", "../auth.py"):
            assert (await visitor.get(f"/static/{name}")).status_code == 404
