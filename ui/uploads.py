"""Documents that people add for themselves: received, read, indexed, asked by their browser alone, and removed.

One thread does the reading and indexing, file by file, browsers in turn, at a low priority, so that nobody's question
waits for somebody's book.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import TypeVar

from index.documents import SUFFIXES, read_document
from index.errors import DocumentError, IndexingError
from index.types import Document
from qa.pipeline import Answerer
from ui import logs
from ui.intake import PREFIX, GoneError, Watched, remove_leftovers, step_back
from ui.options import Options
from ui.shelf import FAILED, INDEXING, READING, Shelf, Upload, stored_name

__all__ = ["CHARACTERS_PER_PAGE", "RefusedError", "Uploads", "clean_name"]

CHARACTERS_PER_PAGE = 3000
T = TypeVar("T")
_LEFT_SECONDS = 60.0  # between closing the last tab and removing: a reload closes and opens
_NAME_LENGTH = 120
_MOST_WAITING = 50  # files that have arrived and are not read yet, of all browsers together
_UNWANTED = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


class RefusedError(Exception):
    """A file is not taken; the message is for people, `status` for HTTP."""

    def __init__(self, message: str, status: int = 422) -> None:
        super().__init__(message)
        self.status = status


def clean_name(name: str) -> str:
    """A file's name without folders and marks that could pass it off as another.

    Raises:
        RefusedError: nothing is left, or it is of a format that is not read.
    """
    name = PurePosixPath(_UNWANTED.sub("", name).replace("\\", "/")).name.strip()
    stem, suffix = PurePosixPath(name).stem, PurePosixPath(name).suffix
    if not stem.strip(". ") or suffix.lower() not in SUFFIXES:
        known = ", ".join(sorted(suffix.removeprefix(".") for suffix in SUFFIXES))
        raise RefusedError(f"of no format that is read here ({known})", 415)
    return stem[:_NAME_LENGTH] + suffix


class Uploads:
    """All browsers' shelves, by their session tokens.

    Args:
        answerer: whose models read and embed.
        options: the limits.
    """

    def __init__(self, answerer: Answerer, options: Options) -> None:
        self.options = options
        self._answerer = answerer
        remove_leftovers()
        self._folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))  # only this user's
        self._shelves: dict[str, Shelf] = {}
        self._left: dict[str, float] = {}
        self._jobs: deque[tuple[Shelf, Upload]] = deque()
        self._changed = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._work, name="uploads", daemon=True)
        self._thread.start()

    def shelf(self, token: str | None) -> Shelf | None:
        """The shelf of a browser that has one."""
        return None if token is None else self._shelves.get(token)

    def ask(self, token: str | None, work: Callable[[Answerer | None], T]) -> T:
        """The result of `work`, given the Answerer of what this browser has added (None: nothing that is ready)."""
        shelf = self.shelf(token)
        return work(None) if shelf is None else shelf.ask(work)

    def opened(self, token: str, name: str) -> Shelf:
        """The shelf of a browser, made when it has none, that is about to get a file of this name.

        Raises:
            RefusedError: it has too many files, too many browsers have some, or too many wait.
        """
        with self._changed:
            if len(self._jobs) >= _MOST_WAITING:
                raise RefusedError("many documents are waiting to be read here; please try again in a while", 503)
            shelf = self._shelves.get(token)
            if shelf is None:
                if len(self._shelves) >= self.options.upload_browsers:
                    raise RefusedError("Too many people have documents here just now; please try again later.", 503)
                shelf = self._shelves[token] = Shelf(Path(tempfile.mkdtemp(dir=self._folder)), self._answerer)
            shelf.used = time.monotonic()
            if len([u for u in shelf.uploads() if u.name != name]) >= self.options.upload_files:
                raise RefusedError(
                    f"You have {self.options.upload_files} documents here, the most there can be; remove one first."
                )
            return shelf

    def received(self, shelf: Shelf, name: str, path: Path) -> Upload:
        """Take a file that has arrived at `path`; it is moved away from there and indexed in its turn."""
        upload = shelf.add(name, path.stat().st_size)
        path.replace(shelf.path_of(upload.id))
        with self._changed:
            self._jobs.append((shelf, upload))
            self._changed.notify_all()
        return upload

    # -- coming and going ---------------------------------------------------------------------------------------

    def seen(self, token: str, tab: str) -> None:
        """A tab of this browser is open."""
        with self._changed:
            self._left.pop(token, None)
            shelf = self._shelves.get(token)
            if shelf is not None:
                shelf.used = time.monotonic()
                shelf.tabs.add(tab[:40])

    def left(self, token: str, tab: str) -> None:
        """A tab of this browser was closed; with the last one goes, in a minute, all that it added."""
        with self._changed:
            shelf = self._shelves.get(token)
            if shelf is not None:
                shelf.tabs.discard(tab[:40])
                if not shelf.tabs:
                    self._left[token] = time.monotonic()

    def sweep(self) -> None:
        """Remove the shelves of browsers that have gone or were not heard of for too long."""
        now = time.monotonic()
        with self._changed:
            idle = 60 * self.options.upload_idle_minutes
            gone = {token for token, shelf in self._shelves.items() if now - shelf.used > idle}
            gone |= {token for token, since in self._left.items() if now - since > _LEFT_SECONDS}
            closing = [self._shelves.pop(token) for token in gone if token in self._shelves]
            for token in gone:
                self._left.pop(token, None)
            self._jobs = deque((shelf, upload) for shelf, upload in self._jobs if shelf not in closing)
        for shelf in closing:
            logs.event("uploads-removed", files=len(shelf.uploads()))
            shelf.close()

    def close(self) -> None:
        """Remove everything. Nothing may be asked or added afterwards."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
            shelves = list(self._shelves.values())
            self._shelves.clear()
            self._jobs.clear()
        for shelf in shelves:
            shelf.close()
        self._thread.join(timeout=10)
        shutil.rmtree(self._folder, ignore_errors=True)

    # -- the thread that reads and indexes ----------------------------------------------------------------------

    def _work(self) -> None:
        step_back()
        last: Shelf | None = None
        while True:
            with self._changed:
                if not self._jobs and not self._stopping:
                    self._changed.wait(timeout=5)
                if self._stopping:
                    return
                job = next((job for job in self._jobs if job[0] is not last), self._jobs[0] if self._jobs else None)
                if job is not None:
                    self._jobs.remove(job)
            self.sweep()
            if job is not None:
                last = job[0]
                self._take_in(*job)

    def _take_in(self, shelf: Shelf, upload: Upload) -> None:
        begin = time.monotonic()
        path = shelf.path_of(upload.id)
        problem: str | None = None
        try:
            if shelf.change(upload.id, state=READING):
                document = self._read(shelf, upload, path)
                encoder = Watched(
                    self._answerer.encoder,
                    lambda done: shelf.change(upload.id, progress=done),
                    begin + self.options.upload_seconds,
                )
                shelf.index(upload.id, document, encoder)
        except GoneError:
            pass
        except (RefusedError, DocumentError) as error:
            problem = str(error).removeprefix(f"{path}: ")
        except TimeoutError:
            problem = f"it takes longer than {self.options.upload_seconds} seconds; split it into smaller files"
        except (IndexingError, OSError, ValueError, MemoryError) as error:
            logs.event("upload-error", error=type(error).__name__)
            problem = "it could not be indexed; please try again"
        finally:
            path.unlink(missing_ok=True)
        if problem is not None:
            shelf.change(upload.id, state=FAILED, message=problem)
        logs.event(
            "upload", bytes=upload.size, suffix=PurePosixPath(upload.name).suffix.lower(), ok=problem is None,
            seconds=round(time.monotonic() - begin, 2),
        )  # fmt: skip

    def _read(self, shelf: Shelf, upload: Upload, path: Path) -> Document:
        # the reader goes by the suffix too, and the title of a text without one is the file's name
        named = path.with_name(f"{upload.id}{PurePosixPath(upload.name).suffix.lower()}")
        path.replace(named)
        try:
            document = read_document(named, stored_name(upload.name))
        except DocumentError as error:
            raise RefusedError(str(error).removeprefix(f"{named}: ")) from error
        finally:
            named.unlink(missing_ok=True)
        had = sum(other.characters for other in shelf.uploads() if other.id != upload.id)
        most, size = self.options.upload_characters, len(document.text)
        if had + size > most:
            raise RefusedError(
                f"it holds about {_pages(size)} of text; together your documents can have {_pages(most)}"
                + (f", and have {_pages(had)} already" if had else "")
            )
        numbered = sum(section.label.startswith("p. ") for section in document.sections)
        changes = {"state": INDEXING, "characters": size, "pages": numbered}
        if not shelf.change(upload.id, **changes):
            raise GoneError
        if document.title == upload.id:
            return Document(
                document.name, PurePosixPath(upload.name).stem, document.text, 0,
                document.sections, document.author, document.date,
            )  # fmt: skip
        return document


def _pages(characters: int) -> str:
    count = max(1, round(characters / CHARACTERS_PER_PAGE))
    return "1 page" if count == 1 else f"{count:,} pages"
