"""Signing in: who gets in, who does not, and what anybody can learn by trying."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from argon2 import Type
from sqlalchemy import Connection, func, insert, select, update

from bot.store.tables import Agent, AgentSession, LoginAttempt
from escalation.console import auth
from escalation.console.auth import create_agent
from escalation.console.doors import safe_next
from escalation.console.sessions import Cookies
from tests.conftest import MovedClock
from tests.console.conftest import SHIPPED_HASHER
from tests.console.world import PASSWORD, World


async def test_right_password_opens_the_console(world: World) -> None:
    async with world.signed_in("li") as li:
        page = await li.get("/console/")
    assert page.status_code == 200
    assert "Li Wei" in page.text


async def test_login_is_not_about_capitals_or_blanks(world: World) -> None:
    async with world.visitor() as visitor:
        assert (await visitor.sign_in(" LI ")).status_code == 303


async def test_wrong_unknown_and_disabled_get_the_same_answer(world: World) -> None:
    await world.store.write(lambda c: c.execute(update(Agent).where(Agent.login == "ann").values(disabled=True)))
    answers = set()
    for login, password in (("li", "wrong wrong wrong"), ("nobody", PASSWORD), ("ann", PASSWORD), ("", "")):
        async with world.visitor() as visitor:
            csrf = await visitor.token("/console/login")
            answer = await visitor.sign_in(login, password)
            answers.add((answer.status_code, answer.text.replace(csrf, "")))
    assert len(answers) == 1
    assert answers.pop()[0] == 401


def test_passwords_are_hashed_as_rfc_9106_asks_for() -> None:
    assert SHIPPED_HASHER.type is Type.ID
    assert (SHIPPED_HASHER.time_cost, SHIPPED_HASHER.memory_cost) == (3, 64 * 1024)


async def test_an_unknown_login_costs_as_much_as_a_wrong_password(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One verification of a full-strength hash each: who is known cannot be told by the time it takes."""
    verified: list[str] = []

    def matches(password_hash: str, password: str) -> bool:
        verified.append(password_hash.rpartition("$")[0].rpartition("$")[0])  # the parameters, without salt and hash
        return False

    monkeypatch.setattr(auth, "_matches", matches)
    log_in = auth.LogIn(world.store, world.clock)
    for login in ("li", "nobody"):
        assert await log_in(login, "wrong wrong wrong") is None
    assert len(verified) == 2
    assert verified[0] == verified[1] != ""


async def test_guessing_is_slowed_down_per_account(world: World, clock: MovedClock) -> None:
    async with world.visitor() as visitor:
        for _ in range(auth.ATTEMPTS_PER_LOGIN):
            assert (await visitor.sign_in("li", "wrong wrong wrong")).status_code == 401
        refused = await visitor.sign_in("li", PASSWORD)
        assert refused.status_code == 429
        assert "Wait 15 minutes" in refused.text
        assert int(refused.headers["retry-after"]) == 900
        zh = await visitor.send(
            "/console/login?lang=zh",
            {"csrf": await visitor.token("/console/login"), "login": "li", "password": PASSWORD},
        )
        assert "请等待 15 分钟" in zh.text
        assert (await visitor.sign_in("ann")).status_code == 303
    clock.move(minutes=15, seconds=1)
    async with world.visitor() as visitor:
        assert (await visitor.sign_in("li")).status_code == 303


async def test_many_guesses_at_once_do_not_slip_through(world: World) -> None:
    async with world.visitor() as visitor:
        csrf = await visitor.token("/console/login")
        fields = {"csrf": csrf, "login": "li", "password": "wrong wrong wrong"}
        answers = await asyncio.gather(*(visitor.send("/console/login", fields) for _ in range(12)))
    assert sorted(answer.status_code for answer in answers) == [401] * auth.ATTEMPTS_PER_LOGIN + [429] * 7


