"""DOCX: paragraphs, lists and tables of a Word document; what stands under a heading is a section."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from index.errors import DocumentError
from index.formats.archive import Archive, open_archive, parse_xml
from index.formats.characters import one_line
from index.formats.dates import iso_date
from index.formats.extract import Extract, TextBuilder

if TYPE_CHECKING:
    from lxml.etree import _Element

__all__ = ["read_docx"]

_HEADING = re.compile(r"heading \d|title$")
# What a reader does not see: deleted text, field codes, the second copy of a drawing for old versions of Word.
_UNREAD = frozenset({"del", "moveFrom", "instrText", "delText", "Fallback", "pPr", "rPr", "sdtPr", "tblPr", "tcPr"})
_SPACES = {"tab": " ", "br": "\n", "cr": "\n", "noBreakHyphen": "-", "ptab": " "}


@dataclass(frozen=True, slots=True)
class _Style:
    heading: bool
    listed: bool


def read_docx(path: Path) -> Extract:
    """Footnotes and endnotes follow the text, in sections of these names.

    Raises:
        DocumentError: it is damaged or holds too much.
    """
    with open_archive(path) as archive:
        main = next((name for name in sorted(archive.names) if re.fullmatch(r"word/document\d*\.xml", name)), None)
        if main is None:
            raise DocumentError("is damaged: it holds no document part; save it again in Word")
        writer = _Writer(_styles(archive))
        writer.children(parse_xml(archive.read(main), main))
        for name, label in (("word/footnotes.xml", "Footnotes"), ("word/endnotes.xml", "Endnotes")):
            if name in archive.names:
                writer.builder.section(label)
                writer.children(parse_xml(archive.read(name), name))
        fields = _core_fields(archive)
    return writer.builder.extract(
        title=fields.get("title"), author=fields.get("creator"), date=iso_date(fields.get("created"))
    )


def _name(element: _Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _child(element: _Element | None, *path: str) -> _Element | None:
    for name in path:
        element = next((child for child in element if _name(child) == name), None) if element is not None else None
    return element


def _value(element: _Element | None, name: str = "val") -> str | None:
    """An attribute, whichever of Word's two name spaces it is in."""
    if element is None:
        return None
    return next((str(value) for key, value in element.attrib.items() if str(key).rpartition("}")[2] == name), None)


def _core_fields(archive: Archive) -> dict[str, str]:
    name = "docProps/core.xml"
    if name not in archive.names:
        return {}
    fields = {_name(field): one_line(field.text or "") for field in parse_xml(archive.read(name), name)}
    return {field: text for field, text in fields.items() if text}


def _styles(archive: Archive) -> dict[str, _Style]:
    """Which styles are headings or list items, by themselves or by the style they are based on."""
    name = "word/styles.xml"
    if name not in archive.names:
        return {}
    elements = {_value(s, "styleId"): s for s in parse_xml(archive.read(name), name) if _name(s) == "style"}
    styles: dict[str, _Style] = {}
    for identity, element in elements.items():
        heading = listed = False
        step: _Element | None = element
        for _ in range(10):  # a style may be based on itself in a damaged file
            if step is None:
                break
            title = (_value(_child(step, "name")) or "").lower()
            outline = _value(_child(step, "pPr", "outlineLvl"))
            heading = heading or _HEADING.match(title) is not None or (outline is not None and outline < "9")
            listed = listed or _child(step, "pPr", "numPr") is not None or title.startswith("list ")
            step = elements.get(_value(_child(step, "basedOn")))
        styles[identity or ""] = _Style(heading, listed and not heading)
    return styles


class _Writer:
    def __init__(self, styles: dict[str, _Style]) -> None:
        self.builder = TextBuilder()
        self._styles = styles
        self._in_list = False

    def children(self, element: _Element) -> None:
        for child in element:
            name = _name(child)
            if name == "p":
                self._paragraph(child)
            elif name == "tbl":
                self._table(child)
            elif name not in _UNREAD:
                self.children(child)

    def _paragraph(self, paragraph: _Element) -> None:
        boxes: list[_Element] = []
        text = "".join(_runs(paragraph, boxes))
        properties = _child(paragraph, "pPr")
        style = self._styles.get(_value(_child(properties, "pStyle")) or "", _Style(False, False))
        outline = _value(_child(properties, "outlineLvl"))
        if style.heading or (outline is not None and outline < "9"):
            self.builder.heading(text)
            self._in_list = False
        elif text.strip():
            listed = style.listed or _child(properties, "numPr") is not None
            separator = "\n" if listed and self._in_list else "\n\n"
            for line in filter(str.strip, text.split("\n")):
                self.builder.block(f"- {line}" if listed else line, separator)
                separator = "\n"
            self._in_list = listed
        for box in boxes:
            self.children(box)

    def _table(self, table: _Element) -> None:
        self._in_list = False
        separator = "\n\n"
        for row in table.iter("{*}tr"):
            if next(row.iterancestors("{*}tbl")) is not table:
                continue  # of a table within a cell, which is read as part of that cell
            cells = [
                one_line(" ".join("".join(_runs(part, [])) for part in cell.iter("{*}p")))
                for cell in row.iter("{*}tc")
                if next(cell.iterancestors("{*}tr")) is row
            ]
            if any(cells):
                self.builder.block(" | ".join(cells), separator)
                separator = "\n"


def _runs(element: _Element, boxes: list[_Element]) -> Iterator[str]:
    """The text of a paragraph, line breaks in it; text boxes anchored in it are put into `boxes`."""
    for child in element:
        name = _name(child)
        if name == "t":
            yield child.text or ""
        elif name in _SPACES:
            yield _SPACES[name]
        elif name == "txbxContent":
            boxes.append(child)
        elif name not in _UNREAD:
            yield from _runs(child, boxes)
