"""PDF: the text layer, read by PDFium; every page is a section "p. N", counting from 1."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from index.errors import DocumentError
from index.formats.characters import one_line
from index.formats.dates import iso_date
from index.formats.extract import Extract, TextBuilder
from index.formats.limits import MAX_PAGES
from index.formats.paragraphs import write_pages
from index.formats.running import Line

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument, PdfPage

__all__ = ["read_pdf"]

# PDFium's sign for a hyphen at the end of a line: the word goes on in the next.
_HYPHEN = "\ufffe"
_LIGATURES = str.maketrans({"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"})
_UNKNOWN = re.compile("[\ufffd\ue000-\uf8ff]")
_BROKEN = re.compile(r"[^\W\d_][-‐]$")
_LEADERS = re.compile(r"(?:\s?\.){5,}")  # the dots of a table of contents
# What writers of PDFs put where nobody gave a title or an author.
_NO_NAMES = frozenset({"untitled", "(anonymous)", "anonymous", "unknown", "unspecified", "(unspecified)", "title"})
_OCR = "make its text readable with OCR, e.g. `ocrmypdf in.pdf out.pdf`, and add the result"


def read_pdf(path: Path) -> Extract:
    """Pages are counted, not read off: "p. 3" is the third, whatever number is printed on it.

    Raises:
        DocumentError: it is encrypted, damaged, scanned without text, or holds too much.
    """
    import pypdfium2

    try:
        pdf = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        if getattr(error, "err_code", None) == pypdfium2.raw.FPDF_ERR_PASSWORD or "password" in str(error).lower():
            raise DocumentError("is encrypted; save it without a password and add that") from error
        raise DocumentError(
            "is damaged beyond what PDFium can repair; copy it again, or open it in a PDF viewer and print it to a file"
        ) from error
    try:
        return _read(pdf)
    finally:
        pdf.close()


def _read(pdf: PdfDocument) -> Extract:
    count = len(pdf)
    if count > MAX_PAGES:
        raise DocumentError(f"has {count:,} pages, the limit is {MAX_PAGES:,}; split it")
    builder = TextBuilder()
    pages = [list(_lines(pdf, number)) for number in range(count)]
    text = "".join(line.text for lines in pages for line in lines)
    if not any(character.isalnum() for character in text):
        raise DocumentError(f"holds no text on its {count} page(s), only pictures, as scans do; {_OCR}")
    if len(_UNKNOWN.findall(text)) > len(text) / 2:
        raise DocumentError(f"holds text in fonts that don't say which letters their shapes are; {_OCR}")
    write_pages(pages, builder)
    fields = {key: one_line(value) for key, value in pdf.get_metadata_dict().items()}
    return builder.extract(
        title=_named(fields.get("Title", "")),
        author=_named(fields.get("Author", "")),
        date=iso_date(fields.get("CreationDate")),
    )


def _named(text: str) -> str | None:
    """A title or author that a person gave; programs leave "untitled" or the name of a file."""
    text = text.removeprefix("Microsoft Word - ").strip()
    is_file = text.lower().endswith((".doc", ".docx", ".tex", ".dvi", ".indd", ".odt", ".rtf", ".pdf", ".ppt", ".pptx"))
    return text if text and text.lower() not in _NO_NAMES and not is_file else None


def _lines(pdf: PdfDocument, number: int) -> Iterator[Line]:
    import pypdfium2

    try:
        page = pdf[number]
    except pypdfium2.PdfiumError:
        return  # one damaged page; the others are worth having
    try:
        yield from _lines_of(page)
    finally:
        page.close()


def _lines_of(page: PdfPage) -> Iterator[Line]:
    from pypdfium2 import raw

    textpage = page.get_textpage()
    try:
        offset = 0  # in UTF-16 units, as PDFium counts
        for piece in textpage.get_text_range(errors="replace").replace(_HYPHEN, _HYPHEN + "\n").split("\n"):
            units = len(piece.encode("utf-16-le", "surrogatepass")) // 2
            text = piece.rstrip("\r" + _HYPHEN)
            stripped = _LEADERS.sub(" …", " ".join(text.translate(_LIGATURES).split()))
            if stripped:
                before = len(text) - len(text.lstrip())
                first = raw.FPDFText_GetCharIndexFromTextIndex(textpage, offset + before)
                last = raw.FPDFText_GetCharIndexFromTextIndex(textpage, offset + max(len(text.rstrip()) - 1, before))
                left, baseline, size, right = _geometry(raw, textpage, first, last)
                # PDFium signs no hyphen that ends a page
                broken = piece.endswith(_HYPHEN) or _BROKEN.search(stripped) is not None
                yield Line(stripped.rstrip("-‐") if broken else stripped, left, right, baseline, size, broken)
            offset += units + (0 if piece.endswith(_HYPHEN) else 1)
    finally:
        textpage.close()


def _geometry(raw: Any, textpage: Any, first: int, last: int) -> tuple[float, float, float, float]:
    """Left end, baseline, font size and right end of a line, in points; zeros where PDFium doesn't say."""
    x, y = ctypes.c_double(), ctypes.c_double()
    raw.FPDFText_GetCharOrigin(textpage, first, x, y)
    # the font size is in units of the text's own matrix; the box says how large it is on the page
    box = raw.FS_RECTF()
    size = float(raw.FPDFText_GetFontSize(textpage, first))
    if raw.FPDFText_GetLooseCharBox(textpage, first, box):
        size = box.top - box.bottom
    right = box.right
    if raw.FPDFText_GetLooseCharBox(textpage, last, box):
        right = box.right
    return x.value, y.value, size, right
