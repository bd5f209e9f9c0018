"""Markdown without its marks; what stands under a heading is a section."""

from __future__ import annotations

import re

from index.formats.characters import decode, one_line, without_controls
from index.formats.dates import iso_date
from index.formats.extract import Extract, TextBuilder
from index.formats.markup import parse_html, write_markup

__all__ = ["read_markdown"]

_FRONT = re.compile(r"\A---[ \t]*\n(.*?)^(?:---|\.\.\.)[ \t]*$\n?", re.DOTALL | re.MULTILINE)
_NESTING = 100  # deeper lists and quotes are left out; the parser's own 20 is soon reached
_FIELD = re.compile(r"^(title|author|date)[ \t]*:[ \t]*(.+)$", re.IGNORECASE | re.MULTILINE)


def read_markdown(raw: bytes) -> Extract:
    """CommonMark with tables. `title`, `author` and `date` come from YAML front matter, the title else from a heading.

    Raises:
        DocumentError: it is not text, or holds too much.
    """
    from markdown_it import MarkdownIt

    text = without_controls(decode(raw))
    fields: dict[str, str] = {}
    front = _FRONT.match(text)
    # a text may open with a rule; only lines that look like fields make it front matter
    if front is not None and _FIELD.search(front[1]):
        fields = {match[1].lower(): one_line(match[2]).strip("\"'") for match in _FIELD.finditer(front[1])}
        text = text[front.end() :]
    builder = TextBuilder()
    rendered = MarkdownIt("commonmark", {"maxNesting": _NESTING}).enable("table").render(text)
    if rendered.strip():
        write_markup(parse_html(f"<html><body>{rendered}</body></html>"), builder)
    return builder.extract(title=fields.get("title"), author=fields.get("author"), date=iso_date(fields.get("date")))
