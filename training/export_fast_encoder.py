"""Write the graph that embeds whole corpora: the encoder's, with half of its products in 8 bits.

python -m training.export_fast_encoder

Half of the multiplications (query, key, value and the first of the two feed-forward layers) are done in 8 bits; the
second feed-forward layer stays exact, since its inputs have outliers that 8 bits would drown the rest in. Before a
product each channel of its input is divided by a number and the matching row of the weights multiplied by it, which
evens the channels out (SmoothQuant: Xiao, Lin, Seznec, Wu, Demouth & Han 2023). The ranges are measured on articles of
`training/data` and fixed in the graph, so a text gets the same vector whatever texts it is embedded with. As in
`encoder.onnx`, no weight is in the file: `index/weights.py` makes the 8-bit ones when it opens the graph.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from index.encoder import open_tokenizer
from index.passages import split_passages
from index.weights import FAST_GRAPH, GRAPH, Graph, read_weights, weights_folder

ARTICLES = Path("training/data/news_train.jsonl.gz")
EXACT = "/output/dense/"  # of attention and of the feed-forward layer
BALANCE = 0.6  # of a channel's range, how much the weights take over
SPARE = 1.15  # ranges are this much wider than what was seen


def export(target: Path = FAST_GRAPH) -> None:
    """Measure the ranges, rewrite the graph, save it with its references and its divisors."""
    references: dict[str, str] = json.loads(GRAPH.with_suffix(".json").read_text(encoding="utf-8"))
    model = onnx.load(str(GRAPH), load_external_data=False)
    chosen = {
        node.name: node
        for node in model.graph.node
        if node.op_type == "MatMul" and node.input[1] in references and EXACT not in node.name
    }
    inputs = list(dict.fromkeys(node.input[0] for node in chosen.values()))
    low, high = _ranges(inputs)
    tensors = read_weights(weights_folder() / "model.safetensors")
    weights = {node.input[1]: tensors[references[node.input[1]].removesuffix("|T")].T for node in chosen.values()}
    divisors: dict[str, NDArray[np.float32]] = {}
    nodes: list[onnx.NodeProto] = []
    dropped: set[str] = set()
    for node in model.graph.node:
        if node.name not in chosen:
            nodes.append(node)
            continue
        source, weight = node.input[0], node.input[1]
        prefix = f"input_{inputs.index(source)}"
        if prefix not in divisors:
            rows = [weights[n.input[1]] for n in chosen.values() if n.input[0] == source]
            tallest = np.max([np.abs(value).max(1) for value in rows], axis=0)
            widest = np.maximum(np.abs(low[source]), np.abs(high[source]))
            divisor = np.maximum(widest, 1e-3) ** BALANCE / np.maximum(tallest, 1e-3) ** (1 - BALANCE)
            divisors[prefix] = (divisor / np.exp(np.log(divisor).mean())).astype(np.float32)
            nodes += _quantised_input(model.graph, prefix, source, low[source], high[source], divisors[prefix])
        reference = references.pop(weight)
        dropped.add(weight)
        for part, kind in (("weight", TensorProto.INT8), ("scale", TensorProto.FLOAT)):
            shape = weights[weight].shape if part == "weight" else weights[weight].shape[1:]
            model.graph.initializer.append(_external(f"{weight}.{part}", kind, shape))
            references[f"{weight}.{part}"] = f"{reference}|{prefix}|{part}"
        arguments = [f"{prefix}.bytes", f"{weight}.weight", f"{prefix}.scale", f"{weight}.scale", f"{prefix}.zero"]
        name = node.output[0]
        nodes.append(
            helper.make_node("MatMulIntegerToFloat", arguments, [name], name=node.name, domain="com.microsoft")
        )
    kept = [value for value in model.graph.initializer if value.name not in dropped]
    for field, values in ((model.graph.node, nodes), (model.graph.initializer, kept)):
        del field[:]
        field.extend(values)
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    onnx.save(model, str(target))
    target.with_suffix(".json").write_text(json.dumps(references, indent=1) + "\n", encoding="utf-8")
    np.savez(target.with_suffix(".npz"), **divisors)
    print(f"{target}: {target.stat().st_size / 1e3:.0f} kB, {len(chosen)} products in 8 bits")


def _ranges(inputs: list[str]) -> tuple[dict[str, NDArray[np.float32]], dict[str, NDArray[np.float32]]]:
    """Least and greatest value of every channel of the named tensors over passages of the training articles."""
    model = onnx.load(str(GRAPH), load_external_data=False)
    model.graph.output.extend(helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in inputs)
    path = GRAPH.with_name("measured.onnx")
    onnx.save(model, str(path))
    path.with_suffix(".json").write_bytes(GRAPH.with_suffix(".json").read_bytes())
    try:
        session = Graph(path, threads=0).session
    finally:
        path.unlink()
        path.with_suffix(".json").unlink()
    with gzip.open(ARTICLES, "rt", encoding="utf-8") as file:
        texts = [json.loads(line)["text"] for line in file]
    passages = [passage.text for text in texts for passage in split_passages(text)][::8]
    low = {name: np.full(384, np.inf, np.float32) for name in inputs}
    high = {name: np.full(384, -np.inf, np.float32) for name in inputs}
    for encoding in open_tokenizer().encode_batch(passages):
        ids = np.array([encoding.ids], np.int64)
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        for name, value in zip(inputs, session.run(inputs, feed), strict=True):
            low[name] = np.minimum(low[name], value.min((0, 1)))
            high[name] = np.maximum(high[name], value.max((0, 1)))
    return low, high


def _quantised_input(
    graph: onnx.GraphProto,
    prefix: str,
    source: str,
    low: NDArray[np.float32],
    high: NDArray[np.float32],
    divisor: NDArray[np.float32],
) -> list[onnx.NodeProto]:
    """Nodes that turn a tensor into bytes, `prefix.bytes`, with fixed `prefix.scale` and `prefix.zero`."""
    least, greatest = SPARE * float((low / divisor).min()), SPARE * float((high / divisor).max())
    scale = (greatest - least) / 255
    constants = {
        "factor": (1 / divisor).astype(np.float32),
        "scale": np.array(scale, np.float32),
        "zero": np.array(np.clip(round(-least / scale), 0, 255), np.uint8),
    }
    graph.initializer.extend(numpy_helper.from_array(value, f"{prefix}.{name}") for name, value in constants.items())
    return [
        helper.make_node("Mul", [source, f"{prefix}.factor"], [f"{prefix}.even"], name=f"{prefix}.even"),
        helper.make_node(
            "QuantizeLinear",
            [f"{prefix}.even", f"{prefix}.scale", f"{prefix}.zero"],
            [f"{prefix}.bytes"],
            name=f"{prefix}.bytes",
        ),
    ]


def _external(name: str, kind: int, shape: tuple[int, ...]) -> onnx.TensorProto:
    value = onnx.TensorProto(name=name, data_type=kind, dims=shape, data_location=onnx.TensorProto.EXTERNAL)
    entry = value.external_data.add()
    entry.key, entry.value = "location", "given-at-load"
    return value


if __name__ == "__main__":
    export()
