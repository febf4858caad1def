"""An X API v2 on a free port: the parts of https://docs.x.com/x-api that the channel speaks.

Every request must be signed with OAuth 1.0a for the official address, or carry the app's bearer token.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha1
from typing import Any, override
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from tests.monitor.network import Call, Connection, Network, Refused, mixed
from tests.twitter.x_stream import BEARER, Connections, Rules

OFFICIAL = "https://api.twitter.com"
ACCOUNT = {"id": "4242", "name": "Demo Exchange", "username": "DemoExchange"}
CREDENTIALS = {
    "consumer_key": "app-key",
    "consumer_secret": "app-secret",
    "access_token": "4242-AccountTokenOfTheTest",
    "access_token_secret": "account-secret",
}
QUOTAS = {
    **{"account": 75, "mentions": 180, "search": 180, "lookups": 900, "post": 100},
    **{"rules": 450, "change_rules": 100, "stream": 50},
}
BY_THE_APP = ("rules", "change_rules", "stream")
"""What the app asks for itself, with its bearer token."""
ROUTES = {
    ("GET", "/2/users/me"): "account",
    ("GET", f"/2/users/{ACCOUNT['id']}/mentions"): "mentions",
    ("GET", "/2/tweets/search/recent"): "search",
    ("POST", "/2/tweets"): "post",
    ("GET", "/2/tweets"): "lookups",
    ("GET", "/2/tweets/search/stream/rules"): "rules",
    ("POST", "/2/tweets/search/stream/rules"): "change_rules",
    ("GET", "/2/tweets/search/stream"): "stream",
}
MENTIONS_AT_MOST = 800
SEARCHED_BACK = timedelta(days=7)
EPOCH = datetime(2010, 11, 4, 1, 42, 54, 657000, tzinfo=UTC)


class XApi(Network):
    window = timedelta(minutes=15)

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC), *, sloppy: bool = False) -> None:
        """`sloppy`: the search ignores what was to be left out."""
        super().__init__(QUOTAS, now)
        self.sloppy = sloppy
        self.posts: dict[int, dict[str, Any]] = {}
        self.users: dict[str, dict[str, str]] = {ACCOUNT["id"]: ACCOUNT}
        self.media: dict[str, dict[str, Any]] = {}
        self.protected: set[str] = set()
        """Posts that are no longer for us to see."""
        self.rules = Rules()
        self.stream = Connections()
        self._nonces: set[str] = set()
        self._number = 0

    # What people do.

    def say(self, text: str, author: int = 77, ago: float = 0, **more: Any) -> str:
        """A post `ago` seconds ago; `more` are further fields of it. Returns its id."""
        self._number += 1
        moment = self.now() - timedelta(seconds=ago)
        post_id = ((moment - EPOCH) // timedelta(milliseconds=1) << 22) + self._number % (1 << 22)
        self.users.setdefault(str(author), {"id": str(author), "name": "Li", "username": f"user{author}"})
        named = [name for name in re.findall(r"@(\w+)", text) if name.casefold() == ACCOUNT["username"].casefold()]
        entities = {"mentions": [{"username": name, "id": ACCOUNT["id"]} for name in named]}
        self.posts[post_id] = {
            "id": str(post_id),
            "text": text,
            "author_id": str(author),
            "created_at": f"{moment:%Y-%m-%dT%H:%M:%S}.000Z",
            "lang": "en",
            "edit_history_tweet_ids": [str(post_id)],
            **({"entities": entities} if named else {}),
            **more,
        }
        return str(post_id)

    def edit(self, post_id: str, text: str, **more: Any) -> str:
        """Its author writes it anew. Returns the id of the new version."""
        history = self.posts[int(post_id)]["edit_history_tweet_ids"]
        new = self.say(text, int(self.posts[int(post_id)]["author_id"]), **more)
        for each in (*history, new):
            self.posts[int(each)]["edit_history_tweet_ids"] = [*history, new]
        return new

    def delete(self, post_id: str) -> None:
        """With all its versions."""
        for each in self.posts[int(post_id)]["edit_history_tweet_ids"]:
            del self.posts[int(each)]

    def bring(self, post_id: str) -> None:
        """To every open stream, if a rule wants it."""
        found = [rule for rule in self.rules.kept.values() if int(post_id) in self.matching(rule["value"])]
        if found:
            post = self.posts[int(post_id)]
            beside = {"users": [self.users[post["author_id"]]], "media": list(self.media.values())}
            matched = [{"id": rule["id"], "tag": rule["tag"]} for rule in found]
            self.stream.line({"data": post, "includes": beside, "matching_rules": matched})

    # The server.

    @override
    def endpoint(self, method: str, path: str) -> str:
        return ROUTES.get((method, path), "unknown")

    @override
    def check(self, call: Call) -> None:
        shown = call.headers.get("authorization", "")
        if call.endpoint in BY_THE_APP:
            known = hmac.compare_digest(shown, f"Bearer {BEARER}")
        else:
            known = self._is_signed(call.method, call.target, shown)
        if self.revoked or not known:
            raise Refused(401, "Unauthorized")

    @override
    def limits(self, limit: int, left: int, reset: datetime) -> dict[str, str]:
        return {
            "x-rate-limit-limit": str(limit),
            "x-rate-limit-remaining": str(left),
            "x-rate-limit-reset": str(int(reset.timestamp())),
        }

    @override
    def status(self, endpoint: str) -> int:
        return 201 if endpoint in ("post", "change_rules") else 200

    @override
    def lasts(self, call: Call) -> bool:
        return call.endpoint == "stream"

    @override
    async def last(self, call: Call, line: Connection) -> None:
        await self.stream.serve(*line, self.released)

    @override
    def untidy(self, content: Any) -> Any:
        if not content.get("data"):
            return content
        posts = mixed(content["data"])
        return {**content, "data": posts, "meta": {**content["meta"], "result_count": len(posts)}}

    @override
    def content(self, call: Call, path: str) -> Any:
        match call.endpoint:
            case "account":
                return {"data": ACCOUNT}
            case "mentions":
                named = f"@{ACCOUNT['username']}".casefold()
                found = [i for i, post in self.posts.items() if named in post["text"].casefold()]
                return self._page(sorted(found)[-MENTIONS_AT_MOST:], call.parameters, "pagination_token")
            case "search":
                oldest = self.now() - SEARCHED_BACK
                if int(call.parameters["since_id"]) < (oldest - EPOCH) // timedelta(milliseconds=1) << 22:
                    raise Refused(400, "since_id must be a tweet id created after seven days ago")
                return self._page(self.matching(call.parameters["query"]), call.parameters, "next_token")
            case "lookups":
                return self._looked_up(call.parameters["ids"].split(","))
            case "rules":
                return self.rules.told()
            case "change_rules":
                return self.rules.change(call.parameters)
            case "stream":
                return {}
            case "post":
                return {"data": self._post(call.parameters)}
            case _:
                raise Refused(404, "Not Found")

    def _is_signed(self, method: str, target: str, authorization: str) -> bool:
        """RFC 5849 section 3.4, over the official address whatever server was asked. No nonce counts twice."""
        scheme, _, fields = authorization.partition(" ")
        given = {unquote(n): unquote(v) for n, v in re.findall(r'(\w+)="([^"]*)"', fields)}
        signature = given.pop("oauth_signature", "")
        parts = urlsplit(target)
        pairs = [*given.items(), *parse_qsl(parts.query, keep_blank_values=True)]
        encoded = sorted((_encoded(name), _encoded(value)) for name, value in pairs)
        parameters = "&".join(f"{name}={value}" for name, value in encoded)
        base = "&".join([method, _encoded(OFFICIAL + parts.path), _encoded(parameters)])
        key = f"{_encoded(CREDENTIALS['consumer_secret'])}&{_encoded(CREDENTIALS['access_token_secret'])}"
        right = base64.b64encode(hmac.digest(key.encode(), base.encode(), sha1)).decode()
        who = (given.get("oauth_consumer_key"), given.get("oauth_token"))
        fresh = given.get("oauth_nonce", "") not in self._nonces
        self._nonces.add(given.get("oauth_nonce", ""))
        ours = who == (CREDENTIALS["consumer_key"], CREDENTIALS["access_token"])
        return scheme == "OAuth" and ours and fresh and hmac.compare_digest(right, signature)

    def _looked_up(self, ids: list[str]) -> dict[str, Any]:
        """What cannot be shown is told as errors beside the posts."""
        if len(ids) > 100:
            raise Refused(400, "ids must have between 1 and 100 items")
        shown = [self.posts[int(i)] for i in ids if int(i) in self.posts and i not in self.protected]
        problems = {i: "not-authorized-for-resource" if i in self.protected else "resource-not-found" for i in ids}
        errors = [
            {"value": i, "parameter": "ids", "resource_type": "tweet", "type": f"{OFFICIAL}/2/problems/{problems[i]}"}
            for i in ids
            if self.posts.get(int(i)) not in shown
        ]
        return {
            **({"data": shown} if shown else {}),
            **({"errors": errors} if errors else {}),
            "includes": {"users": list(self.users.values()), "media": list(self.media.values())},
        }

    def matching(self, query: str) -> list[int]:
        wanted, _, without = query.partition(")")
        terms = [term.strip("( ").strip('"').casefold() for term in wanted.split(" OR ")]
        hits = [i for i, post in self.posts.items() if any(term in post["text"].casefold() for term in terms)]
        if self.sloppy:
            return hits
        own = re.search(r"-from:(\w+)", without)
        return [
            i
            for i in hits
            if not ("-is:retweet" in without and "referenced_tweets" in self.posts[i])
            and not (own and self.users[self.posts[i]["author_id"]]["username"].casefold() == own[1].casefold())
        ]

    def _page(self, found: list[int], parameters: Mapping[str, Any], token_name: str) -> dict[str, Any]:
        """Newest first; a token names the post after which a page begins."""
        before = int(parameters.get(token_name, 1 << 63))
        left = sorted((i for i in found if int(parameters["since_id"]) < i < before), reverse=True)
        size = int(parameters.get("max_results", 10))
        page = [self.posts[i] for i in left[:size]]
        if not page:
            return {"meta": {"result_count": 0}}
        users = [self.users[author] for author in sorted({post["author_id"] for post in page})]
        more = {"next_token": page[-1]["id"]} if len(left) > size else {}
        return {
            "data": page,
            "includes": {"users": users, "media": list(self.media.values())},
            "meta": {"result_count": len(page), "newest_id": page[0]["id"], "oldest_id": page[-1]["id"], **more},
        }

    def _post(self, parameters: Mapping[str, Any]) -> dict[str, str]:
        replied = int(parameters["reply"]["in_reply_to_tweet_id"])
        if replied not in self.posts:
            raise Refused(403, "You cannot reply to a post that does not exist")
        self.posted.append({"text": parameters["text"], "to": str(replied)})
        text = f"@{self.users[self.posts[replied]['author_id']]['username']} {parameters['text']}"
        return {"id": self.say(text, author=int(ACCOUNT["id"])), "text": parameters["text"]}


def _encoded(text: str) -> str:
    return quote(text, safe="~")
