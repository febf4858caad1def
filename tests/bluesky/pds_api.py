"""A Bluesky server (PDS with the app's views behind it) on a free port: the parts of https://docs.bsky.app/docs/api/
that the channel speaks. Sessions are real: tokens are issued for the app password, expire and are renewed."""

from __future__ import annotations

import base64
import hmac
import json
import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, override

from tests.monitor.network import Call, Network, Refused, mixed

HANDLE = "demo.exchange.example"
PASSWORD = "qrst-uvwx-yz23-4567"
DID = "did:plc:ourselves2222222222222222"
QUOTAS = {
    "login": 30,
    "renew": 300,
    "account": 3000,
    "profile": 3000,
    "mentions": 3000,
    "search": 3000,
    "look": 3000,
    "record": 3000,
    "post": 1666,
}
ROUTES = {
    "com.atproto.server.createSession": "login",
    "com.atproto.server.refreshSession": "renew",
    "com.atproto.server.getSession": "account",
    "app.bsky.actor.getProfile": "profile",
    "app.bsky.notification.listNotifications": "mentions",
    "app.bsky.feed.searchPosts": "search",
    "app.bsky.feed.getPosts": "look",
    "com.atproto.repo.getRecord": "record",
    "com.atproto.repo.createRecord": "post",
}


@dataclass
class Notice:
    reason: str
    at: datetime
    uri: str


