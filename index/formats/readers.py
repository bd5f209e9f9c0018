"""Which reader reads which kind of file."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from index.errors import DocumentError
from index.formats.extract import Extract
from index.formats.limits import MAX_BYTES, MAX_HTML_BYTES, MAX_PACKED_BYTES

__all__ = ["byte_limit", "read_bytes", "run_reader"]

_FROM_BYTES = {
    "text": ("text", "read_text"),
    "markdown": ("markdown", "read_markdown"),
    "html": ("webpage", "read_webpage"),
    "subtitles": ("subtitles", "read_subtitles"),
    "table": ("table", "read_table"),
}
_FROM_PATH = {"pdf": ("pdf", "read_pdf"), "docx": ("docx", "read_docx"), "epub": ("epub", "read_epub")}


def byte_limit(kind: str) -> int:
    """How large a file of this kind may be."""
    if kind in _FROM_PATH:
        return MAX_PACKED_BYTES
    return MAX_HTML_BYTES if kind == "html" else MAX_BYTES


def run_reader(kind: str, path: Path) -> Extract:
    """Read the file at `path` as `kind`, in this process.

    Raises:
        DocumentError: it cannot be read; the message does not name the file.
        OSError: it cannot be opened.
    """
    module, function = _FROM_PATH[kind] if kind in _FROM_PATH else _FROM_BYTES[kind]
    reader = getattr(import_module(f"index.formats.{module}"), function)
    extract: Extract = reader(path if kind in _FROM_PATH else read_bytes(path, byte_limit(kind)))
    return extract


def read_bytes(path: Path, limit: int) -> bytes:
    """All bytes of a file.

    Raises:
        DocumentError: there are more than `limit` (it may have grown since it was looked at).
        OSError: it cannot be opened.
    """
    with path.open("rb") as file:
        raw = file.read(limit + 1)
    if len(raw) > limit:
        raise DocumentError(f"is larger than {limit / 1e6:.0f} MB; split the file")
    return raw
