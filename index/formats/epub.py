"""EPUB: the pages of a book in reading order; its chapters and their headings are sections."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from index.errors import DocumentError
from index.formats.archive import Archive, open_archive, parse_xml
from index.formats.characters import decode, one_line, without_controls
from index.formats.dates import iso_date
from index.formats.extract import Extract, TextBuilder
from index.formats.markup import parse_xhtml, write_markup

if TYPE_CHECKING:
    from lxml.etree import _Element

__all__ = ["read_epub"]


def read_epub(path: Path) -> Extract:
    """Title, author and date are the book's own (Dublin Core).

    Raises:
        DocumentError: it is damaged, copy-protected, or holds too much.
    """
    with open_archive(path) as archive:
        package_name = _package_name(archive)
        package = parse_xml(archive.read(package_name), package_name)
        pages = list(_pages(package, package_name))
        _refuse_protected(archive, {name for name, _ in pages})
        chapters = _chapters(archive, package, package_name)
        builder = TextBuilder()
        for name, properties in pages:
            if "nav" in properties.split() or name not in archive.names:
                continue
            page = parse_xhtml(without_controls(decode(archive.read(name), declared=True)))
            write_markup(page, builder, chapters=chapters.get(name))
    return builder.extract(
        title=next(_texts(package, "title"), None),
        author=", ".join(_texts(package, "creator")) or None,
        date=iso_date(next(_texts(package, "date"), None)),
    )


def _all(root: _Element, name: str) -> Iterator[_Element]:
    yield from root.iter(f"{{*}}{name}")


def _texts(root: _Element, name: str) -> Iterator[str]:
    return (text for element in _all(root, name) if (text := one_line(element.text or "")))


def _resolve(base: str, reference: str) -> str:
    """The name of the part that `reference`, written in the part `base`, means."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(base), unquote(reference)))


def _package_name(archive: Archive) -> str:
    container = "META-INF/container.xml"
    for rootfile in _all(parse_xml(archive.read(container), container), "rootfile"):
        name = rootfile.get("full-path")
        if name:
            return str(name)
    raise DocumentError("is damaged: it does not say where its contents are; export it again")


def _pages(package: _Element, base: str) -> Iterator[tuple[str, str]]:
    """Names and properties of the pages in reading order."""
    items = {item.get("id"): item for item in _all(package, "item")}
    for reference in _all(package, "itemref"):
        item = items.get(reference.get("idref"))
        if item is not None and "html" in (item.get("media-type") or "html"):
            yield _resolve(base, item.get("href") or ""), item.get("properties") or ""


def _refuse_protected(archive: Archive, pages: set[str]) -> None:
    """Fonts are often encrypted, which is no matter; pages are in books that only one reader may open."""
    name = "META-INF/encryption.xml"
    if name not in archive.names:
        return
    for reference in _all(parse_xml(archive.read(name), name), "CipherReference"):
        if unquote(reference.get("URI") or "") in pages:
            raise DocumentError("is copy-protected, so its text cannot be read; get it without DRM")


def _chapters(archive: Archive, package: _Element, base: str) -> dict[str, dict[str, str]]:
    """The table of contents: name of a page -> id of an element on it ("" for its top) -> chapter."""
    chapters: dict[str, dict[str, str]] = {}
    for item in _all(package, "item"):
        name = _resolve(base, item.get("href") or "")
        if name not in archive.names:
            continue
        if "nav" in (item.get("properties") or "").split():
            entries = _nav_entries(parse_xhtml(without_controls(decode(archive.read(name), declared=True))))
        elif item.get("media-type") == "application/x-dtbncx+xml" and not chapters:
            entries = _ncx_entries(parse_xml(archive.read(name), name))
        else:
            continue
        for reference, label in entries:
            target, _, anchor = reference.partition("#")
            chapters.setdefault(_resolve(name, target), {}).setdefault(unquote(anchor), label)
    return chapters


def _nav_entries(page: _Element) -> Iterator[tuple[str, str]]:
    for nav in _all(page, "nav"):
        kinds = [value for key, value in nav.attrib.items() if str(key).rpartition("}")[2].endswith("type")]
        if kinds and "toc" not in kinds:
            continue  # lists of pages and landmarks
        for link in _all(nav, "a"):
            label = one_line("".join(link.itertext()))
            if label and link.get("href"):
                yield str(link.get("href")), label


def _ncx_entries(root: _Element) -> Iterator[tuple[str, str]]:
    for point in _all(root, "navPoint"):
        label = next(_texts(point, "text"), None)
        content = next(_all(point, "content"), None)
        if label is not None and content is not None and content.get("src"):
            yield str(content.get("src")), label
