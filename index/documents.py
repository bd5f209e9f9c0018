"""A file on disk -> a Document."""

from __future__ import annotations

import re
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from index.errors import DocumentError
from index.formats.characters import one_line, printable
from index.formats.extract import Extract, shortened
from index.formats.guard import read_guarded
from index.formats.readers import byte_limit, run_reader
from index.formats.sniff import HEAD_BYTES, KINDS, kind_of
from index.types import Document

__all__ = ["SUFFIXES", "find_documents", "read_document", "title_of"]

SUFFIXES = frozenset(KINDS)
TITLE_LENGTH = 80
AUTHOR_LENGTH = 200

_STAMP = re.compile(r"^\W*(?:date\W*)?\d{4}-\d{2}-\d{2}\W*", re.IGNORECASE)
_MARKUP = re.compile(r"^[#>*\s]+")


def find_documents(
    folder: Path,
    skipped: Callable[[DocumentError], None] | None = None,
    ignored: Callable[[Path, bool], bool] | None = None,
) -> Iterator[Path]:
    """Yield the files under `folder` that have one of SUFFIXES, sorted.

    Hidden files and folders and the folder's own README.md are passed over. Links to folders are never followed, so
    no loop can catch it; a link to a file is, when the file lies under `folder`: what is outside stays outside.

    Args:
        skipped: told of what would have been taken but for being a link not followed, a folder that cannot be
            listed, or no regular file.
        ignored: asked about every path with whether it is a folder; what it says yes to is passed over, with all in it.

    Raises:
        DocumentError: `folder` is not a folder.
    """
    if not folder.is_dir():
        raise DocumentError(f"{printable(folder)} is not a folder; name the folder that holds the articles")
    root = folder.resolve()
    waiting = [folder]
    while waiting:
        path = waiting.pop()
        kind = "folder" if path == folder else _kind_of_entry(path, root)
        if kind in ("folder", "file") and path != folder and ignored is not None and ignored(path, kind == "folder"):
            continue
        if kind == "folder":
            try:
                inside = sorted(path.iterdir(), reverse=True)
            except OSError as error:
                kind = f"cannot be listed ({error.strerror or error}); allow reading it"
            else:
                waiting += [entry for entry in inside if not entry.name.startswith(".")]
                continue
        if kind == "file":
            if path.suffix.lower() in SUFFIXES and path != folder / "README.md":
                yield path
        elif kind is not None and skipped is not None:
            skipped(DocumentError(f"{printable(path)}: {kind}"))


def _kind_of_entry(path: Path, root: Path) -> str | None:
    """ "folder", "file", None for what is no concern of ours, else the reason why it is passed over."""
    wanted = path.suffix.lower() in SUFFIXES
    try:
        if path.is_symlink():
            target = path.resolve(strict=True)
            if target.is_dir():
                return "is a link to a folder, which is not followed; add that folder itself"
            if not wanted:
                return None
            if not target.is_relative_to(root):
                return "is a link that leads outside the folder, which is not followed; add the file itself"
            return "file" if target.is_file() else "is a link to something that is no file"
        if path.is_dir():
            return "folder"
        if not wanted:
            return None
        return "file" if path.is_file() else "is no regular file"
    except (OSError, RuntimeError):  # RuntimeError: how older Pythons tell a loop of links
        return "is a link that leads nowhere or back to itself; remove it" if wanted else None


def read_document(path: Path, name: str | None = None) -> Document:
    """Read one file, whatever its format (SUFFIXES); what it is is told by its content, its suffix only helps.

    Plain text is kept as it is but for line ends and control characters. Of other formats the text is what a reader
    would see, in paragraphs, and the document has sections. `text` is never empty, and neither it nor the labels and
    names hold control characters (but ``\\n`` and ``\\t``) or lone surrogates.

    Args:
        name: the document's name; the file's own by default. Bytes that are no UTF-8 are escaped in it.

    Raises:
        DocumentError: the file cannot be opened, holds no text, is too large (index/formats/limits.py), damaged,
            encrypted, or of a format not read here. The message names it and says what to do.
    """
    try:
        kind, extract = _extract(path)
        if not extract.text.strip():
            raise DocumentError("holds no text")
    except DocumentError as error:
        raise DocumentError(f"{printable(path)}: {error}") from error
    except OSError as error:
        raise DocumentError(f"{printable(path)}: cannot be read ({error.strerror or error})") from error
    title = shortened(one_line(extract.title or ""), TITLE_LENGTH)
    if not title:
        # the first words of a film or a table say little
        stem = one_line(printable(path.stem))
        title = stem if kind in ("subtitles", "table") else title_of(extract.text, stem)
    author = shortened(one_line(extract.author or ""), AUTHOR_LENGTH)
    return Document(
        name=(name if name is not None else path.name).encode("utf-8", "backslashreplace").decode(),
        title=title,
        text=extract.text,
        sections=extract.sections,
        author=author or None,
        date=extract.date,
    )


def _extract(path: Path) -> tuple[str, Extract]:
    status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        raise DocumentError("is a folder, not a file; add it as a folder")
    if not stat.S_ISREG(status.st_mode):
        raise DocumentError("is no regular file; copy what it gives into one")
    # judged by its suffix first, so that a huge file is never opened; then by what it turns out to be
    _check_size(status.st_size, KINDS.get(path.suffix.lower(), "text"))
    if status.st_size == 0:
        raise DocumentError("holds no text (0 bytes)")
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    kind = kind_of(path, head)
    _check_size(status.st_size, kind)
    # plain text has no parser that could fail, and needs no other process
    return kind, (run_reader(kind, path) if kind == "text" else read_guarded(kind, path))


def _check_size(size: int, kind: str) -> None:
    limit = byte_limit(kind)
    if size > limit:
        raise DocumentError(f"{size / 1e6:.0f} MB, the limit is {limit / 1e6:.0f} MB; split the file")


def title_of(text: str, fallback: str) -> str:
    """The first line with letters in it, without a leading date stamp or heading marks, cut to about 80 characters."""
    for line in text.splitlines():
        line = _STAMP.sub("", _MARKUP.sub("", line)).strip()
        if any(character.isalpha() for character in line):
            return shortened(line, TITLE_LENGTH)
    return fallback
