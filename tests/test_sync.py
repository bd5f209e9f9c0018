"""An index follows files and folders."""

import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from conftest import WordEncoder
from numpy.typing import NDArray

import index.build as building
from index.build import BuildReport, add_document, add_files, build_folder, plan_files
from index.errors import StoreError
from index.store import SqliteStore
from index.types import Document


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "texts"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.txt").write_text("The ferry is called Aurora.")
    (folder / "sub" / "b.txt").write_text("The captain is Ines Vogt.")
    return folder


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of files that are read as documents."""
    names: list[str] = []
    real = building.read_document

    def read(path: Path, name: str | None = None) -> Document:
        names.append(path.name)
        return real(path, name)

    monkeypatch.setattr(building, "read_document", read)
    return names


def sync(store: SqliteStore, *paths: Path | str) -> BuildReport:
    return add_files(store, list(paths), WordEncoder, synchronise=True)


def names(store: SqliteStore) -> list[str]:
    return [entry.name for entry in store.entries()]


def age(path: Path) -> None:
    """Make a file look as if it had been written a minute ago, so that its time can be trusted."""
    status = path.stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns - 60_000_000_000))


def test_what_is_new_changed_or_gone_is_followed(store: SqliteStore, folder: Path) -> None:
    assert sync(store, folder).written == ("a.txt", "sub/b.txt")
    assert sync(store, folder).unchanged == ("a.txt", "sub/b.txt")
    (folder / "a.txt").write_text("The ferry is called Borea.")
    (folder / "sub" / "b.txt").unlink()
    (folder / "c.txt").write_text("The bell is bronze.")
    plan = plan_files(store, [folder], synchronise=True)
    assert (plan.new, plan.changed, plan.remove) == (("c.txt",), ("a.txt",), ("sub/b.txt",))
    assert names(store) == ["a.txt", "sub/b.txt"]  # a plan does nothing
    done = sync(store, folder)
    assert (sorted(done.written), done.removed) == (["a.txt", "c.txt"], ("sub/b.txt",))
    assert names(store) == ["a.txt", "c.txt"]
    assert store.lexical("Borea", 3)
    assert not store.lexical("Aurora Ines", 3)
    assert store.problems() == []


def test_unchanged_files_are_not_read_again(store: SqliteStore, folder: Path, reads: list[str]) -> None:
    age(folder / "a.txt")
    age(folder / "sub" / "b.txt")
    sync(store, folder)
    assert reads == ["a.txt", "b.txt"]
    sync(store, folder)
    os.utime(folder / "a.txt")  # another time, the same content
    assert sync(store, folder).unchanged == ("a.txt", "sub/b.txt")
    assert reads == ["a.txt", "b.txt"]
    before = (folder / "a.txt").stat()
    (folder / "a.txt").write_text("The ferry is called Aurorb.")
    os.utime(folder / "a.txt", ns=(before.st_atime_ns, before.st_mtime_ns))
    # same size and time, but within the tick of the clock in which it was last looked at
    assert sync(store, folder).written == ("a.txt",)


def test_a_lost_or_damaged_memory_of_files_costs_only_time(store: SqliteStore, folder: Path, reads: list[str]) -> None:
    sync(store, folder)
    for content in (None, b"not a database at all, whatever its name says, and long enough to be one"):
        for path in store.folder.glob("files.db*"):
            path.unlink()
        if content is not None:
            (store.folder / "files.db").write_bytes(content)
        reads.clear()
        assert sync(store, folder).unchanged == ("a.txt", "sub/b.txt")
        assert reads == ["a.txt", "b.txt"]


def test_adding_never_removes(store: SqliteStore, folder: Path) -> None:
    add_files(store, [folder], WordEncoder)
    (folder / "a.txt").unlink()
    assert add_files(store, [folder], WordEncoder).removed == ()
    assert names(store) == ["a.txt", "sub/b.txt"]


def test_only_documents_of_the_folder_are_removed(store: SqliteStore, folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "texts-of-others"  # begins with the folder's name
    other.mkdir()
    (other / "x.txt").write_text("The oven is hot.")
    add_document(store, WordEncoder(), Document("memo", "Memo", "Handed over."))
    sync(store, folder)
    sync(store, other)
    (other / "x.txt").unlink()
    (folder / "a.txt").unlink()
    assert sync(store, folder).removed == ("a.txt",)
    assert names(store) == ["memo", "sub/b.txt", "x.txt"]
    assert sync(store, folder / "sub").removed == ()
    assert names(store) == ["memo", "sub/b.txt", "x.txt"]


def test_the_same_name_in_two_folders(store: SqliteStore, tmp_path: Path) -> None:
    for place in ("one/notes", "two/notes", "three"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "a.txt").write_text(f"This is {place}.")
    for place in ("one/notes", "two/notes", "three"):
        sync(store, tmp_path / place)
    assert names(store) == ["a.txt", "notes/a.txt", "three/a.txt"]
    for place in ("three", "two/notes", "one/notes"):  # a name once given stays
        assert sync(store, tmp_path / place).written == ()
    assert names(store) == ["a.txt", "notes/a.txt", "three/a.txt"]
    assert add_files(store, [tmp_path / "one", tmp_path / "three" / "a.txt"], WordEncoder).written == ()


def test_a_folder_that_was_moved_keeps_its_documents(store: SqliteStore, folder: Path, tmp_path: Path) -> None:
    sync(store, folder)
    moved = tmp_path / "elsewhere"
    folder.rename(moved)
    (moved / "a.txt").write_text("Now something else.")
    done = sync(store, moved)
    assert (done.written, done.unchanged) == (("a.txt",), ("sub/b.txt",))
    assert names(store) == ["a.txt", "sub/b.txt"]
    assert all(str(entry.source).startswith(str(moved)) for entry in store.entries())
    assert sync(store, moved).written == ()


def test_files_globs_and_what_is_not_there(store: SqliteStore, folder: Path) -> None:
    done = add_files(store, [folder / "sub" / "b.txt", str(folder / "*.txt"), folder / "no.txt", "no-*"], WordEncoder)
    assert done.written == ("b.txt", "a.txt")
    assert [str(error).split(": ")[1] for error in done.failed] == ["there is no such file or folder"] * 2


def test_one_bad_file_never_stops_the_others(store: SqliteStore, folder: Path) -> None:
    sync(store, folder)
    (folder / "a.txt").write_bytes(b"\x00\x01")
    (folder / "empty.txt").touch()
    (folder / "gone.txt").symlink_to(folder / "nowhere.txt")
    (folder / "z.txt").write_text("The bell is bronze.")
    done = sync(store, folder)
    assert done.written == ("z.txt",)
    assert sorted(str(error).split(": ")[0].rsplit("/", 1)[1] for error in done.failed)[:2] == ["a.txt", "empty.txt"]
    assert names(store) == ["a.txt", "sub/b.txt", "z.txt"]  # what stood there before is kept


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_cannot_be_read_keeps_its_documents(store: SqliteStore, folder: Path) -> None:
    sync(store, folder)
    (folder / "sub").chmod(0)
    try:
        done = sync(store, folder)
    finally:
        (folder / "sub").chmod(0o700)
    assert done.removed == ()
    assert "sub" in str(done.failed[0])


def test_strange_names_and_loops(store: SqliteStore, folder: Path) -> None:
    (folder / "new\nline.txt").write_text("The bell is bronze.")
    (folder / os.fsdecode(b"caf\xe9.txt")).write_text("The coffee is black.")
    (folder / "sub" / "loop").symlink_to(folder)
    (failed,) = sync(store, folder).failed
    assert "loop: is a link to a folder, which is not followed" in str(failed)
    assert sorted(names(store)) == ["a.txt", "caf\\udce9.txt", "new\nline.txt", "sub/b.txt"]
    done = sync(store, folder)
    assert (len(done.unchanged), done.removed) == (4, ())


def test_ignore_files(store: SqliteStore, folder: Path) -> None:
    for name in ("drafts/d.txt", "sub/deep/e.txt", "sub/keep.txt", "log.txt"):
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).write_text(f"This is {name}.")
    sync(store, folder)
    assert len(names(store)) == 6
    (folder / ".gitignore").write_text("drafts/\n*.txt\n!a.txt\n[")
    (folder / ".qaignore").write_text("!log.txt\n")
    (folder / "sub" / ".qaignore").write_text("!keep.txt\n/deep/\n")
    assert sync(store, folder).removed == ("drafts/d.txt", "sub/b.txt", "sub/deep/e.txt")
    assert names(store) == ["a.txt", "log.txt", "sub/keep.txt"]
    (folder / ".gitignore").unlink()
    assert sync(store, folder).written == ("drafts/d.txt", "sub/b.txt")


def test_another_way_of_cutting_reads_all_anew(store: SqliteStore, folder: Path) -> None:
    sync(store, folder)
    assert len(add_files(store, [folder], WordEncoder, words=40).written) == 2
    assert add_files(store, [folder], WordEncoder, words=40).written == ()


class SlowEncoder(WordEncoder):
    """Calls back before each chunk."""

    def __init__(self, before: Callable[[int], None]) -> None:
        self.before = before
        self.chunks = 0

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.before(self.chunks)
        self.chunks += 1
        return super().encode(texts)


def many(folder: Path, number: int, sentences: int = 30) -> None:
    for n in range(number):
        (folder / f"{n:03}.txt").write_text(" ".join(f"Line {s} of text {n} stands here." for s in range(sentences)))


def test_ctrl_c_keeps_what_is_finished_and_the_next_run_goes_on(store: SqliteStore, tmp_path: Path) -> None:
    many(tmp_path, 300)

    def interrupt(chunk: int) -> None:
        if store.counts()[0] > 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        add_files(store, [tmp_path], lambda: SlowEncoder(interrupt))
    done = len(names(store))
    assert 20 < done < 300
    assert store.problems() == []
    second = add_files(store, [tmp_path], WordEncoder)
    assert len(second.written) == 300 - done
    assert len(second.unchanged) == done
    deadline = time.monotonic() + 5
    while (left := {t.name for t in threading.enumerate()} & {"reading", "writing"}) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not left


def test_documents_of_all_sizes_get_their_own_vectors(store: SqliteStore, tmp_path: Path) -> None:
    many(tmp_path, 3, sentences=2)
    many(tmp_path, 1, sentences=4000)  # far more passages than are embedded at a time
    told: list[tuple[int, int]] = []
    add_files(store, [tmp_path], WordEncoder, progress=lambda done, total: told.append((done, total)))
    passages = store.counts()[1]
    assert passages > 300
    assert told[-1] == (passages, passages)
    assert all(done <= total for done, total in told)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    for document in store.documents().values():
        for passage in store.passages_of(document.id)[::50]:
            identifier, cosine = store.dense(WordEncoder().encode([passage.text])[0], 1)[0]
            assert cosine == pytest.approx(1.0, abs=1e-5)
            assert store.passages([identifier])[0].text == passage.text


def test_an_index_that_cannot_be_written_is_told(
    store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many(tmp_path, 200)
    real = store.put
    count = 0

    def put(*arguments: object, **options: object) -> int:
        nonlocal count
        count += 1
        if count > 5:
            raise StoreError("the disk is full")
        return real(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "put", put)
    with pytest.raises(StoreError, match="the disk is full"):
        add_files(store, [tmp_path], WordEncoder)
    assert len(names(store)) == 5


def test_reading_goes_on_while_embedding(store: SqliteStore, tmp_path: Path, reads: list[str]) -> None:
    many(tmp_path, 120, sentences=60)
    ahead: list[int] = []

    def wait(chunk: int) -> None:
        if chunk == 0:
            before = len(reads)
            deadline = time.monotonic() + 5
            while len(reads) <= before and time.monotonic() < deadline:
                time.sleep(0.01)
            ahead.append(len(reads) - before)

    add_files(store, [tmp_path], lambda: SlowEncoder(wait))
    assert ahead[0] > 0
    assert len(names(store)) == 120


def test_build_folder_counts_documents(store: SqliteStore, folder: Path) -> None:
    told: list[tuple[int, int]] = []
    build_folder(store, folder, WordEncoder, progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 2), (2, 2)]
