"""The shipped int8 reader -> a Hugging Face folder to train on from; what int8 rounded off is soon learnt again.

python -m training.restore qa/model --like READER --to DIR
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from transformers import AutoConfig, AutoModelForQuestionAnswering

from training.smooth import SUFFIX

# the matrix products of a layer in the order of the graph; a BERT's query, key and value are one fused weight
_DENSE = ("attention.output.dense", "intermediate.dense", "output.dense")
_MPNET = (*(f"attention.attn.{name}" for name in "qkvo"), "intermediate.dense", "output.dense")
_TOKENIZER = ("tokenizer.json", "tokenizer_config.json")
_FILES = ("config.json", *_TOKENIZER)


class RestoreError(ValueError):
    """The graph is not one that `training.export` wrote."""


def weights(graph: onnx.GraphProto) -> dict[str, torch.Tensor]:
    """The reader's parameters by their Hugging Face names, float32.

    Raises:
        RestoreError: a weight is missing, or there are others than an exported reader has.
    """
    held = {value.name: numpy_helper.to_array(value) for value in graph.initializer}
    plain = {name: _plain(held, name) for name in _names(held)}
    for name, factor in _smoothed(graph, held):
        plain[name] = plain[name] * factor[:, None]
    found: dict[str, torch.Tensor] = {}
    # matrix products without a name of their own, in the order of the graph: some a layer, then the head
    products = sorted((name for name in plain if "MatMul_" in name), key=lambda name: int(name.rsplit("_", 1)[1]))
    fused = sum(name.endswith("_qkv_weight") for name in plain)
    kind, parts = ("bert", _DENSE) if fused else ("mpnet", _MPNET)
    layers = fused or len(products) // len(parts)
    if not layers or len(products) != len(parts) * layers + 1:
        raise RestoreError(f"{len(products)} matrix products for {layers} layers; was this made by training.export?")
    for layer in range(layers):
        prefix = f"{kind}.encoder.layer.{layer}"
        if fused:
            for name, value in _separate(plain, layer):
                found[f"{prefix}.attention.self.{name}"] = _tensor(value)
        for number, name in enumerate(parts):
            found[f"{prefix}.{name}.weight"] = _tensor(plain[products[len(parts) * layer + number]].T)
    found["qa_outputs.weight"] = _tensor(plain[products[-1]].T)
    for name, value in plain.items():
        if name.startswith("model."):
            found[name.removeprefix("model.")] = _tensor(value)
    return found


def _separate(plain: dict[str, NDArray[np.float32]], layer: int) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Query, key and value of a fused attention, by their names in the layer."""
    weight, bias = plain[f"Attention_{layer}_qkv_weight"].T, plain[f"Attention_{layer}_qkv_bias"]
    for kind, value in (("weight", weight), ("bias", bias)):
        for part, name in zip(np.split(value, 3), ("query", "key", "value"), strict=True):
            yield f"{name}.{kind}", part


def _smoothed(
    graph: onnx.GraphProto, held: dict[str, NDArray[np.float32]]
) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Names of the weights that `training.smooth` has changed, with what takes that back."""
    factors = {
        node.output[0]: held[node.input[1]] for node in graph.node if node.input[1:2] and node.input[1].endswith(SUFFIX)
    }
    quantised = {
        node.output[0]: factors[node.input[0]] for node in graph.node if node.input and node.input[0] in factors
    }
    for node in graph.node:
        if node.op_type.startswith("MatMul") and (node.input[0] in quantised or node.input[0] in factors):
            factor = quantised.get(node.input[0], factors.get(node.input[0]))
            yield node.input[1].removesuffix("_quantized"), factor


def _names(held: dict[str, NDArray[np.float32]]) -> set[str]:
    return {name.removesuffix("_quantized") for name in held if not name.endswith(("_scale", "_zero_point"))}


def _plain(held: dict[str, NDArray[np.float32]], name: str) -> NDArray[np.float32]:
    if name in held:
        return held[name]
    zero = held[f"{name}_zero_point"].astype(np.float32)
    return (held[f"{name}_quantized"].astype(np.float32) - zero) * held[f"{name}_scale"].astype(np.float32)


def _tensor(value: NDArray[np.float32]) -> torch.Tensor:
    return torch.from_numpy(np.array(value, dtype=np.float32, order="C"))


def restore(folder: Path, like: Path, target: Path) -> None:
    """Write `target` as a Hugging Face folder with the weights of `folder`.

    `like` gives the tokenizer, and the configuration but for the number of layers.

    Raises:
        RestoreError: `folder` does not hold an exported reader, or one of another shape than `like`.
    """
    missing_files = [name for name in _FILES if not (like / name).is_file()]
    if missing_files:
        raise RestoreError(f"{like} has no {' and no '.join(missing_files)}; give a whole Hugging Face folder")
    found = weights(onnx.load(folder / "reader.onnx").graph)
    config = AutoConfig.from_pretrained(like)
    config.num_hidden_layers = 1 + max(
        int(name.split(".layer.")[1].split(".")[0]) for name in found if ".layer." in name
    )
    model = AutoModelForQuestionAnswering.from_config(config, dtype=torch.float32)
    try:
        missing, unexpected = model.load_state_dict(found, strict=False)
    except (KeyError, RuntimeError) as error:
        raise RestoreError(f"{folder} does not match {like}: {str(error)[:200]}") from error
    if unexpected or any(not name.endswith("position_ids") for name in missing):
        raise RestoreError(f"{folder} does not match {like}: missing {missing[:3]}, too many {unexpected[:3]}")
    target.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(target)
    for name in _TOKENIZER:
        shutil.copyfile(like / name, target / name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--like", type=Path, required=True, help="Hugging Face folder of the same architecture")
    parser.add_argument("--to", type=Path, required=True)
    options = parser.parse_args()
    restore(options.folder, options.like, options.to)


if __name__ == "__main__":
    main()
