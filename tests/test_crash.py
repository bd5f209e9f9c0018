"""Whatever stops a process at whatever moment, the index is whole, and what was reported done is there."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from crashing import NAMES, SMALL, State, after, check, content, do, opened, step

from index.database import Connection
from index.saved import SAVED_NAME
from index.store import SqliteStore

HERE = Path(__file__).parent
ALONE = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": f"{HERE.parent}:{HERE}"}
STRESS = bool(os.environ.get("QA_STRESS"))


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, constant, value in SMALL:
        monkeypatch.setattr(module, constant, value)


def run(*arguments: str) -> dict[str, Any]:
    command = [sys.executable, str(HERE / "crashing.py"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=ALONE, timeout=900, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def test_killed_at_random_moments(tmp_path: Path) -> None:
    """20 kills, or 200 with QA_STRESS=1: during puts, replacements, removals, batches and while FAISS is made."""
    kills = 200 if STRESS else 20
    cut = run("kill", str(tmp_path / "index"), str(kills), "1")
    assert sum(cut.values()) > kills / 2
    if STRESS:
        assert set(cut) >= {"put", "batch", "settle"}


def test_two_write_and_ten_ask(tmp_path: Path) -> None:
    figures = run("crowd", str(tmp_path / "index"), "20" if STRESS else "3")
    assert figures["written"] >= 4
    assert figures["fewest_asked"] >= 1
    # twelve processes share the cores there are; waiting for a lock in vain takes 30 s
    assert figures["longest_s"] < 10


def test_readers_do_not_wait_for_a_writer_and_its_lock_goes_with_it(tmp_path: Path) -> None:
    store = opened(tmp_path)
    document, passages, vectors = content(NAMES[1], 1)
    store.put(document, "1", passages, vectors)
    code = """
        import sys, time
        from pathlib import Path
        from crashing import NAMES, content, opened
        store = opened(Path(sys.argv[1]))
        with store.batch(), store._dense.upkeep._alone(False) as alone:
            document, passages, vectors = content(NAMES[2], 2)
            store.put(document, "2", passages, vectors)
            print(alone, flush=True)
            time.sleep(600)
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=ALONE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "True\n"
        begin = time.monotonic()
        assert store.digests() == {NAMES[1]: "1"}
        assert store.dense(vectors[0], 1)[0][1] > 0.999
        assert store.lexical(document.name, 3)
        other = opened(tmp_path)  # opening to write does not wait, either
        assert other.counts()[0] == 1
        assert time.monotonic() - begin < 5
        with store._dense.upkeep._alone(False) as alone:
            assert not alone
        process.send_signal(signal.SIGKILL)
        process.wait()
    begin = time.monotonic()
    third, passages, vectors = content(NAMES[3], 3)
    other.put(third, "3", passages, vectors)
    with store._dense.upkeep._alone(False) as alone:
        assert alone
    assert time.monotonic() - begin < 5
    assert check(other, [{NAMES[1]: 1, NAMES[3]: 3}])
    other.close()
    store.close()


class Cut(BaseException):
    """Stands for whatever may stop a process: a signal, a lack of memory."""


class Fault:
    """Makes the n-th statement fail, before or after it is carried out."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, error: BaseException, *, late: bool) -> None:
        self.left: int | None = None
        self.thread = threading.get_ident()  # not in what goes on in the background
        self.error, self.late = error, late
        for name in ("execute", "executemany"):
            monkeypatch.setattr(Connection, name, self._failing(getattr(sqlite3.Connection, name)))

    def _failing(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def statement(connection: Connection, *arguments: Any) -> Any:
            if self.left is None or threading.get_ident() != self.thread:
                return real(connection, *arguments)
            self.left -= 1
            if self.left == 0:
                self.left = None
                if self.late:
                    real(connection, *arguments)
                raise self.error
            return real(connection, *arguments)

        return statement


FAULTS = [(Cut(), False), (Cut(), True), (sqlite3.OperationalError("disk I/O error"), False), (MemoryError(), True)]
DOES = {
    "add": [("put", NAMES[5], 9)],
    "replace": [("put", NAMES[1], 9)],
    "remove": [("remove", NAMES[1], 9)],
    "batch": [("put", NAMES[0], 9), ("put", NAMES[6], 9), ("remove", NAMES[2], 9)],
}


@pytest.mark.parametrize("error, late", FAULTS)
@pytest.mark.parametrize("what", DOES)
def test_a_fault_at_each_statement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, late: bool, what: str
) -> None:
    store = opened(tmp_path)
    state: State = {}
    for number in range(4):
        actions = [("put", NAMES[number], number)]
        do(store, actions)
        state = after(state, actions)
    fault = Fault(monkeypatch, error, late=late)
    for nth in range(1, 100):
        fault.left = nth
        try:
            do(store, DOES[what])
        except BaseException:
            fault.left = None
            expected = [state, after(state, DOES[what])] if late else [state]
            if check(store, expected) != state:  # it failed after the commit: done, though not reported
                break
        else:
            break
    fault.left = None
    assert nth > 6
    do(store, DOES[what])
    check(store, [after(state, DOES[what])])
    store.close()


@pytest.mark.parametrize("fails", ["write_index", "fsync", "replace"])
@pytest.mark.parametrize("had_one", [False, True])
def test_a_fault_while_the_dense_index_is_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str, had_one: bool
) -> None:
    import faiss

    def fill(store: SqliteStore, first: int) -> State:
        state: State = {}
        for number in range(14):
            do(store, [("put", NAMES[number], first + number)])
            state[NAMES[number]] = first + number
        return state

    store = opened(tmp_path)
    if had_one:
        fill(store, 0)
        store.settle()
    state = fill(store, 100)
    before = (tmp_path / SAVED_NAME).read_bytes() if had_one else None

    def broken(*_: object) -> None:
        raise OSError("no room")

    with monkeypatch.context() as patch:
        if fails == "write_index":
            patch.setattr(faiss, "write_index", broken)
        elif fails == "fsync":
            patch.setattr(os, "fsync", broken)
        else:
            patch.setattr(Path, "replace", broken)
        store.settle()  # asking goes on with what is in memory
        check(store, [state])
    store.close()
    after_it = (tmp_path / SAVED_NAME).read_bytes() if (tmp_path / SAVED_NAME).exists() else None
    assert after_it == before
    store = opened(tmp_path)
    check(store, [state])
    store.settle()
    check(store, [state])
    assert (tmp_path / SAVED_NAME).exists()
    assert not list(tmp_path.glob("*.part"))
    store.close()


def test_steps_do_what_their_names_say() -> None:
    """The stress test tests something: all kinds of steps come up, and batches are of several."""
    kinds = {action[0] for number in range(60) for action in step(number, 1, NAMES)}
    assert kinds == {"put", "remove", "settle", "ask"}
    assert any(len(step(number, 1, NAMES)) == 5 for number in range(60))
