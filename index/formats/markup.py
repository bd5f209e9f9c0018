"""A tree of HTML elements -> blocks of text: paragraphs, headings, lists, tables, code."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from index.errors import DocumentError
from index.formats.extract import TextBuilder

if TYPE_CHECKING:
    from lxml.etree import _Element

__all__ = ["BOILERPLATE", "parse_html", "parse_xhtml", "write_markup"]

BOILERPLATE = frozenset("nav header footer aside form dialog menu".split())
_UNREAD = frozenset(
    "head script style template noscript svg math iframe object audio video canvas button select textarea input".split()
)
_HEADINGS = frozenset("h1 h2 h3 h4 h5 h6".split())
_BLOCKS = _HEADINGS | frozenset(
    "p div section article main body html nav header footer aside form dialog menu ul ol li dl dt dd table thead tbody "
    "tfoot tr td th caption blockquote figure figcaption pre hr address details summary fieldset center".split()
)
_ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9]*);")
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")


def write_markup(
    root: _Element,
    builder: TextBuilder,
    *,
    without: frozenset[str] = frozenset(),
    chapters: Mapping[str, str] | None = None,
) -> None:
    """Add the text of `root` to `builder`; headings open sections.

    Args:
        without: further elements to pass over, by name.
        chapters: ids of elements, "" for the root, with the chapters that start there.
    """
    writer = _Writer(builder, _UNREAD | without, chapters or {})
    writer.element(root, root=True)
    writer.flush()


class _Writer:
    def __init__(self, builder: TextBuilder, unread: frozenset[str], chapters: Mapping[str, str]) -> None:
        self._builder = builder
        self._unread = unread
        self._chapters = chapters
        self._chapter: str | None = None
        self._fresh = False  # nothing was written since the chapter began: its heading is only its name again
        self._inline: list[str] = []
        self._separator = "\n\n"
        self._mark = ""

    def flush(self) -> None:
        """End the paragraph."""
        text = "".join(self._inline)
        self._inline.clear()
        if text.strip():
            self._builder.block(self._mark + text, self._separator)
            self._separator, self._mark, self._fresh = "\n\n", "", False

    def element(self, element: _Element, root: bool = False) -> None:
        tag = _name(element)
        if tag in self._unread or _hidden(element):
            return
        chapter = self._chapters.get("" if root else element.get("id", "\0"))
        if chapter is not None:
            self.flush()
            self._builder.section(chapter)
            self._chapter, self._fresh = chapter, True
        if tag in _HEADINGS:
            self._heading(_text(element, self._unread))
        elif tag == "pre":
            self.flush()
            self._builder.verbatim("".join(element.itertext()))
            self._fresh = False
        elif tag == "tr" and not _is_layout(element):
            self._row(element)
        elif tag == "br":
            self.flush()
            self._separator = "\n"
        elif tag == "li":
            self.flush()
            self._separator = "\n" if _follows_item(element) or _nested(element) else "\n\n"
            self._mark = "- "
            self._children(element)
            self.flush()
            self._mark = ""
        elif tag in _BLOCKS:
            self.flush()
            self._children(element)
            self.flush()
        else:
            self._children(element)

    def _children(self, element: _Element) -> None:
        self._inline.append(element.text or "")
        for child in element:
            if isinstance(child.tag, str):
                self.element(child)
            self._inline.append(child.tail or "")

    def _heading(self, text: str) -> None:
        self.flush()
        self._separator = "\n\n"
        if not text.strip():
            return
        chapter = self._chapter
        if chapter is not None and self._fresh:
            label = chapter
        elif chapter is not None and text.strip() not in chapter:
            label = f"{chapter} › {text}"
        else:
            label = text
        self._builder.heading(text, label)
        self._fresh = False

    def _row(self, row: _Element) -> None:
        self.flush()
        cells = [_text(cell, self._unread) for cell in row if _name(cell) in ("td", "th")]
        self._inline.append(" | ".join(cells) if any(cell.strip() for cell in cells) else "")
        self._separator = "\n\n" if _is_first_row(row) else "\n"
        self.flush()
        self._separator = "\n\n"


def _name(element: _Element) -> str:
    tag = element.tag
    return tag.rpartition("}")[2].lower() if isinstance(tag, str) else ""


def _hidden(element: _Element) -> bool:
    return element.get("hidden") is not None or "display:none" in (element.get("style") or "").replace(" ", "").lower()


def _follows_item(item: _Element) -> bool:
    before = item.getprevious()
    return before is not None and _name(before) == "li"


def _is_first_row(row: _Element) -> bool:
    table = next(row.iterancestors("{*}table"), None)
    return table is None or next(table.iter("{*}tr")) is row


def _nested(item: _Element) -> bool:
    parent = item.getparent()
    above = parent.getparent() if parent is not None else None
    return above is not None and _name(above) in ("li", "ul", "ol")


def _is_layout(row: _Element) -> bool:
    """A table row that arranges a page: its cells hold more than a paragraph each."""
    return any(sum(_name(part) in _BLOCKS for part in cell.iterdescendants()) > 1 for cell in row)


def _text(element: _Element, unread: frozenset[str]) -> str:
    """All text within on one line, words of different blocks apart."""
    parts: list[str] = []

    def collect(part: _Element) -> None:
        apart = _name(part) in _BLOCKS or _name(part) == "br"
        parts.append(" " if apart else "")
        parts.append(part.text or "")
        for child in part:
            if isinstance(child.tag, str) and _name(child) not in unread:
                collect(child)
            parts.append(child.tail or "")
        parts.append(" " if apart else "")

    collect(element)
    return "".join(parts).strip()


def parse_html(text: str) -> _Element:
    """The root element of an HTML page, however broken.

    Raises:
        DocumentError: nothing in it can be read as HTML.
    """
    from lxml import etree
    from lxml import html as lxml_html

    try:
        # huge_tree: else what is nested deeper than 256 elements, as unclosed tags do it, is left out without a word
        parser = lxml_html.HTMLParser(no_network=True, huge_tree=True)
        root = lxml_html.document_fromstring(_DECLARATION.sub("", text), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError) as error:
        raise DocumentError("holds no text that can be read as HTML; open it in a browser and save it again") from error
    if any("Excessive depth" in entry.message for entry in parser.error_log):
        raise DocumentError("is nested too deeply; open it in a browser and save it as text")
    return root


def parse_xhtml(text: str) -> _Element:
    """The root element of an XHTML page as books hold them, where ``<title/>`` is a whole element; else as HTML."""
    from lxml import etree

    text = _DECLARATION.sub("", _ENTITY.sub(_named, text))
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, recover=True, huge_tree=False)
    try:
        root = etree.fromstring(text, parser)
    except (etree.XMLSyntaxError, ValueError):
        root = None
    if root is None or parser.error_log:
        return parse_html(text)
    return root


def _named(match: re.Match[str]) -> str:
    """The character of an entity that HTML knows and XML doesn't."""
    if match[1] in ("amp", "lt", "gt", "quot", "apos"):
        return match[0]
    character = html.unescape(match[0])
    return match[0] if character == match[0] else character
