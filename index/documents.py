"""A file on disk -> a Document."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from index.errors import DocumentError
from index.types import Document

__all__ = ["SUFFIXES", "find_documents", "read_document", "title_of"]

SUFFIXES = frozenset({".txt", ".md", ".text"})
MAX_BYTES = 50_000_000
TITLE_LENGTH = 80

_STAMP = re.compile(r"^\W*(?:date\W*)?\d{4}-\d{2}-\d{2}\W*", re.IGNORECASE)
_MARKUP = re.compile(r"^[#>*\s]+")


def find_documents(
    folder: Path,
    skipped: Callable[[DocumentError], None] | None = None,
    ignored: Callable[[Path, bool], bool] | None = None,
) -> Iterator[Path]:
    """Yield the text files under `folder`, sorted; hidden files and the folder's own README.md are passed over.

    Links to folders are never followed, so no loop can catch it.

    Args:
        skipped: told of a folder that cannot be listed.
        ignored: asked about every path with whether it is a folder; what it says yes to is passed over, with all in it.

    Raises:
        DocumentError: `folder` is not a folder.
    """
    if not folder.is_dir():
        raise DocumentError(f"{folder} is not a folder; name the folder that holds the articles")
    waiting = [folder]
    while waiting:
        path = waiting.pop()
        if path == folder or (path.is_dir() and not path.is_symlink()):
            if path != folder and ignored is not None and ignored(path, True):
                continue
            try:
                waiting += [entry for entry in sorted(path.iterdir(), reverse=True) if not entry.name.startswith(".")]
            except OSError as error:
                if skipped is not None:
                    skipped(DocumentError(f"{path}: cannot be listed ({error.strerror or error}); allow reading it"))
        elif path.suffix.lower() in SUFFIXES and path.is_file() and path != folder / "README.md":
            if ignored is not None and ignored(path, False):
                continue
            yield path


def read_document(path: Path, name: str | None = None) -> Document:
    """Read one text file. Line ends become ``\\n``; nothing else of the text is changed.

    Raises:
        DocumentError: the file cannot be opened, is empty, too large, or is not text.
    """
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise DocumentError(f"{path}: {size / 1e6:.0f} MB, the limit is {MAX_BYTES / 1e6:.0f} MB; split the file")
        raw = path.read_bytes()
    except OSError as error:
        raise DocumentError(f"{path}: cannot be read ({error.strerror or error})") from error
    text = _decode(raw, path).replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise DocumentError(f"{path}: holds no text")
    return Document(name=name if name is not None else path.name, title=title_of(text, path.stem), text=text)


def _decode(raw: bytes, path: Path) -> str:
    for encoding in ("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig",):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            text = _guess(raw, path)
    if "\x00" in text:
        raise DocumentError(f"{path}: is not text (it holds NUL bytes); convert it to plain text first")
    return text


def _guess(raw: bytes, path: Path) -> str:
    if b"\x00" in raw:
        raise DocumentError(f"{path}: is not text (it holds NUL bytes); convert it to plain text first")
    from charset_normalizer import from_bytes

    best = from_bytes(raw).best()
    if best is None:
        raise DocumentError(f"{path}: is not text in any encoding known here; save it as UTF-8")
    return str(best)


def title_of(text: str, fallback: str) -> str:
    """The first line with letters in it, without a leading date stamp or heading marks, cut to about 80 characters."""
    for line in text.splitlines():
        line = _STAMP.sub("", _MARKUP.sub("", line)).strip()
        if any(character.isalpha() for character in line):
            if len(line) <= TITLE_LENGTH:
                return line
            return line[:TITLE_LENGTH].rsplit(" ", 1)[0].rstrip(",;:. ") + "…"
    return fallback
