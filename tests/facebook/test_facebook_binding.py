"""A comment's author gets a link of their own, which opens nothing until they write its code; Messenger is private."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.store.tables import Conversation
from channels.facebook.settings import WEBHOOK_PATH
from tests.facebook.graph_api import CREDENTIALS, PAGE, GraphApi
from tests.identity.test_three_channels import CHAT, COMPLAINT, LINK, WAIT_SECONDS, Scene, follow, scene_of
from tests.process.people import Chatter

pytestmark = pytest.mark.timeout(300)


def settings(api: GraphApi) -> dict[str, object]:
    return {"facebook": {**CREDENTIALS, "api_url": api.url, "file_origins": [api.url]}}


async def until_owned(scene: Scene, key: str, case: bool) -> None:
    """Returns when the conversation is there, and has its case."""
    query = select(Conversation.case_id).where(Conversation.channel == "facebook", Conversation.key == key)
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            found = await scene.desk.store.read(lambda c: c.execute(query).all())
            if found and (found[0].case_id is not None) == case:
                return
            await asyncio.sleep(0.05)


def links_in(api: GraphApi) -> list[str]:
    """The invitations among what was said in Messenger."""
    return [each for sent in api.sent for each in LINK.findall(sent["message"]["text"]) if "join=" in each]


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_the_author_of_a_comment_is_bound_by_the_code_alone(
    database_url: str, tmp_path: Path, language: str
) -> None:
    async with GraphApi().running() as api, scene_of(tmp_path, database_url, settings(api)) as scene:
        api.webhook = f"{scene.doors.url}{WEBHOOK_PATH}"
        api.comment(COMPLAINT[language])
        await api.deliver()
        await api.until(1, api.replied)
        [link] = LINK.findall(api.replied[0]["text"])
        [(number, _)] = await scene.cases()
        thief, author = Chatter(scene.doors, language=language), Chatter(scene.doors, language=language)
        for each in (thief, author):
            await follow(each, link)
        [shown] = await author.wait_for(1, WAIT_SECONDS)
        assert number not in shown
        [code] = re.findall(r"^[A-Z0-9]{6}$", shown, re.MULTILINE)
        api.comment(code)
        await api.deliver()
        assert number in (await author.wait_for(2, WAIT_SECONDS))[1]
        assert number not in " ".join(await thief.wait_for(1, WAIT_SECONDS))
        assert (len(api.replied), await scene.cases()) == (1, [(number, "open")])


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_somebody_else_who_comments_the_code_binds_nothing(
    database_url: str, tmp_path: Path, language: str
) -> None:
    async with GraphApi().running() as api, scene_of(tmp_path, database_url, settings(api)) as scene:
        api.webhook = f"{scene.doors.url}{WEBHOOK_PATH}"
        api.comment(COMPLAINT[language])
        await api.deliver()
        await api.until(1, api.replied)
        [link] = LINK.findall(api.replied[0]["text"])
        thief = Chatter(scene.doors, language=language)
        await follow(thief, link)
        [shown] = await thief.wait_for(1, WAIT_SECONDS)
        [code] = re.findall(r"^[A-Z0-9]{6}$", shown, re.MULTILINE)
        api.comment(code, author="99")
        await api.deliver()
        await api.until(2, api.replied)
        [(number, _)] = await scene.cases()
        assert number not in " ".join(await thief.wait_for(1, WAIT_SECONDS))


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_messenger_is_private_and_its_link_suffices(database_url: str, tmp_path: Path, language: str) -> None:
    async with GraphApi().running() as api, scene_of(tmp_path, database_url, settings(api)) as scene:
        api.webhook = f"{scene.doors.url}{WEBHOOK_PATH}"
        api.message(COMPLAINT[language])
        await api.deliver()
        await until_owned(scene, f"{PAGE}:77", case=True)
        [(number, _)] = await scene.cases()
        api.message(CHAT[language])
        await api.deliver()
        async with asyncio.timeout(WAIT_SECONDS):
            while not (links := links_in(api)):
                await asyncio.sleep(0.05)
        [link] = links
        chatter = Chatter(scene.doors, language=language)
        await follow(chatter, link)
        assert number in (await chatter.wait_for(1, WAIT_SECONDS))[0]
