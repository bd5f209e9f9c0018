"""The index and Answerer one gets without asking for any, the articles in `seeds/`, and those of collections."""

from __future__ import annotations

import dataclasses
import logging
import threading
from collections.abc import Callable
from pathlib import Path

from index.build import BuildReport, add_files
from index.collections import collection_folder
from index.database import FILE_NAME
from index.encoder import ENCODER_NAME, OnnxEncoder
from index.errors import DocumentError, StoreError, StoreWriteError
from index.handle import Index
from index.store import SqliteStore
from index.types import Encoder
from qa.config import Config, temporary_index_folder
from qa.pipeline import Answerer, index_exists
from qa.types import Answer

__all__ = ["answer", "build", "open_or_build"]

_log = logging.getLogger("qa")
_answerers: dict[Config, Answerer] = {}
_lock = threading.Lock()


def answer(question: str, *, index: Index | Path | str | None = None, config: Config | None = None) -> Answer:
    """Answer a question from the articles in `seeds/`, those `config` names, or an `index` of one's own.

    The first call opens the models and, when there is no index yet, builds it; later calls take milliseconds. Safe to
    call from several threads.

    Args:
        index: an open Index, the folder of one, or the name of a collection; nothing is built then.

    Raises:
        QuestionError: the question is empty or too long.
        DocumentError: there are no articles to answer from.
        StoreError, ModelError: the index or a model file is missing or damaged; the message says how to mend it.
    """
    config = config if config is not None else Config()
    if index is not None:
        folder = index.path if isinstance(index, Index) else collection_folder(index)
        config = dataclasses.replace(config, index=folder, seeds=None)
    with _lock:
        answerer = _answerers.get(config)
        if answerer is None:
            answerer = _answerers[config] = open_or_build(config)
    return answerer.ask(question)


def open_or_build(config: Config, progress: Callable[[int, int], None] | None = None) -> Answerer:
    """Open the index of `config`; build it first when there is none, or an empty one.

    Where the index folder cannot be written, a temporary one is used for this process and a warning is logged.

    Raises:
        DocumentError: there is nothing to build from: no seeds folder, or no readable text file in it.
        StoreError, ModelError: the index or a model file is missing or damaged.
    """
    if index_exists(config.index):
        answerer = Answerer.open(config)
        if config.seeds is None or answerer.store.counts()[0]:
            return answerer
        answerer.close()
    if config.seeds is None:
        raise StoreError(f"there is no index at {config.index}; `qa add --collection NAME PATH` makes one")
    _log.info("building an index of %s in %s", config.seeds, config.index)
    try:
        report = build(config, progress=progress)
    except StoreWriteError as error:
        config = dataclasses.replace(config, index=temporary_index_folder())
        _log.warning("%s. Using %s this time.", error, config.index)
        report = build(config, progress=progress)
    if not report.written and not report.unchanged:
        why = f" ({report.failed[0]})" if report.failed else ""
        raise DocumentError(f"{config.seeds} holds no readable text file{why}; put .txt or .md files there")
    return Answerer.open(config)


def build(
    config: Config,
    *,
    fresh: bool = False,
    progress: Callable[[int, int], None] | None = None,
    encoder: Callable[[], Encoder] | None = None,
) -> BuildReport:
    """Bring the index of `config` into step with its seeds folder; only what changed is embedded.

    Args:
        fresh: set the present index file aside (it is renamed, not deleted) and build anew.
        progress: called with (passages embedded, passages to embed, as far as is known).
        encoder: makes the encoder for the corpus; `bulk_encoder` by default.

    Raises:
        DocumentError: the seeds folder is not there.
        StoreError: the index cannot be opened or written, or `config` names no seeds.
    """
    seeds = config.seeds
    if seeds is None:
        raise StoreError(f"{config.index} is a collection, which has no folder of articles; use `qa add` or `qa sync`")
    if not seeds.is_dir():
        raise DocumentError(f"{seeds} is not a folder; name the folder that holds the articles")
    if fresh:
        set_aside(config.index)
    store = SqliteStore(config.index, encoder_name=ENCODER_NAME, dimension=OnnxEncoder.dimension, create=True)
    try:
        return add_files(
            store,
            [seeds],
            encoder if encoder is not None else bulk_encoder,
            synchronise=True,
            words=config.passage_words,
            overlap=config.passage_overlap,
            progress=progress,
        )
    finally:
        store.close()


def bulk_encoder() -> Encoder:
    """The encoder for whole corpora: onnxruntime on all cores. Imports no torch."""
    return OnnxEncoder(fast=True)


def set_aside(folder: Path) -> Path | None:
    """Rename the index file in `folder` so that a new one can be built. Returns its new path, if there was one."""
    path = folder / FILE_NAME
    if not path.exists():
        return None
    number = 1
    while (aside := folder / f"{FILE_NAME}.old-{number}").exists():
        number += 1
    try:
        path.rename(aside)
        for suffix in ("-wal", "-shm"):
            side = folder / f"{FILE_NAME}{suffix}"
            if side.exists():
                side.rename(folder / f"{aside.name}{suffix}")
    except OSError as error:
        raise StoreError(f"cannot set {path} aside ({error.strerror})") from error
    return aside
