"""Make a graph easier to quantise: what a few channels of the activations have too much of goes into the weights.

Activations are quantised with one scale for a whole tensor, so a channel a hundred times as large as the others leaves
them next to nothing. Dividing it, and multiplying the weights that read it, changes no result (Xiao et al. 2023,
"SmoothQuant", https://arxiv.org/abs/2211.10438).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import helper, numpy_helper

__all__ = ["SUFFIX", "sample_windows", "smooth"]

SUFFIX = "_smooth"  # of the names of the factors
_ALPHA = 0.8  # how much of the difficulty moves into the weights; with 0.5 they suffer more than activations gain
_WINDOWS = 96


def sample_windows(features: Path, count: int = _WINDOWS) -> list[NDArray[np.int64]]:
    """Token ids of some windows of a prepared stage, evenly spread over it."""
    with np.load(features) as held:
        tokens, table = held["tokens"], held["table"]
    chosen = table[np.linspace(0, len(table) - 1, count).astype(int)]
    return [tokens[offset : offset + length].astype(np.int64) for offset, length in chosen[:, :2]]


def smooth(graph: onnx.ModelProto, windows: list[NDArray[np.int64]]) -> None:
    """Change a reader's float graph in place.

    Args:
        graph: with inputs `input_ids` and `attention_mask`.
        windows: what it reads, to see which channels are large.
    """
    weights = {value.name: value for value in graph.graph.initializer}
    readers: dict[str, list[onnx.NodeProto]] = {}
    for node in graph.graph.node:
        if node.op_type == "MatMul" and node.input[1] in weights:
            readers.setdefault(node.input[0], []).append(node)
    largest = _largest(graph, list(readers), windows)
    for name, nodes in readers.items():
        matrices = [numpy_helper.to_array(weights[node.input[1]]) for node in nodes]
        columns = np.max([np.abs(matrix).max(axis=1) for matrix in matrices], axis=0)
        factor = np.sqrt(np.maximum(largest[name], 1e-5)) ** (2 * _ALPHA)
        factor /= np.sqrt(np.maximum(columns, 1e-5)) ** (2 - 2 * _ALPHA)
        factor = (factor / np.exp(np.log(factor).mean())).astype(np.float32)
        for node, matrix in zip(nodes, matrices, strict=True):
            weights[node.input[1]].CopyFrom(numpy_helper.from_array(matrix * factor[:, None], node.input[1]))
        inverse = numpy_helper.from_array(1 / factor, f"{name}{SUFFIX}")
        graph.graph.initializer.append(inverse)
        first = min(number for number, node in enumerate(graph.graph.node) if name in node.input)
        for node in nodes:
            node.input[0] = f"{name}{SUFFIX}ed"
        graph.graph.node.insert(first, helper.make_node("Mul", [name, inverse.name], [f"{name}{SUFFIX}ed"]))


def _largest(
    graph: onnx.ModelProto, names: list[str], windows: list[NDArray[np.int64]]
) -> dict[str, NDArray[np.float32]]:
    """The largest magnitude of every channel of some tensors, over all windows."""
    watched = onnx.ModelProto()
    watched.CopyFrom(graph)
    watched.graph.output.extend(helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in names)
    session = onnxruntime.InferenceSession(watched.SerializeToString(), providers=["CPUExecutionProvider"])
    largest: dict[str, NDArray[np.float32]] = {}
    for found in (session.run(names, feed) for feed in _feeds(windows)):
        for name, value in zip(names, found, strict=True):
            peak = np.abs(value).reshape(-1, value.shape[-1]).max(axis=0)
            largest[name] = np.maximum(largest[name], peak) if name in largest else peak
    return largest


def _feeds(windows: list[NDArray[np.int64]]) -> Iterator[dict[str, NDArray[np.int64]]]:
    for window in windows:
        yield {"input_ids": window[None], "attention_mask": np.ones((1, len(window)), np.int64)}