class Pds(Network):
    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        super().__init__(QUOTAS, now)
        self.posts: dict[str, dict[str, Any]] = {}
        self.authors: dict[str, dict[str, Any]] = {DID: {"did": DID, "handle": HANDLE}}
        self.notices: list[Notice] = []
        self.token_seconds = 7200
        self.title = "Demo Exchange"
        """Of our profile; "" when there is none."""
        self.left_out: set[str] = set()
        """Posts that no list shows, though they are there."""
        self.paused: set[str] = set()
        """Authors whose accounts are gone or deactivated, for now: nothing of them is shown."""
        self._access: set[str] = set()
        self._renewal: set[str] = set()
        self._number = 0

    # What people do.

    def say(self, text: str, author: int = 77, ago: float = 0, found_ago: float | None = None, **more: Any) -> str:
        """A post `ago` seconds ago, which the network found `found_ago` seconds ago; `more` are further fields of its
        record. Returns its address."""
        did = DID if author == 0 else did_of(author)
        self.authors.setdefault(did, {"did": did, "handle": f"user{author}.bsky.social"})
        return self._store(did, text, ago, ago if found_ago is None else found_ago, more)

    def forget(self, uri: str) -> None:
        del self.posts[uri]

    def edit(self, uri: str, text: str) -> None:
        """Another record under the same key: no app offers it, the protocol does."""
        self._number += 1
        record = {**self.posts[uri]["record"], "text": text}
        self.posts[uri] |= {"record": record, "cid": f"bafyrei{self._number:020}"}

    def end_sessions(self) -> None:
        """The server was set up anew: no token counts any more."""
        self._access.clear()
        self._renewal.clear()

    def _store(self, did: str, text: str, ago: float, found_ago: float, more: Mapping[str, Any]) -> str:
        self._number += 1
        uri = f"at://{did}/app.bsky.feed.post/3k{self._number:011}"
        found = re.search(rf"@{HANDLE}", text)
        facets = []
        if found:
            start, end = (len(text[:place].encode()) for place in found.span())
            feature = {"$type": "app.bsky.richtext.facet#mention", "did": DID}
            facets.append({"index": {"byteStart": start, "byteEnd": end}, "features": [feature]})
        record = {
            "$type": "app.bsky.feed.post",
            "text": text,
            "createdAt": _shown(self.now() - timedelta(seconds=ago)),
            "langs": ["en"],
            "facets": facets,
            **more,
        }
        at = self.now() - timedelta(seconds=found_ago)
        self.posts[uri] = {
            "uri": uri,
            "cid": f"bafyrei{self._number:020}",
            "author": self.authors[did],
            "record": record,
            "indexedAt": _shown(at),
        }
        if (reason := _reason(record)) and did != DID:
            self.notices.append(Notice(reason, at, uri))
        return uri

    # The server.

    @override
    def endpoint(self, method: str, path: str) -> str:
        return ROUTES.get(path.removeprefix("/xrpc/"), "unknown")

    @override
    def check(self, call: Call) -> None:
        if call.endpoint == "login":
            return
        token = call.headers.get("authorization", "").removeprefix("Bearer ")
        if self.revoked or not token:
            raise Refused(401, "AuthMissing")
        if token not in (self._renewal if call.endpoint == "renew" else self._access):
            raise Refused(400, "ExpiredToken")

    @override
    def limits(self, limit: int, left: int, reset: datetime) -> dict[str, str]:
        return {
            "RateLimit-Limit": str(limit),
            "RateLimit-Remaining": str(left),
            "RateLimit-Reset": str(int(reset.timestamp())),
            "RateLimit-Policy": f"{limit};w=300",
        }

    @override
    def untidy(self, content: Any) -> Any:
        return {name: mixed(part) if isinstance(part, list) else part for name, part in content.items()}

    @override
    def content(self, call: Call, path: str) -> Any:
        asked = call.parameters
        match call.endpoint:
            case "login":
                return self._login(asked)
            case "renew":
                self._renewal.discard(call.headers["authorization"].removeprefix("Bearer "))
                return self._session()
            case "account":
                return {"did": DID, "handle": HANDLE, "active": True}
            case "profile":
                return self._profile(asked)
            case "mentions":
                return self._notices(asked)
            case "search":
                return self._search(asked)
            case "look":
                return self._looked_up(asked["uris"])
            case "record":
                return self._record(f"at://{asked['repo']}/{asked['collection']}/{asked['rkey']}")
            case "post":
                return self._post(asked)
            case _:
                raise Refused(501, "MethodNotImplemented")

    def _login(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        right = hmac.compare_digest(str(asked["password"]).encode(), PASSWORD.encode())
        if self.revoked or asked["identifier"] != HANDLE or not right:
            raise Refused(401, "AuthenticationRequired")
        return self._session()

    def _profile(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        if not self.title:
            raise Refused(400, "InvalidRequest", "Profile not found")
        return {"did": asked["actor"], "handle": HANDLE, "displayName": self.title}

    def _session(self) -> dict[str, Any]:
        access, renewal = (_token(self.token_seconds) for _ in range(2))
        self._access.add(access)
        self._renewal.add(renewal)
        return {"accessJwt": access, "refreshJwt": renewal, "did": DID, "handle": HANDLE, "active": True}

    def _notices(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        reasons = asked["reasons"] if isinstance(asked["reasons"], list) else [asked["reasons"]]
        found = [each for each in self.notices if each.reason in reasons and each.uri in self.posts]
        found.sort(key=lambda notice: (notice.at, notice.uri), reverse=True)
        begin = int(asked.get("cursor", 0))
        page = found[begin : begin + int(asked["limit"])]
        entries = [{**self.posts[each.uri], "reason": each.reason, "isRead": False} for each in page]
        return {"notifications": entries, **_cursor(begin, page, found)}

    def _record(self, uri: str) -> dict[str, Any]:
        """A PDS passes on what is asked of others' accounts to the app's server, which has other words."""
        if uri not in self.posts or uri.split("/")[2] in self.paused:
            did = uri.split("/")[2]
            if did == DID:
                raise Refused(400, "RecordNotFound")
            if did in self.paused:
                raise Refused(400, "InvalidRequest", f"Could not find repo: {did}")
            raise Refused(400, "InvalidRequest", f"Could not locate record: {uri}")
        return {"uri": uri, "cid": self.posts[uri]["cid"], "value": self.posts[uri]["record"]}

    def _looked_up(self, uris: str | list[str]) -> dict[str, Any]:
        asked = [uris] if isinstance(uris, str) else uris
        if len(asked) > 25:
            raise Refused(400, "InvalidRequest")
        return {"posts": [self.posts[uri] for uri in asked if self._is_shown(uri)]}

    def _is_shown(self, uri: str) -> bool:
        return uri in self.posts and uri not in self.left_out and uri.split("/")[2] not in self.paused

    def _search(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        words = str(asked["q"]).strip('"').casefold()
        found = [
            post
            for post in self.posts.values()
            if words in post["record"]["text"].casefold() and _sorted_at(post) >= asked["since"]
        ]
        found.sort(key=lambda post: (_sorted_at(post), post["uri"]), reverse=True)
        begin = int(asked.get("cursor", 0))
        page = found[begin : begin + int(asked["limit"])]
        return {"posts": page, **_cursor(begin, page, found)}

    def _post(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        record = asked["record"]
        if asked["repo"] != DID or len(record["text"]) > 300:
            raise Refused(400, "InvalidRequest")
        parent = record["reply"]["parent"]["uri"]
        self.posted.append({"text": record["text"], "to": parent, "record": record})
        more = {name: record[name] for name in ("reply", "langs", "facets")}
        uri = self._store(DID, record["text"], 0, 0, more)
        return {"uri": uri, "cid": self.posts[uri]["cid"], "validationStatus": "valid"}


def did_of(author: int) -> str:
    return f"did:plc:author{author:018}"


def _reason(record: Mapping[str, Any]) -> str | None:
    if str(record.get("reply", {}).get("parent", {}).get("uri", "")).startswith(f"at://{DID}/"):
        return "reply"
    if record["facets"]:
        return "mention"
    quoted = record.get("embed", {}).get("record", {}).get("uri", "")
    return "quote" if str(quoted).startswith(f"at://{DID}/") else None


def _sorted_at(post: Mapping[str, Any]) -> str:
    return min(str(post["indexedAt"]), str(post["record"]["createdAt"]))


def _cursor(begin: int, page: list[Any], found: list[Any]) -> dict[str, str]:
    return {"cursor": str(begin + len(page))} if begin + len(page) < len(found) else {}


def _token(seconds: int) -> str:
    """A JWT (RFC 7519). The library reads when it ends, by the real clock, and nobody checks its signature."""
    claims = {"exp": int(time.time()) + seconds, "sub": DID, "jti": secrets.token_hex(8)}
    parts = (json.dumps(each).encode() for each in ({"alg": "HS256", "typ": "at+jwt"}, claims))
    return ".".join([*(base64.urlsafe_b64encode(each).decode().rstrip("=") for each in parts), "c2lnbmVk"])


def _shown(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"
