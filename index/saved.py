"""The approximate index as a file beside the database: what FAISS writes, then a line that vouches for it."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from index.approximate import Approximate

__all__ = ["SAVED_NAME", "load", "save", "stamp"]

SAVED_NAME = "dense.faiss"
_MAGIC = b"qadense1"
_LONGEST_LABEL = 4096
_BLOCK = 2**20
_log = logging.getLogger(__name__)


def save(approximate: Approximate, folder: Path) -> None:
    """Write it whole or not at all: another file is written and then takes the place of the old one.

    Raises:
        OSError: the folder cannot be written, or there is no room.
    """
    import faiss

    path = folder / f"{SAVED_NAME}.part"
    digest, size = hashlib.sha256(), 0
    with path.open("wb") as file:

        def write(block: bytes) -> int:
            nonlocal size
            digest.update(block)
            size += len(block)
            return file.write(block)

        faiss.write_index(approximate.faiss, faiss.PyCallbackIOWriter(write, _BLOCK))
        label = {
            "identity": approximate.identity,
            "generation": approximate.generation,
            "last_id": approximate.last_id,
            "trained_on": approximate.trained_on,
            "visited": approximate.visited,
            "recall": approximate.recall,
            "dimension": approximate.faiss.d,
            "size": size,
            "sha256": digest.hexdigest(),
        }
        text = json.dumps(label).encode()
        file.write(text + len(text).to_bytes(8, "little") + _MAGIC)
        file.flush()
        os.fsync(file.fileno())
    path.replace(folder / SAVED_NAME)


def load(folder: Path, identity: str, dimension: int, *, newest: int, oldest: int) -> Approximate | None:
    """The saved index of this very database, of a generation from `oldest` to `newest`; None for anything else.

    A file that is damaged, of another database or of the future is as good as none.
    """
    try:
        with (folder / SAVED_NAME).open("rb") as file:
            return _read(file, identity, dimension, lambda generation: oldest <= generation <= newest)
    except FileNotFoundError:
        return None
    # FAISS raises plain RuntimeErrors; whatever is wrong with the file, it is made again from the database
    except Exception as error:
        _log.warning("%s is not used and will be made again: %s", folder / SAVED_NAME, error)
        return None


def stamp(folder: Path) -> tuple[int, int, int] | None:
    """Changes whenever another file has taken the place of the saved one."""
    try:
        status = (folder / SAVED_NAME).stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


def _read(file: BinaryIO, identity: str, dimension: int, fits: Callable[[int], bool]) -> Approximate | None:
    import faiss

    end = file.seek(0, os.SEEK_END)
    file.seek(max(0, end - 16))
    tail = file.read(16)
    length = int.from_bytes(tail[:8], "little")
    if tail[8:] != _MAGIC or not 0 < length <= min(_LONGEST_LABEL, end - 16):
        raise ValueError("it is not whole")
    file.seek(end - 16 - length)
    label = json.loads(file.read(length))
    if label["identity"] != identity or label["dimension"] != dimension or not fits(label["generation"]):
        return None
    size = label["size"]
    if size != end - 16 - length:
        raise ValueError("it is not whole")
    file.seek(0)
    digest, left = hashlib.sha256(), size
    while left:
        block = file.read(min(_BLOCK, left))
        digest.update(block)
        left -= len(block)
    if digest.hexdigest() != label["sha256"]:
        raise ValueError("its checksum is wrong")
    file.seek(0)
    ivf = faiss.read_index(faiss.PyCallbackIOReader(file.read, _BLOCK))
    return Approximate(
        faiss=ivf,
        identity=identity,
        generation=label["generation"],
        last_id=label["last_id"],
        trained_on=label["trained_on"],
        visited=label["visited"],
        recall=label["recall"],
    )
