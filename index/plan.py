"""What bringing an index into step with files and folders would do, before anything is done."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from index.documents import find_documents
from index.errors import DocumentError
from index.files import Seen, hash_of
from index.ignore import Ignored
from index.types import Entry

__all__ = ["Found", "Plan", "find", "make_plan", "source_of"]


@dataclass(frozen=True, slots=True)
class Found:
    """A file to take in: its path, the name of its document, and how it was when it was found.

    `seen` is what is remembered of it, if its document is in the index; `replaces` whether the index holds a document
    of that name, and `moved` whether that was read from another file, which is gone.
    """

    path: Path
    name: str
    source: str
    size: int
    mtime_ns: int
    seen: Seen | None = None
    replaces: bool = False
    moved: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be done: files to read (new ones, and those that may have changed), names to remove, names that stay.

    `failed` says what could not even be looked at; `hashed` are files of a new time but the old content.
    """

    read: tuple[Found, ...]
    remove: tuple[str, ...]
    unchanged: tuple[str, ...]
    failed: tuple[DocumentError, ...]
    hashed: tuple[Seen, ...]

    @property
    def new(self) -> tuple[str, ...]:
        """Names of documents that are not in the index yet."""
        return tuple(found.name for found in self.read if not found.replaces)

    @property
    def changed(self) -> tuple[str, ...]:
        """Names of documents whose files have changed, or were never read by this program."""
        return tuple(found.name for found in self.read if found.replaces)


def source_of(path: Path) -> str:
    """A path without ".." as it is kept: absolute, bytes that are no UTF-8 escaped."""
    return str(path.absolute()).encode("utf-8", "backslashreplace").decode()


def find(paths: Iterable[Path | str], failed: list[DocumentError]) -> Iterator[tuple[Path, Path]]:
    """(folder, file) for every document among files, folders and globs, each file once.

    A folder is searched with all that is in it, but for what its ignore files leave out. What cannot be found or looked
    into is appended to `failed`.
    """
    taken: set[Path] = set()
    for given in paths:
        path = Path(given)
        matches = [path]
        if not path.exists() and not path.is_symlink() and glob.has_magic(str(given)):
            # not Path.glob, which takes no absolute pattern
            matches = sorted(Path(match) for match in glob.glob(str(given), recursive=True))  # noqa: PTH207
        if not matches or not matches[0].exists():
            failed.append(DocumentError(f"{_shown(path)}: there is no such file or folder"))
            continue
        for match in matches:
            folder, files = _files(match, failed)
            for file in files:
                if file not in taken:
                    taken.add(file)
                    yield folder, file


def _files(path: Path, failed: list[DocumentError]) -> tuple[Path, list[Path]]:
    if not path.is_dir():
        folder = path.parent.resolve()
        return folder, [folder / path.name]
    folder = path.resolve()
    try:
        return folder, list(find_documents(folder, failed.append, Ignored(folder)))
    except DocumentError as error:
        failed.append(error)
        return folder, []


def make_plan(
    files: Iterable[tuple[Path, Path]],
    entries: Sequence[Entry],
    digests: dict[str, str],
    seen: dict[str, Seen],
    recipe: str,
    failed: list[DocumentError],
    synchronised: Sequence[Path] = (),
) -> Plan:
    """Compare files with an index.

    Args:
        files: (folder, file) pairs, as from `find`.
        entries, digests: what the index holds.
        seen: what is remembered of files.
        recipe: how documents are cut, the beginning of every digest that is up to date.
        synchronised: folders whose vanished or ignored files' documents are to be removed.
    """
    names = _Names(entries)
    read: list[Found] = []
    unchanged: list[str] = []
    hashed: list[Seen] = []
    present: set[str] = set()
    for folder, path in files:
        source = source_of(path)
        present.add(source)
        name, replaces, moved = names.of(folder, path, source)
        known = seen.get(source)
        valid = known is not None and digests.get(name) == known.digest and known.digest.startswith(recipe)
        try:
            status = path.stat()
            if known is not None and valid and not moved:
                if known.is_same(status.st_size, status.st_mtime_ns):
                    unchanged.append(name)
                    continue
                if known.size == status.st_size and hash_of(path) == known.sha256:
                    hashed.append(Seen(source, status.st_size, status.st_mtime_ns, known.sha256, known.digest))
                    unchanged.append(name)
                    continue
        except OSError as error:
            failed.append(DocumentError(f"{_shown(path)}: cannot be read ({error.strerror or error})"))
            continue
        read.append(Found(path, name, source, status.st_size, status.st_mtime_ns, known, replaces, moved))
    remove = [entry.name for folder in synchronised for entry in _gone(folder, entries, present, names)]
    return Plan(tuple(read), tuple(dict.fromkeys(remove)), tuple(unchanged), tuple(failed), tuple(hashed))


def _gone(folder: Path, entries: Sequence[Entry], present: set[str], names: _Names) -> Iterator[Entry]:
    root = folder.resolve()
    beneath = source_of(root).rstrip(os.sep) + os.sep
    ignored = Ignored(root)
    for entry in entries:
        if entry.source is None or not entry.source.startswith(beneath) or entry.source in present:
            continue
        # a file that is there but was not found may lie in a folder that cannot be read now: its document stays
        if entry.name not in names.moved and (is_missing(entry.source) or ignored.covers(Path(entry.source))):
            yield entry


def is_missing(source: str) -> bool:
    """Whether there surely is no file at a path; one that may not be looked at counts as there."""
    try:
        os.lstat(source)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


class _Names:
    """Names for files: what the index calls them already, else their path in their folder, made longer on a clash."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._by_source = {entry.source: entry.name for entry in entries if entry.source is not None}
        self._by_name = {entry.name: entry.source for entry in entries}
        self.moved: set[str] = set()

    def of(self, folder: Path, path: Path, source: str) -> tuple[str, bool, bool]:
        """The name for a file, whether the index holds a document of it, and whether that came from another file."""
        if source in self._by_source:
            return self._by_source[source], True, False
        inside = PurePosixPath(path.relative_to(folder).as_posix())
        for above in range(len(folder.parts)):
            name = _shown(PurePosixPath(*folder.parts[len(folder.parts) - above :], inside))
            if name not in self._by_name:
                self._by_name[name] = source
                return name, False, False
            holder = self._by_name[name]
            if holder is not None and holder != source and name not in self.moved and is_missing(holder):
                self.moved.add(name)
                self._by_name[name] = self._by_source[source] = source
                return name, True, True
        return source, False, False


def _shown(path: Path | PurePosixPath) -> str:
    return str(path).encode("utf-8", "backslashreplace").decode()
