"""Files in the console: what is said of them in both languages, what is handed out, and what is shown."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser

from bot.attachments.examining import Examiner
from bot.attachments.previews import Previews
from bot.files import sha256
from bot.repository import file_checks
from bot.store.store import Store
from bot.wording import LANGUAGES
from escalation.console.attachments import WARNINGS
from tests.attachments.world import LNK, bomb, macro_docx, picture, zipped
from tests.browser import WIDTHS, calm, needs_chromium, new_context, serious_faults
from tests.conftest import MovedClock
from tests.console.signing_in import sign_in
from tests.console.world import World, attach, running, talk, wording


@pytest.fixture
async def scanned_world(desk_database: Path, tmp_path: Path, clock: MovedClock) -> AsyncIterator[World]:
    """A desk with a virus scanner."""
    shutil.copy(desk_database, tmp_path / "redress.db")
    store = Store(f"sqlite:///{tmp_path / 'redress.db'}")
    async with running(store, clock, tmp_path, scanning=True) as made:
        yield made
    store.close()


async def examined(world: World) -> None:
    previews = Previews(world.desk.evidence.folder.parent / "previews", world.desk.evidence)
    await Examiner(world.store, world.clock, world.desk.hub, previews, 1).examine_due()


async def judge(world: World, data: bytes, scan: str, finding: str = "") -> None:
    digest = await asyncio.to_thread(world.desk.evidence.put, data)
    await world.store.write(lambda c: file_checks.change(c, digest, scan=scan, finding=finding))


SAID = {
    "waiting": (409, "has not checked this file yet", "还没有经过病毒扫描"),
    "failed": (409, "could not check this file", "无法检查这个文件"),
    "infected": (403, "found malware in this file", "含有恶意程序"),
}


@pytest.mark.parametrize("scan", SAID)
async def test_what_no_scanner_has_cleared_is_not_handed_out(scanned_world: World, scan: str) -> None:
    world, data = scanned_world, picture()
    conversation_id = await talk(world.store, world.clock())
    evidence_id = await attach(world, conversation_id, "a.png", data, "image/png")
    await examined(world)
    await judge(world, data, scan)
    status, *sentences = SAID[scan]
    async with world.signed_in("sue") as sue:
        for language, sentence in zip(LANGUAGES, sentences, strict=True):
            for path in (f"/console/evidence/{evidence_id}", f"/console/evidence/{evidence_id}/preview"):
                answer = await sue.get(f"{path}?lang={language}")
                assert (answer.status_code, sentence in answer.text) == (status, True)
            page = (await sue.get(f"/console/c/{conversation_id}?lang={language}")).text
            assert f'href="/console/evidence/{evidence_id}"' not in page
            assert "<img" not in page
            assert "a.png" in page
    assert world.desk.evidence.get(sha256(data)) == data, "kept as it came"


async def test_what_was_cleared_is_handed_out_and_shown(scanned_world: World) -> None:
    world, data = scanned_world, picture()
    conversation_id = await talk(world.store, world.clock())
    evidence_id = await attach(world, conversation_id, "a.png", data, "image/png")
    await examined(world)
    await judge(world, data, "clean")
    async with world.signed_in("li") as li:
        answer = await li.get(f"/console/evidence/{evidence_id}")
        shown = await li.get(f"/console/evidence/{evidence_id}/preview")
        page = (await li.get(f"/console/c/{conversation_id}")).text
    assert answer.content == data
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/png")
    assert shown.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert shown.content != data
    assert f'src="/console/evidence/{evidence_id}/preview"' in page
    assert "Scanned, nothing found" in page


async def test_without_a_scanner_files_are_handed_out_with_a_warning(world: World) -> None:
    conversation_id = await talk(world.store, world.clock())
    evidence_id = await attach(world, conversation_id, "a.txt", b"words", "text/plain")
    async with world.signed_in("li") as li:
        assert (await li.get(f"/console/evidence/{evidence_id}")).content == b"words"
        assert "Not scanned for viruses" in (await li.get(f"/console/c/{conversation_id}")).text
        assert "未经病毒扫描" in (await li.get(f"/console/c/{conversation_id}?lang=zh")).text


async def test_malware_stays_blocked_when_the_scanner_is_taken_away(world: World) -> None:
    conversation_id = await talk(world.store, world.clock())
    evidence_id = await attach(world, conversation_id, "a.txt", b"bad", "text/plain")
    await judge(world, b"bad", "infected", "Win.Test")
    async with world.signed_in("root") as root:
        assert (await root.get(f"/console/evidence/{evidence_id}")).status_code == 403
        page = (await root.get(f"/console/c/{conversation_id}")).text
    assert "Malware found, blocked: <code>Win.Test</code>" in page


WARNED: dict[str, tuple[str, bytes, list[str]]] = {
    "program": ("invoice_fdp.exe", b"MZ" + b"\0" * 99, ["program"]),
    "two endings": ("invoice.pdf.scr", b"x", ["program"]),
    "named as a picture": ("proof.png", b"MZ" + b"\0" * 99, ["program", "pretends"]),
    "one picture for another": ("proof.jpg", picture(size=(9, 9)), []),
    "drawing as a picture": ("proof.png", b"<svg xmlns='x'/>", ["pretends", "active"]),
    "shortcut": ("proof.pdf.lnk", LNK, ["shortcut"]),
    "macros": ("letter.docx", macro_docx(), ["macros"]),
    "macros by name": ("letter.docm", b"x", ["macros"]),
    "odd ending": ("proof.ехе", b"MZ" + b"\0" * 99, ["program", "odd_ending"]),
    "page": ("proof.html", b"<html>", ["active"]),
    "bomb": ("all.zip", bomb(), ["bomb"]),
    "climbing": ("all.zip", zipped({"../x": b"1"}), ["paths"]),
    "statement": ("statement.pdf", b"%PDF-1.7", []),
}


@pytest.mark.parametrize("kind", WARNED)
async def test_what_to_beware_of_is_said(world: World, kind: str) -> None:
    name, data, warnings = WARNED[kind]
    conversation_id = await talk(world.store, world.clock())
    await attach(world, conversation_id, name, data, "x/y")
    await examined(world)
    async with world.signed_in("li") as li:
        for language in LANGUAGES:
            page = (await li.get(f"/console/c/{conversation_id}?lang={language}")).text
            said = [warning for warning in WARNINGS if wording().say(f"console.file_is_{warning}", language) in page]
            assert said == warnings
            assert f".{name.rpartition('.')[2]}</span>" in page, "the real ending stands apart from the name"


@needs_chromium
@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("zh", "dark")])
async def test_files_in_a_browser(
    scanned_world: World, browser: Browser, tmp_path: Path, language: str, scheme: str
) -> None:
    world = scanned_world
    conversation_id = await talk(world.store, world.clock())
    files = {
        "转账截图 screenshot.png": (picture(), "clean", ""),
        "evidence.zip": (zipped({"对账单/2026-11.pdf": b"x" * 3_000_000, "a.exe": b"MZ"}), "clean", ""),
        "invoice.pdf.exe": (b"MZ" + b"\0" * 99, "infected", "Win.Test.EICAR_HDB-1"),
        "letter.docm": (macro_docx(), "waiting", ""),
    }
    for name, (data, scan, finding) in files.items():
        await attach(world, conversation_id, name, data, "x/y")
        await judge(world, data, scan, finding)
    await examined(world)
    context = await new_context(browser, language, color_scheme=scheme)
    page = await context.new_page()
    complaints = calm(page)
    await sign_in(page, world, "li")
    for name, width in WIDTHS.items():
        await page.set_viewport_size({"width": width, "height": 800})
        await page.goto(f"{world.url}/console/c/{conversation_id}")
        await page.locator("details.inside summary").click()
        drawn = await page.locator("img.preview").evaluate("image => image.decode().then(() => image.naturalWidth)")
        assert drawn == 512
        await page.screenshot(path=tmp_path / f"files-{language}-{scheme}-{name}.png", full_page=True)
        assert await serious_faults(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
    assert complaints == []
    await context.close()
