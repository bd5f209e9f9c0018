"""What a file is, by its first bytes; its suffix only tells apart what is text."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

from index.errors import DocumentError
from index.formats.subtitles import TIMING

__all__ = ["HEAD_BYTES", "KINDS", "kind_of"]

HEAD_BYTES = 4096

KINDS = {
    ".txt": "text",
    ".text": "text",
    ".md": "markdown",
    ".markdown": "markdown",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".pdf": "pdf",
    ".docx": "docx",
    ".epub": "epub",
    ".srt": "subtitles",
    ".vtt": "subtitles",
    ".csv": "table",
    ".tsv": "table",
}
_PACKED = frozenset({"pdf", "docx", "epub"})

# First bytes of what is often renamed or met by mistake -> what it is, and what to do.
_OTHERS: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG", "is a PNG picture; make its text readable with OCR and add that"),
    (b"\xff\xd8\xff", "is a JPEG picture; make its text readable with OCR and add that"),
    (b"GIF8", "is a GIF picture; make its text readable with OCR and add that"),
    (b"II*\x00", "is a TIFF picture; make its text readable with OCR and add that"),
    (b"MM\x00*", "is a TIFF picture; make its text readable with OCR and add that"),
    (b"\xd0\xcf\x11\xe0", "is an old or an encrypted Office file; save it as .docx without a password"),
    (b"{\\rtf", "is an RTF file; save it as .docx or .txt"),
    (b"\x1f\x8b", "is a gzip archive; unpack it and add what is in it"),
    (b"BZh", "is a bzip2 archive; unpack it and add what is in it"),
    (b"\xfd7zXZ", "is an xz archive; unpack it and add what is in it"),
    (b"7z\xbc\xaf", "is a 7z archive; unpack it and add what is in it"),
    (b"Rar!", "is a RAR archive; unpack it and add what is in it"),
    (b"\x7fELF", "is a program"),
    (b"SQLite format 3", "is a SQLite database; export what is to be read as CSV"),
    (b"BOOKMOBI", "is a Kindle book; convert it to EPUB"),
    (b"ITOLITLS", "is a Microsoft Reader book; convert it to EPUB"),
    (b"AT&TFORM", "is a DjVu file; convert it to PDF"),
    (b"%!PS", "is a PostScript file; convert it to PDF"),
    (b"OggS", "is a sound file; add a transcript"),
    (b"ID3", "is a sound file; add a transcript"),
    (b"RIFF", "is a sound, film or picture file; add a transcript"),
)
_HTML = re.compile(r"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_BEFORE_HTML = re.compile(r"\s+|<\?xml[^>]*>|<!--.*?-->", re.DOTALL)
_TIMINGS = re.compile(rf"\A\s*(?:\d{{1,6}}[ \t]*\n)?{TIMING.pattern.removeprefix('^')}")


def kind_of(path: Path, head: bytes) -> str:
    """One of the values of KINDS. `head`: the file's first HEAD_BYTES.

    Raises:
        DocumentError: it is something else, named in the message.
    """
    if b"%PDF-" in head[:1024]:
        return "pdf"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _kind_of_archive(path)
    for magic, message in _OTHERS:
        if head.startswith(magic) or (magic == b"BOOKMOBI" and head[60:68] == magic):
            raise DocumentError(message)
    if head[4:8] == b"ftyp":
        raise DocumentError("is a film, sound or picture file; add a transcript")
    kind = KINDS.get(path.suffix.lower(), "text")
    text = _as_text(head)
    if _is_html(text):
        return "html"
    if text.startswith("WEBVTT") or (kind == "text" and _TIMINGS.match(text)):
        return "subtitles"
    if kind in _PACKED:
        if "\x00" in text or b"\x00" in head.rstrip(b"\x00"):
            raise DocumentError(f"is not a {kind.upper()} file although it is named so; copy or export it again")
        return "text"
    return kind


def _is_html(text: str) -> bool:
    """Whether, after white space, comments and an XML declaration, a page begins."""
    position = 0
    while match := _BEFORE_HTML.match(text, position):
        position = match.end()
    return _HTML.match(text, position) is not None


def _as_text(head: bytes) -> str:
    for mark, encoding in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"), (b"\xef\xbb\xbf", "utf-8")):
        if head.startswith(mark):
            return head.decode(encoding, "replace").lstrip("\ufeff")
    return head.decode("latin-1")


def _kind_of_archive(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as file:
            names = set(file.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError) as error:
        raise DocumentError("is damaged: a ZIP archive that is cut off; copy or export it again") from error
    if any(re.fullmatch(r"word/document\d*\.xml", name) for name in names):
        return "docx"
    if "META-INF/container.xml" in names:
        return "epub"
    if "xl/workbook.xml" in names:
        raise DocumentError("is an Excel workbook; save the sheet that is to be read as CSV")
    if "ppt/presentation.xml" in names:
        raise DocumentError("is a PowerPoint presentation; save it as PDF")
    if "content.xml" in names and "META-INF/manifest.xml" in names:
        raise DocumentError("is an OpenDocument file; save it as .docx or PDF")
    raise DocumentError("is a ZIP archive; unpack it and add what is in it")
