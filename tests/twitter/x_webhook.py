"""X as it calls a webhook: it checks whether the door can sign, then delivers account activity, signed.

Real HTTP. Posts of the fake API go out in the shape of X's older API (docs.x.com, "Account Activity API").
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx

from tests.twitter.x_api import ACCOUNT, CREDENTIALS, XApi

COMPATIBLE_CHARACTERS = 140
"""A longer text stands in a part of its own."""
type Json = Mapping[str, Any]


class NotValid(Exception):
    """The door failed the check: X delivers nothing to it."""


class XWebhook:
    def __init__(self, api: XApi, address: str, http: httpx.AsyncClient) -> None:
        self.address = address
        self._api = api
        self._http = http
        self._valid = False

    async def check(self) -> bool:
        """The challenge: a word that was never there before, and the answer in time and to the letter."""
        word = base64.b64encode(secrets.token_bytes(36)).decode()
        answer = await self.ask(crc_token=word)
        proven = answer.status_code == 200 and answer.json() == {"response_token": signed(word.encode())}
        self._valid = proven
        return proven

    async def ask(self, **parameters: Any) -> httpx.Response:
        return await self._http.get(self.address, params=parameters)

    async def deliver(self, *post_ids: str, times: int = 1, for_user: str = ACCOUNT["id"]) -> list[int]:
        """These posts, in this order, in one delivery that comes so often. Raises NotValid."""
        return await self.hand({"tweet_create_events": [self.legacy(each) for each in post_ids]}, times, for_user)

    async def deliver_deletion(self, post_id: str, author: str = "77", times: int = 1) -> list[int]:
        """Raises NotValid."""
        event = {"status": {"id": post_id, "user_id": author}, "timestamp_ms": str(self._milliseconds())}
        return await self.hand({"tweet_delete_events": [event]}, times)

    async def hand(self, content: Json, times: int = 1, for_user: str = ACCOUNT["id"]) -> list[int]:
        """Any delivery. Returns what was answered. Raises NotValid."""
        if not self._valid and not await self.check():
            raise NotValid
        body = delivery_of(content, for_user)
        return [(await self.post(body, signed(body))).status_code for _ in range(times)]

    async def post(self, body: bytes, signature: str | None) -> httpx.Response:
        """As anybody may."""
        headers = [(b"Content-Type", b"application/json")]
        if signature is not None:
            headers.append((b"x-twitter-webhooks-signature", signature.encode()))
        return await self._http.post(self.address, content=body, headers=headers)

    def legacy(self, post_id: str) -> dict[str, Any]:
        """A post of the API as account activity tells it."""
        post = self._api.posts[int(post_id)]
        user = self._api.users[post["author_id"]]
        text, entities = post["text"], _entities(post, self._api.media)
        films = {"extended_entities": {"media": entities["media"]}} if entities["media"] else {}
        moment = datetime.fromisoformat(post["created_at"]).astimezone(UTC)
        tweet = {
            "created_at": f"{moment:%a %b %d %H:%M:%S} +0000 {moment:%Y}",
            "id": int(post_id),
            "id_str": post_id,
            "text": text,
            "truncated": len(text) > COMPATIBLE_CHARACTERS,
            "in_reply_to_user_id_str": post.get("in_reply_to_user_id"),
            "user": {"id_str": user["id"], "name": user["name"], "screen_name": user["username"]},
            "entities": entities,
            "lang": post["lang"],
            "edit_history": {"edit_tweet_ids": post["edit_history_tweet_ids"]},
            "timestamp_ms": str(self._milliseconds()),
            **films,
            **_referred(post),
        }
        if tweet["truncated"]:
            link = {"url": "https://t.co/whole", "expanded_url": f"https://twitter.com/i/web/status/{post_id}"}
            tweet["extended_tweet"] = {"full_text": text, "entities": entities, **films}
            tweet["text"] = f"{text[: COMPATIBLE_CHARACTERS - 30]}… {link['url']}"
            tweet["entities"] = {"user_mentions": entities["user_mentions"], "urls": [link]}
        return tweet

    def _milliseconds(self) -> int:
        return int(self._api.now().timestamp() * 1000)


@asynccontextmanager
async def calling(api: XApi, address: str) -> AsyncIterator[XWebhook]:
    async with httpx.AsyncClient(trust_env=False) as http:
        yield XWebhook(api, address, http)


def delivery_of(content: Json, for_user: str = ACCOUNT["id"]) -> bytes:
    return json.dumps({"for_user_id": for_user, "user_has_blocked": False, **content}).encode()


def signed(content: bytes, secret: str = CREDENTIALS["consumer_secret"]) -> str:
    return "sha256=" + base64.b64encode(hmac.digest(secret.encode(), content, "sha256")).decode()


def _entities(post: Json, media: Mapping[str, Json]) -> dict[str, Any]:
    entities = post.get("entities", {})
    links = entities.get("urls", [])
    shown = {each["media_key"]: each for each in links if "media_key" in each}
    keys = post.get("attachments", {}).get("media_keys", [])
    return {
        "user_mentions": [
            {"id_str": each["id"], "screen_name": each["username"]} for each in entities.get("mentions", [])
        ],
        "urls": [each for each in links if "media_key" not in each],
        "media": [_media(key, media[key], shown.get(key, {})) for key in keys],
    }


def _media(key: str, item: Json, link: Json) -> dict[str, Any]:
    """A picture or a film; `link` leads to it in the text."""
    told: dict[str, Any] = {
        "id_str": key,
        "type": item["type"],
        "url": link.get("url", ""),
        "expanded_url": link.get("expanded_url", ""),
        "media_url_https": item["url"] if item["type"] == "photo" else item["preview_image_url"],
        "ext_alt_text": item.get("alt_text"),
    }
    if item["type"] != "photo":
        files = [
            {"content_type": each["content_type"], "url": each["url"]}
            | ({"bitrate": each["bit_rate"]} if "bit_rate" in each else {})
            for each in item["variants"]
        ]
        told["video_info"] = {"duration_millis": item.get("duration_ms"), "variants": files}
    return told


def _referred(post: Json) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for each in post.get("referenced_tweets", []):
        if each["type"] == "retweeted":
            told["retweeted_status"] = {"id_str": each["id"]}
        elif each["type"] == "quoted":
            told["quoted_status_id_str"] = each["id"]
    return told
