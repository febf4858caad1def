"""X at the door of a running desk: the check to the letter, forged deliveries, and each post once however it comes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import httpx
from sqlalchemy import func, select

from bot.store.store import Store
from bot.store.tables import Inbox
from channels.twitter.settings import WEBHOOK_PATH
from tests.acceptance.bar import Bar
from tests.twitter.x_api import XApi
from tests.twitter.x_webhook import XWebhook, calling, delivery_of, signed

BROUGHT = 50
"""Posts that are delivered to the webhook, besides being found by looks."""
WRONG_WORDS: Sequence[Mapping[str, str]] = (
    {},
    {"crc_token": ""},
    {"crc_token": "a" * 300},
    {"crc_token": '{"for_user_id":"4242"}'},
)


async def knock(bar: Bar, api: XApi, desk_url: str, store: Store, authors: Sequence[int]) -> set[str]:
    """Returns the posts that were delivered rightly."""
    async with calling(api, f"{desk_url}{WEBHOOK_PATH}") as x:
        await _checked(bar, x)
        await _forged(bar, api, x, store, authors[0])
        return await _repeated(bar, api, x, store, authors)


async def _checked(bar: Bar, x: XWebhook) -> None:
    right = [await x.check() for _ in range(20)]
    bar.require(all(right), "checks of the webhook answered to the letter", f"{sum(right)} of {len(right)}")
    answers = [await x.ask(**word) for word in WRONG_WORDS]
    refused = [answer for answer in answers if answer.status_code == 400 and "crc_token" in answer.text]
    bar.require(
        len(refused) == len(answers), "wrong words refused with a sentence", f"{len(refused)} of {len(answers)}"
    )


async def _forged(bar: Bar, api: XApi, x: XWebhook, store: Store, author: int) -> None:
    """A post that only a forged delivery knows; looks cannot find it."""
    before = await _kept(store)
    post_id = api.say("@DemoExchange I am somebody else", author)
    body = delivery_of({"tweet_create_events": [x.legacy(post_id)]})
    del api.posts[int(post_id)]
    right = signed(body)
    shown = [None, "", "sha256=", right[:-1], right.removeprefix("sha256="), signed(body + b" "), signed(body, "other")]
    answers = [await x.post(body, each) for each in shown]
    refused = sum(answer.status_code == 403 for answer in answers)
    bar.require(refused == len(answers), "missing or bad signatures: 403", f"{refused} of {len(answers)}")
    oracle = (await x.ask(crc_token="4242")).json()["response_token"]
    status = (await x.post(b"4242", oracle)).status_code
    bar.require(status == 400, "what the check signed, as a delivery", status)
    rows = await _kept(store) - before
    bar.require(rows == 0, "rows of forged deliveries", rows)


async def _repeated(bar: Bar, api: XApi, x: XWebhook, store: Store, authors: Sequence[int]) -> set[str]:
    """Each twice, the newest first, and all of them at once."""
    before = await _kept(store)
    said = [
        api.say(f"@DemoExchange still waiting {number}", authors[number % len(authors)]) for number in range(BROUGHT)
    ]
    try:
        answers = [status for each in reversed(said) for status in await x.deliver(each, times=2)]
        at_once = await asyncio.gather(*(x.deliver(*said) for _ in range(4)))
    except httpx.HTTPError as error:
        bar.require(False, "deliveries answered", type(error).__name__)
        return set(said)
    answers += [status for each in at_once for status in each]
    right = sum(status == 200 for status in answers)
    bar.require(right == len(answers), "deliveries answered 200", f"{right} of {len(answers)}")
    rows = await _kept(store) - before
    bar.require(rows == len(said), "one item per delivered post", f"{rows} for {len(said)}")
    return set(said)


async def _kept(store: Store) -> int:
    query = select(func.count()).select_from(Inbox)
    return int(await store.read(lambda connection: connection.execute(query).scalar_one()))
