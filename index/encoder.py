"""Text -> unit vectors with all-MiniLM-L6-v2, over the same weights in two ways.

`OnnxEncoder` needs only onnxruntime and tokenizers and opens in a fraction of a second: it embeds questions exactly,
and whole corpora fast. `SentenceTransformerEncoder` serves other models and GPUs. Tests hold their vectors together.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from index.errors import ModelError
from index.weights import FAST_GRAPH, GRAPH, REINSTALL, Graph, check_weights, weights_folder

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

__all__ = ["ENCODER_NAME", "OnnxEncoder", "SentenceTransformerEncoder", "check_weights", "cores", "weights_folder"]

ENCODER_NAME = "all-MiniLM-L6-v2"
DIMENSION = 384
MAX_TOKENS = 256
BATCH_TOKENS = 512  # what a core's cache holds: larger batches are no faster, and padding would be


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class OnnxEncoder:
    """all-MiniLM-L6-v2 through onnxruntime. Thread-safe.

    Args:
        threads: cores to use within one call; 0 takes all there are.
        fast: half of the multiplications in 8 bits, which is a quarter faster and for passages only: their cosine with
            the exact vectors is 0.999 on average. A text's vector does not depend on the texts embedded with it.

    Raises:
        ModelError: weights, graph or tokenizer are missing or damaged.
    """

    name = ENCODER_NAME
    dimension = DIMENSION

    def __init__(self, threads: int = 0, *, fast: bool = False) -> None:
        self._threads = threads if threads > 0 else cores()
        # one thread inside the graph: batches on different cores need not wait for each other after every layer
        self._graph = Graph(FAST_GRAPH if fast else GRAPH, threads=1)
        self._tokenizer = open_tokenizer()

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed `texts`, truncated to 256 tokens each: (len(texts), 384) float32, rows of length 1."""
        ids = [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]
        vectors = np.empty((len(texts), DIMENSION), np.float32)

        def embed(batch: list[int]) -> None:
            padded = np.zeros((len(batch), len(ids[batch[0]])), np.int64)
            mask = np.zeros_like(padded)
            for row, number in enumerate(batch):
                length = len(ids[number])
                padded[row, :length] = ids[number]
                mask[row, :length] = 1
            vectors[batch] = self._graph.run(padded, mask)

        batches = list(_batches([len(one) for one in ids], BATCH_TOKENS))
        if self._threads == 1 or len(batches) < 2:
            for batch in batches:
                embed(batch)
        else:
            with ThreadPoolExecutor(self._threads) as pool:
                list(pool.map(embed, batches))
        return vectors


def _batches(lengths: Sequence[int], most: int) -> Iterator[list[int]]:
    """Numbers of texts in batches of like length, longest first, at most `most` tokens each with their padding."""
    batch: list[int] = []
    for number in sorted(range(len(lengths)), key=lambda number: -lengths[number]):
        if batch and (len(batch) + 1) * lengths[batch[0]] > most:
            yield batch
            batch = []
        batch.append(number)
    if batch:
        yield batch


def open_tokenizer() -> Any:
    """The encoder's tokenizer, truncating at 256 tokens. Raises ModelError when it is missing or damaged."""
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(weights_folder() / "tokenizer.json"))
    except Exception as error:  # tokenizers raises bare exceptions
        raise ModelError(f"the encoder's tokenizer cannot be loaded ({error}); {REINSTALL}") from error
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    return tokenizer


class SentenceTransformerEncoder:
    """Any sentence-transformers model, all-MiniLM-L6-v2 by default. Imports torch, which takes seconds.

    Args:
        model: a model folder, or None for the default.
        progress: called with the number of texts done so far, for a progress bar.

    Raises:
        ModelError: the weights are missing or cannot be loaded.
    """

    def __init__(self, model: str | None = None, *, progress: Callable[[int], None] | None = None) -> None:
        if model is None:
            check_weights()
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging

        logging.disable_progress_bar()  # of loading the weights; the caller shows one for the work itself
        self.name = ENCODER_NAME if model is None else Path(model).name
        self._progress = progress
        try:
            self._model: SentenceTransformer = SentenceTransformer(
                model or str(weights_folder()), local_files_only=True
            )
        except (OSError, ValueError) as error:
            raise ModelError(f"the encoder {self.name} cannot be loaded ({error})") from error
        self.dimension = int(self._model.get_embedding_dimension() or DIMENSION)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed `texts`: (len(texts), dimension) float32, rows of length 1."""
        vectors = np.empty((len(texts), self.dimension), np.float32)
        for begin in range(0, len(texts), 256):
            part = self._model.encode(
                list(texts[begin : begin + 256]), batch_size=32, normalize_embeddings=True, show_progress_bar=False
            )
            vectors[begin : begin + 256] = part
            if self._progress is not None:
                self._progress(min(begin + 256, len(texts)))
        return vectors
