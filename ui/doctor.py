"""`qa doctor`: is everything there and whole? Each check says what is wrong and how to mend it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from index.encoder import ENCODER_NAME, OnnxEncoder, check_weights
from index.errors import IndexingError
from index.store import SqliteStore
from qa.config import Config
from qa.pipeline import Answerer, index_exists
from qa.reader import check_model

__all__ = ["Finding", "examine", "network_blocked"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One check and how it went."""

    what: str
    well: bool
    detail: str


@contextmanager
def network_blocked() -> Iterator[None]:
    """Let every attempt to open an internet connection fail while inside; Unix sockets still work."""
    real = socket.socket.connect

    def refuse(self: socket.socket, address: object) -> None:
        if self.family != getattr(socket, "AF_UNIX", None):
            raise OSError(f"the network is blocked: something tried to reach {address}")
        real(self, address)  # type: ignore[arg-type]

    socket.socket.connect = refuse  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        socket.socket.connect = real  # type: ignore[method-assign]


def examine(config: Config) -> Iterator[Finding]:
    """Run every check with the network blocked and yield how each went. Nothing is changed or built."""
    with network_blocked():
        yield _check("encoder", _encoder)
        yield _check("reader", lambda: _reader(config))
        yield _check("index", lambda: _index(config))
        yield _check("question", lambda: _question(config))


def _check(what: str, run: Callable[[], str]) -> Finding:
    try:
        return Finding(what, True, run())
    except (IndexingError, OSError, ValueError) as error:
        return Finding(what, False, str(error))


def _encoder() -> str:
    check_weights()
    return f"{ENCODER_NAME}, checksum right"


def _reader(config: Config) -> str:
    folders = [config.model] if config.second is None else [config.model, config.second]
    for folder in folders:
        check_model(folder)
    return f"{' and '.join(str(folder) for folder in folders)}, checksums right"


def _open(config: Config) -> SqliteStore:
    return SqliteStore(config.index, encoder_name=ENCODER_NAME, dimension=OnnxEncoder.dimension)


def _index(config: Config) -> str:
    store = _open(config)
    try:
        problems = store.problems()
        if problems:
            raise ValueError(f"{'; '.join(problems[:3])}; run `qa build --fresh` to set it aside and build anew")
        documents, passages = store.counts()
    finally:
        store.close()
    if documents == 0:
        fill = "fill it with `qa add`" if config.seeds is None else f"put files in {config.seeds} and run `qa build`"
        raise ValueError(f"{config.index} is empty; {fill}")
    return f"{config.index}, {documents} documents, {passages} passages, intact"


def _question(config: Config) -> str:
    if not index_exists(config.index):
        raise ValueError("not asked, since there is no index; run `qa build`")
    answerer = Answerer.open(config)
    document = next(iter(answerer.store.documents().values()))
    answer = answerer.ask(f"what is {document.title}?")
    if not answer.passages:
        raise ValueError("the index found no passage for a question about its own document; run `qa build --fresh`")
    return f"asked about {document.title!r}, {len(answer.passages)} passages found, read without the network"