async def test_guessing_is_slowed_down_in_total(world: World, clock: MovedClock) -> None:
    rows = [{"login": f"somebody {n}", "at": clock()} for n in range(auth.ATTEMPTS_IN_TOTAL)]
    await world.store.write(lambda c: c.execute(insert(LoginAttempt), rows))
    async with world.visitor() as visitor:
        assert (await visitor.sign_in("li")).status_code == 429
        clock.move(minutes=16)
        assert (await visitor.sign_in("li")).status_code == 303


async def test_a_success_forgets_the_failures_of_that_account(world: World) -> None:
    async with world.visitor() as visitor:
        for _ in range(2):
            for _ in range(auth.ATTEMPTS_PER_LOGIN - 1):
                assert (await visitor.sign_in("li", "wrong wrong wrong")).status_code == 401
            assert (await visitor.sign_in("li")).status_code == 303
            visitor.client.cookies.clear()


async def test_what_is_typed_as_login_is_not_kept_readable(world: World) -> None:
    async with world.visitor() as visitor:
        await visitor.sign_in("my-secret-password", "li")
    kept = await world.store.read(lambda c: c.execute(select(LoginAttempt.login)).scalars().all())
    assert len(kept) == 1
    assert "secret" not in kept[0]


async def test_a_session_begins_under_a_new_name(world: World) -> None:
    """Fixation: a cookie that somebody put into the browser is never adopted."""
    name = Cookies.of(world.url).session
    async with world.visitor() as visitor:
        visitor.client.cookies.set(name, "chosen-by-the-attacker", domain="127.0.0.1", path="/")
        answer = await visitor.sign_in("li")
        given = answer.cookies[name]
        assert given != "chosen-by-the-attacker"
        assert len(given) >= 43
    async with world.visitor() as attacker:
        attacker.client.cookies.set(name, "chosen-by-the-attacker", domain="127.0.0.1", path="/")
        assert (await attacker.get("/console/")).status_code == 303


async def test_signing_in_again_ends_the_session_before(world: World) -> None:
    name = Cookies.of(world.url).session
    async with world.signed_in("li") as li:
        before = li.client.cookies[name]
        login_token = Cookies.of(world.url).log_in
        li.client.cookies.set(login_token, "t" * 43, domain="127.0.0.1", path="/")
        fields = {"csrf": "t" * 43, "login": "ann", "password": PASSWORD}
        assert (await li.send("/console/login", fields)).status_code == 303
        assert "Ann Lee" in (await li.get("/console/")).text
    async with world.visitor() as replay:
        replay.client.cookies.set(name, before, domain="127.0.0.1", path="/")
        assert (await replay.get("/console/")).status_code == 303


async def test_a_copied_cookie_is_dead_after_log_out(world: World) -> None:
    name = Cookies.of(world.url).session
    async with world.signed_in("li") as li:
        copied = li.client.cookies[name]
        assert (await li.post("/console/logout")).headers["location"] == "/console/login"
    async with world.visitor() as thief:
        thief.client.cookies.set(name, copied, domain="127.0.0.1", path="/")
        assert (await thief.get("/console/")).headers["location"].startswith("/console/login")
        assert (await thief.get("/console/parts")).status_code == 401


@pytest.mark.parametrize(("minutes", "alive"), [(29, True), (31, False)])
async def test_an_idle_session_ends(world: World, clock: MovedClock, minutes: int, alive: bool) -> None:
    async with world.signed_in("li") as li:
        clock.move(minutes=minutes)
        assert ((await li.get("/console/")).status_code == 200) is alive


async def test_what_a_page_asks_by_itself_does_not_keep_a_session_alive(world: World, clock: MovedClock) -> None:
    async with world.signed_in("li") as li:
        for _ in range(2):
            clock.move(minutes=14)
            assert (await li.get("/console/parts")).status_code == 200
        clock.move(minutes=3)
        assert (await li.get("/console/parts")).status_code == 401


async def test_even_a_busy_session_ends_after_twelve_hours(world: World, clock: MovedClock) -> None:
    async with world.signed_in("li") as li:
        for _ in range(25):
            clock.move(minutes=28)
            assert (await li.get("/console/")).status_code == 200
        clock.move(minutes=21)
        assert (await li.get("/console/")).status_code == 303


