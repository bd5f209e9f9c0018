"""A driver as a process: started, spoken to, its memory read, ended."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from benchmarks.peers.environments import ROOT

OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HAYSTACK_TELEMETRY_ENABLED": "False",
    "TOKENIZERS_PARALLELISM": "false",
    "QA_LOG_QUESTIONS": "0",
}


LIMIT = 1800.0  # seconds for one answer, a build being the longest


class DriverError(RuntimeError):
    """A driver ended, was too slow or reported an error; holds what it said last."""


def module(name: str) -> str:
    """The module of a peer's driver."""
    return f"benchmarks.peers.drivers.{name}"


class Driver:
    """One running driver; a context manager.

    Args:
        command: starts it.
        settings: what `drivers.wire.Settings` takes; `threads` also bounds the cores that it may use.
        home: a folder of its own for whatever a library keeps in the home directory.
        limit: seconds after which a driver that does not answer is killed.
    """

    def __init__(self, command: Sequence[str], settings: dict[str, Any], home: Path, limit: float = LIMIT) -> None:
        self._limit = limit
        threads = str(settings["threads"])
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))},
            **OFFLINE,
            **dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), threads),
            "PYTHONPATH": str(ROOT),
            "HOME": str(home),
        }
        home.mkdir(parents=True, exist_ok=True)
        self._errors = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115
        self.began = time.perf_counter()
        self._process = subprocess.Popen(
            [*command, json.dumps(settings)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, text=True, encoding="utf-8",
            cwd=home, env=environment,
        )  # fmt: skip
        with contextlib.suppress(AttributeError, OSError):
            allowed = sorted(os.sched_getaffinity(0))[: settings["threads"]]
            os.sched_setaffinity(self._process.pid, allowed)

    def __enter__(self) -> Driver:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def read(self) -> dict[str, Any]:
        """The next line that it writes.

        Raises:
            DriverError: it ended instead, wrote no JSON, or reports an error.
        """
        if self._process.stdout is None:
            raise DriverError("the driver has no output")
        patience = threading.Timer(self._limit, self._process.kill)
        patience.daemon = True
        patience.start()
        try:
            line = self._process.stdout.readline()
        finally:
            patience.cancel()
        try:
            message: dict[str, Any] = json.loads(line)
        except ValueError:
            raise DriverError(f"expected a line of JSON, got {line[:200]!r}; {self._last_words()}") from None
        if "error" in message:
            raise DriverError(f"{message['error']}; {self._last_words()}")
        return message

    def tell(self, **message: Any) -> dict[str, Any]:
        """Send one line and wait for its answer. Raises DriverError as `read` does."""
        self._send(message)
        return self.read()

    def _send(self, message: dict[str, Any]) -> None:
        if self._process.stdin is None:
            raise DriverError("the driver has no input")
        try:
            self._process.stdin.write(json.dumps(message) + "\n")
            self._process.stdin.flush()
        except OSError:
            raise DriverError(f"the driver has ended; {self._last_words()}") from None

    def elapsed(self) -> float:
        """Seconds since the process was started."""
        return time.perf_counter() - self.began

    def peak_bytes(self) -> int:
        """The most memory that the process, and each process it started that still runs, had resident, summed."""
        return sum(_peak(process) for process in _tree(self._process.pid))

    def close(self) -> None:
        """End it: asked first, then killed."""
        with contextlib.suppress(DriverError):
            self._send({"do": "quit"})
        with contextlib.suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.close()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._errors.close()

    def _last_words(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(2)
        self._errors.seek(0)
        lines = self._errors.read().strip().splitlines()[-6:]
        return f"exit code {self._process.returncode}; it last wrote: {' | '.join(lines)[-800:]}"


def _tree(root: int) -> list[int]:
    found, waiting = [], [root]
    while waiting:
        process = waiting.pop()
        found.append(process)
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{process}/task").iterdir():
                with contextlib.suppress(OSError):
                    waiting.extend(int(child) for child in (task / "children").read_text().split())
    return found


def _peak(process: int) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0
