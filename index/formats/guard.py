"""The parsers' process as its user sees it: a file in, an extract or a DocumentError out, within bounds."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from index.errors import DocumentError
from index.formats.extract import Extract
from index.formats.limits import MAX_MEMORY, MAX_SECONDS
from index.types import Section

__all__ = ["Guard", "read_guarded"]

_PROGRAM = (
    "import sys; sys.path[:] = sys.argv[3:]; from index.formats.worker import serve; "
    "serve(int(sys.argv[1]), int(sys.argv[2]))"
)


class Guard:
    """Runs parsers in a process that is started on first use, kept for the next file, and replaced when it dies.

    Threads take turns. `seconds` bounds one file, `memory` the address space of the process in bytes.
    """

    def __init__(
        self, seconds: float = MAX_SECONDS, memory: int = MAX_MEMORY, command: Sequence[str] | None = None
    ) -> None:
        self._seconds = seconds
        self._memory = memory
        self._command = command
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def read(self, kind: str, path: Path) -> Extract:
        """Read the file at `path` as `kind`.

        Raises:
            DocumentError: it cannot be read, or its parser crashed, took too long or too much memory; the message
                does not name the file.
        """
        request = json.dumps({"kind": kind, "path": os.fsencode(path.absolute()).hex()}).encode() + b"\n"
        with self._lock:
            reused = self._is_running()
            reply = self._ask(request)
            if reused and reply.get("error") in ("memory", "crash"):
                # what earlier files left behind may be to blame: once more, in a fresh process
                self._stop()
                reply = self._ask(request)
            if reply.get("error") in ("memory", "crash", "time"):
                self._stop()
        error = reply.get("error")
        if error is not None:
            raise DocumentError(self._explain(error))
        sections = tuple(Section(start, label) for start, label in reply["sections"])
        return Extract(reply["text"], sections, reply["title"], reply["author"], reply["date"])

    def forget(self) -> None:
        """For a forked process, which has its parent's pipes but must not speak into them."""
        self._lock = threading.Lock()
        self._process = None

    def close(self) -> None:
        """End the process; the next file starts another."""
        with self._lock:
            self._stop()

    def _explain(self, error: str) -> str:
        reasons = {
            "crash": "crashed the program that reads it; export it again or save it as text",
            "time": f"takes longer than {self._seconds:g} s to read; split the file or save it as text",
            "memory": f"takes more than {self._memory / 1e9:.1f} GB of memory to read; split it or save it as text",
        }
        return reasons.get(error, error)

    def _is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _ask(self, request: bytes) -> dict[str, Any]:
        if not self._is_running():
            self._process = self._start()
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            return {"error": "crash"}
        late = threading.Event()

        def end() -> None:
            late.set()
            process.kill()

        clock = threading.Timer(self._seconds, end)
        clock.daemon = True
        clock.start()
        try:
            process.stdin.write(request)
            process.stdin.flush()
            line = process.stdout.readline()
        except OSError:
            line = b""
        except BaseException:  # Ctrl-C: half an answer may be in the pipe
            self._stop()
            raise
        finally:
            clock.cancel()
        if not line.endswith(b"\n"):
            return {"error": "time" if late.is_set() else "crash"}
        reply: dict[str, Any] = json.loads(line)
        return reply

    def _start(self) -> subprocess.Popen[bytes]:
        folders = [entry or str(Path.cwd()) for entry in sys.path]
        limits = [str(int(self._seconds) + 1), str(self._memory)]
        # isolated (-I): nothing in the current folder can pose as a module
        command = self._command or [sys.executable, "-I", "-c", _PROGRAM, *limits, *folders]
        try:
            return subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                # one thread: numpy's libraries reserve memory for each
                env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
                start_new_session=True,
            )
        except OSError as error:
            raise DocumentError(f"cannot be read: no process for its parser ({error.strerror or error})") from error

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                # what was still to be written has no reader any more
                with contextlib.suppress(OSError):
                    pipe.close()


_guard = Guard()
atexit.register(_guard.close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_guard.forget)


def read_guarded(kind: str, path: Path) -> Extract:
    """`Guard.read` in the process that all readers of this program share."""
    return _guard.read(kind, path)