async def test_a_disabled_agent_is_out_at_once(world: World) -> None:
    async with world.signed_in("li") as li:
        await world.store.write(lambda c: c.execute(update(Agent).where(Agent.login == "li").values(disabled=True)))
        assert (await li.get("/console/")).status_code == 303


async def test_a_changed_role_counts_at_once(world: World) -> None:
    async with world.signed_in("li") as li:
        assert "Supervisor" not in (await li.get("/console/")).text
        await world.store.write(lambda c: c.execute(update(Agent).where(Agent.login == "li").values(role="supervisor")))
        assert "Supervisor" in (await li.get("/console/")).text


async def test_the_database_does_not_hold_the_cookie(world: World) -> None:
    async with world.signed_in("li") as li:
        cookie = li.client.cookies[Cookies.of(world.url).session]
        rows = await world.store.read(lambda c: c.execute(select(AgentSession.token_hash)).scalars().all())
    assert rows
    assert cookie not in rows


async def test_dead_sessions_are_cleared_away(world: World, clock: MovedClock) -> None:
    def count(connection: Connection) -> int:
        return connection.execute(select(func.count()).select_from(AgentSession)).scalar_one()

    async with world.signed_in("li"):
        clock.move(hours=13)
        async with world.signed_in("ann"):
            assert await world.store.read(count) == 1


async def test_headers_of_a_proxy_sign_nobody_in(world: World) -> None:
    async with world.visitor() as visitor:
        answer = await visitor.get("/console/", **{"x-remote-user": "root", "x-forwarded-user": "root"})
    assert answer.status_code == 303


async def test_one_comes_back_to_where_one_wanted_to_go(world: World) -> None:
    async with world.visitor() as visitor:
        sent = (await visitor.get("/console/?view=open")).headers["location"]
        assert sent == "/console/login?next=%2Fconsole%2F%3Fview%3Dopen"
        assert 'value="/console/?view=open"' in (await visitor.get(sent)).text
        answer = await visitor.sign_in("li", next="/console/?view=open")
        assert answer.headers["location"] == "/console/?view=open"


@pytest.mark.parametrize(
    "path",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "/console/\\evil", "/console/\r\nx: y", "", "/x"],
)
def test_one_never_comes_back_to_another_site(path: str) -> None:
    assert safe_next(path) == "/console/"


async def test_cookies_are_kept_from_scripts_and_other_sites(world: World) -> None:
    async with world.visitor() as visitor:
        answer = await visitor.sign_in("li")
    session = next(value for value in answer.headers.get_list("set-cookie") if "login" not in value.split("=")[0])
    assert "HttpOnly" in session
    assert "SameSite=lax" in session
    assert "Path=/" in session


def test_over_https_cookies_are_bound_to_the_host() -> None:
    cookies = Cookies.of("https://desk.example")
    assert (cookies.session, cookies.log_in, cookies.secure) == ("__Host-desk", "__Host-desk-login", True)


def test_two_desks_on_one_machine_have_cookies_of_their_own() -> None:
    assert Cookies.of("http://127.0.0.1:8080").session != Cookies.of("http://127.0.0.1:8081").session


@pytest.mark.parametrize(
    ("login", "name", "role", "password", "says"),
    [
        ("li", "Another Li", "agent", PASSWORD, "already uses the login li"),
        ("new", "New", "boss", PASSWORD, "no role boss"),
        ("new", "New", "agent", "short", "between 10 and 1024"),
        ("new", " ", "agent", PASSWORD, "between 1 and 120"),
        (" ", "New", "agent", PASSWORD, "between 1 and 120"),
    ],
)
async def test_an_agent_who_cannot_be_added_is_refused_with_a_sentence(
    world: World, login: str, name: str, role: str, password: str, says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        await create_agent(world.store, login, name, role, password)


def test_the_window_is_the_one_that_the_sentence_names() -> None:
    assert timedelta(minutes=15) == auth.WINDOW
