"""What taking in other people's documents needs: work that can be watched and stopped, and cleaning up."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.types import Encoder

__all__ = ["PREFIX", "GoneError", "Watched", "remove_leftovers", "step_back"]

PREFIX = "qa-uploads-"  # of a server's temporary folder; its process id follows
_BATCH = 8


class GoneError(Exception):
    """The file was removed while it was being indexed."""


class Watched:
    """An encoder that works in small batches, tells how far it is, and stops when the time is over or nobody waits."""

    def __init__(self, encoder: Encoder, progress: Callable[[float], bool], end: float) -> None:
        self.name = encoder.name
        self.dimension = encoder.dimension
        self._encoder = encoder
        self._progress = progress
        self._end = end

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = np.empty((len(texts), self.dimension), np.float32)
        for begin in range(0, len(texts), _BATCH):
            if not self._progress(begin / len(texts)):
                raise GoneError
            if time.monotonic() > self._end:
                raise TimeoutError
            vectors[begin : begin + _BATCH] = self._encoder.encode(texts[begin : begin + _BATCH])
        return vectors


def step_back() -> None:
    """Let this thread run when no other wants to. Linux gives each thread a priority of its own."""
    if hasattr(os, "setpriority") and os.uname().sysname == "Linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)


def remove_leftovers() -> None:
    """Remove what servers left behind that were killed before they could."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*-*"):
        owner = folder.name.removeprefix(PREFIX).partition("-")[0]
        try:
            if folder.stat().st_uid == os.getuid() and not _alive(int(owner)):
                shutil.rmtree(folder, ignore_errors=True)
        except (OSError, ValueError, AttributeError):  # another user's, or a system without such numbers
            continue


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
