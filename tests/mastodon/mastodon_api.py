"""A Mastodon server on a free port: the parts of https://docs.joinmastodon.org/methods/ that the channel speaks.

Ids tell the time as Mastodon's do, those of notices are counted; pages go back from the newest.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Any, override
from urllib.parse import unquote

from tests.monitor.network import Call, Network, Refused, mixed

TOKEN = "token-of-our-account"
SERVER = "mastodon.example"
ACCOUNT: dict[str, Any] = {
    "id": "4242",
    "username": "DemoExchange",
    "acct": "DemoExchange",
    "url": f"https://{SERVER}/@DemoExchange",
    "bot": False,
}
QUOTAS = {
    "account": 300,
    "mentions": 300,
    "hashtags": 300,
    "search": 300,
    "post": 300,
    "lookups": 300,
    "lookup": 300,
}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class Notice:
    id: int
    kind: str
    at: datetime
    post: int


class MastodonApi(Network):
    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        super().__init__(QUOTAS, now)
        self.posts: dict[int, dict[str, Any]] = {}
        self.accounts: dict[str, dict[str, Any]] = {ACCOUNT["id"]: dict(ACCOUNT)}
        self.notices: list[Notice] = []
        self.full_text = True
        """Whether the server has a search for words of posts."""
        self.gives_at_most: int | None = None
        """Posts of a hashtag that it gives, however many there are."""
        self.gives_lists = True
        """Whether the server takes a list of ids (since 4.3)."""
        self.left_out: set[str] = set()
        """Posts that no list shows, though they are there."""
        self.refusing: dict[str, int] = {}
        """Posts that are not given out by themselves either, and with which status."""
        self._keys: dict[str, dict[str, Any]] = {}
        self._number = 0

    # What people do.

    def say(self, text: str, author: int = 77, ago: float = 0, heard_ago: float | None = None, **more: Any) -> str:
        """A post `ago` seconds ago, of which this server heard `heard_ago` seconds ago; `more` are further fields of
        it. Returns its id."""
        self._number += 1
        moment = self.now() - timedelta(seconds=ago)
        post_id = ((moment - EPOCH) // timedelta(milliseconds=1) << 16) + self._number % (1 << 16)
        self.accounts.setdefault(
            str(author), {"id": str(author), "username": f"user{author}", "acct": f"user{author}@far.example"}
        )
        named = re.search(rf"@{ACCOUNT['username']}\b", text, re.IGNORECASE)
        self.posts[post_id] = {
            "id": str(post_id),
            "created_at": _shown(moment),
            "edited_at": None,
            "visibility": "public",
            "language": "en",
            "spoiler_text": "",
            "content": f"<p>{escape(text)}</p>",
            "account": self.accounts[str(author)],
            "mentions": [{"id": ACCOUNT["id"], "acct": ACCOUNT["acct"]}] if named else [],
            "media_attachments": [],
            "reblog": None,
            **more,
        }
        if named and str(author) != ACCOUNT["id"]:
            self.tell("mention", post_id, ago if heard_ago is None else heard_ago)
        return str(post_id)

    def edit(self, post_id: str, text: str) -> None:
        self.posts[int(post_id)] |= {"content": f"<p>{escape(text)}</p>", "edited_at": _shown(self.now())}

    def delete(self, post_id: str) -> None:
        del self.posts[int(post_id)]

    def tell(self, kind: str, post: int, ago: float = 0) -> None:
        self._number += 1
        self.notices.append(Notice(self._number, kind, self.now() - timedelta(seconds=ago), post))

    # The server.

    @override
    def endpoint(self, method: str, path: str) -> str:
        if method == "GET" and path.startswith("/api/v1/timelines/tag/"):
            return "hashtags"
        if method == "GET" and path.startswith("/api/v1/statuses/"):
            return "lookup"
        routes = {
            ("GET", "/api/v1/accounts/verify_credentials"): "account",
            ("GET", "/api/v1/notifications"): "mentions",
            ("GET", "/api/v2/search"): "search",
            ("POST", "/api/v1/statuses"): "post",
            ("GET", "/api/v1/statuses"): "lookups",
        }
        return routes.get((method, path), "unknown")

    @override
    def check(self, call: Call) -> None:
        scheme, _, token = call.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or not hmac.compare_digest(token.encode(), TOKEN.encode()) or self.revoked:
            raise Refused(401, "The access token is invalid")

    @override
    def limits(self, limit: int, left: int, reset: datetime) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(left),
            "X-RateLimit-Reset": _shown(reset),
        }

    @override
    def untidy(self, content: Any) -> Any:
        return {**content, "statuses": mixed(content["statuses"])} if isinstance(content, dict) else mixed(content)

    @override
    def content(self, call: Call, path: str) -> Any:
        match call.endpoint:
            case "account":
                return ACCOUNT
            case "mentions":
                return self._notices(call.parameters)
            case "hashtags":
                tag = f"#{unquote(path.rpartition('/')[2])}".casefold()
                found = [i for i, post in self.posts.items() if tag in post["content"].casefold()]
                return self._page(sorted(found)[-(self.gives_at_most or len(found)) :], call.parameters)
            case "search":
                words = str(call.parameters["q"]).strip('"').casefold()
                found = [i for i, post in self.posts.items() if words in post["content"].casefold()]
                return {"accounts": [], "hashtags": [], "statuses": self._found(found, call.parameters)}
            case "lookups":
                return self._looked_up(call.parameters)
            case "lookup":
                return self._one(path.rpartition("/")[2])
            case "post":
                return self._post(call)
            case _:
                raise Refused(404, "Not Found")

    def _one(self, post_id: str) -> dict[str, Any]:
        if post_id in self.refusing:
            raise Refused(self.refusing[post_id], "This action is not allowed")
        if (found := self.posts.get(int(post_id))) is None:
            raise Refused(404, "Record not found")
        return found

    def _looked_up(self, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
        asked = parameters["id[]"]
        if not self.gives_lists:
            raise Refused(404, "Not Found")
        if len(asked) > 20:
            raise Refused(422, "Validation failed")
        return [self.posts[int(i)] for i in asked if int(i) in self.posts and i not in self.left_out]

    def _notices(self, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
        before = int(parameters.get("max_id", 1 << 62))
        kinds = parameters["types[]"]
        found = sorted(self.notices, key=lambda notice: notice.at, reverse=True)
        # Their ids are counted, so what came later has the higher one.
        numbers = {notice.id: len(found) - place for place, notice in enumerate(found)}
        page = [notice for notice in found if notice.kind in kinds and numbers[notice.id] < before]
        return [
            {
                "id": str(numbers[notice.id]),
                "type": notice.kind,
                "created_at": _shown(notice.at),
                "account": self.posts[notice.post]["account"],
                "status": self.posts[notice.post],
            }
            for notice in page[: int(parameters["limit"])]
            if notice.post in self.posts
        ]

    def _found(self, found: list[int], parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
        return self._page(found, parameters) if self.full_text else []

    def _page(self, found: list[int], parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
        before = int(parameters.get("max_id", 1 << 62))
        visible = [i for i in found if i < before and self.posts[i]["visibility"] == "public"]
        return [self.posts[i] for i in sorted(visible, reverse=True)[: int(parameters["limit"])]]

    def _post(self, call: Call) -> dict[str, Any]:
        """What comes again with the same Idempotency-Key is the same post."""
        key, asked = call.headers.get("idempotency-key", ""), call.parameters
        if key in self._keys:
            return self._keys[key]
        replied = int(asked["in_reply_to_id"])
        if replied not in self.posts:
            raise Refused(404, "Record not found")
        if len(asked["status"]) > 500:
            raise Refused(422, "Validation failed: Text character limit of 500 exceeded")
        self.posted.append({"text": asked["status"], "to": str(replied), "visibility": asked["visibility"]})
        said = self.say(asked["status"], author=int(ACCOUNT["id"]), visibility=asked["visibility"])
        self._keys[key] = self.posts[int(said)]
        return self._keys[key]


def _shown(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"
