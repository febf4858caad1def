"""The risk notices as an Atom feed (RFC 4287)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from xml.etree import ElementTree

from bot.understanding.knowledge.article import Article
from escalation.broadcast.repository.broadcasts import BroadcastRow

_ATOM = "http://www.w3.org/2005/Atom"
_BEGAN = date(2026, 1, 1)
"""When a feed without entries was changed last: a feed has to say."""


def atom(
    notices: Sequence[Article], published: Sequence[BroadcastRow], *, title: str, author: str, language: str, base: str
) -> bytes:
    """`base` is the public address of the desk."""
    ElementTree.register_namespace("", _ATOM)
    feed = ElementTree.Element(f"{{{_ATOM}}}feed", {"{http://www.w3.org/XML/1998/namespace}lang": language})
    own = f"{base}/notices.atom?lang={language}"
    _add(feed, "id", own)
    _add(feed, "title", title)
    days = [_midnight(one.since) for one in notices if one.since]
    _add(feed, "updated", max([*days, *(one.starts_at for one in published)], default=_midnight(_BEGAN)).isoformat())
    _add(_add(feed, "author"), "name", author)
    _link(feed, own, rel="self")
    _link(feed, f"{base}/notices?lang={language}", rel="alternate")
    for broadcast in published:
        _announcement(feed, broadcast, language, base)
    for notice in notices:
        _entry(feed, notice, f"{base}/help/{notice.id}?lang={language}")
    content: bytes = ElementTree.tostring(feed, encoding="utf-8", xml_declaration=True)
    return content


def _entry(feed: ElementTree.Element, notice: Article, address: str) -> None:
    entry = _add(feed, "entry")
    _add(entry, "id", address)
    _add(entry, "title", notice.title)
    _add(entry, "updated", _midnight(notice.since or _BEGAN).isoformat())
    _link(entry, address, rel="alternate")
    _add(entry, "content", notice.body).set("type", "text")


def _announcement(feed: ElementTree.Element, broadcast: BroadcastRow, language: str, base: str) -> None:
    address = f"{base}/notices?lang={language}#broadcast-{broadcast.id}"
    entry = _add(feed, "entry")
    _add(entry, "id", address)
    _add(entry, "title", broadcast.title(language))
    _add(entry, "updated", broadcast.starts_at.isoformat())
    _link(entry, address, rel="alternate")
    _add(entry, "content", broadcast.text(language)).set("type", "text")


def _add(parent: ElementTree.Element, name: str, text: str = "") -> ElementTree.Element:
    element = ElementTree.SubElement(parent, f"{{{_ATOM}}}{name}")
    element.text = text
    return element


def _link(parent: ElementTree.Element, address: str, *, rel: str) -> None:
    _add(parent, "link").attrib.update(rel=rel, href=address)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
