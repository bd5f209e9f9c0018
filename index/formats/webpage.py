"""HTML: the main text of a page without menus, by trafilatura; the whole page where that finds no main text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from index.formats.characters import decode, without_controls
from index.formats.dates import iso_date
from index.formats.extract import Extract, TextBuilder
from index.formats.markup import BOILERPLATE, parse_html, write_markup

if TYPE_CHECKING:
    from lxml.etree import _Element

__all__ = ["read_webpage"]

# trafilatura's names of elements (those of TEI) -> those of HTML
_HTML_NAMES = {"head": "h2", "lb": "br", "list": "ul", "item": "li", "row": "tr", "cell": "td", "quote": "blockquote"}
# With less main text than this (its own threshold), trafilatura takes all there is, menus as well.
_SHORT = 250
# At this depth of elements within elements its parser leaves out the rest, without a word.
_DEEP = 250


def read_webpage(raw: bytes) -> Extract:
    """Nothing a page refers to is loaded.

    Raises:
        DocumentError: it is not text, or holds too much.
    """
    import trafilatura

    page = parse_html(without_controls(decode(raw, declared=True)))
    found = trafilatura.bare_extraction(
        page,
        with_metadata=True,
        include_comments=False,
        date_extraction_params={"original_date": True, "extensive_search": False},
    )
    main = TextBuilder()
    title = author = date = None
    if found is not None and not isinstance(found, dict):
        title, author, date = found.title, found.author, iso_date(found.date)
        if found.body is not None:
            write_markup(_as_html(found.body), main)
    extract = main.extract(title=title, author=author, date=date)
    if len(extract.text) >= _SHORT and _depth(page) < _DEEP:
        return extract
    whole = TextBuilder()
    write_markup(_main_part(page), whole, without=BOILERPLATE)
    title = title if title is not None else page.findtext(".//title")
    everything = whole.extract(title=title, author=author, date=date)
    return everything if everything.text else extract


def _depth(page: _Element) -> int:
    from lxml import etree

    depth = deepest = 0
    for event, _ in etree.iterwalk(page, events=("start", "end")):
        depth += 1 if event == "start" else -1
        deepest = max(deepest, depth)
    return deepest


def _main_part(page: _Element) -> _Element:
    """What the page itself marks as its main part, else all of it."""
    for name in ("main", "article"):
        found = list(page.iter(name))
        if len(found) == 1:
            return found[0]
    return page


def _as_html(body: _Element) -> _Element:
    for element in body.iter():
        if isinstance(element.tag, str):
            element.tag = _HTML_NAMES.get(element.tag, element.tag)
            if element.tag == "code" and "\n" in (element.text or ""):
                element.tag = "pre"
    return body
