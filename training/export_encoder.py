"""Write the ONNX graph of all-MiniLM-L6-v2 with mean pooling: the graph alone, its weights stay in their package.

python -m training.export_encoder

`index/model/encoder.onnx` leaves each weight external, `encoder.json` beside it names the tensor that belongs there,
and `index/weights.py` hands them over from the pinned package's model.safetensors when it opens a session. So one copy
of the weights serves both this path and sentence-transformers, and none of it lies in the repository.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from transformers import BertModel

from index.weights import GRAPH, weights_folder


class _Embedder(torch.nn.Module):
    """BERT, mean over real tokens, unit length: the three modules that sentence-transformers runs for this model."""

    def __init__(self, bert: torch.nn.Module) -> None:
        super().__init__()
        self.bert = bert

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        tokens = self.bert(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        weight = attention_mask.unsqueeze(-1).to(tokens.dtype)
        mean = (tokens * weight).sum(1) / weight.sum(1).clamp(min=1e-9)
        return torch.nn.functional.normalize(mean, dim=1)


def export(target: Path = GRAPH) -> None:
    """Export, then replace every weight by a reference `key` or `key|T` (transposed) into model.safetensors."""
    bert = BertModel.from_pretrained(weights_folder(), attn_implementation="eager", add_pooling_layer=False).eval()
    ids = torch.ones(2, 8, dtype=torch.long)
    axes = {name: {0: "batch", 1: "sequence"} for name in ("input_ids", "attention_mask")} | {"embedding": {0: "batch"}}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "encoder.onnx"
        torch.onnx.export(
            _Embedder(bert), (ids, ids), str(path), input_names=["input_ids", "attention_mask"],
            output_names=["embedding"], dynamic_axes=axes, opset_version=17, dynamo=False,
        )  # fmt: skip
        model = onnx.load(str(path))
    weights = {name: value.numpy() for name, value in bert.state_dict().items() if value.dtype == torch.float32}
    references: dict[str, str] = {}
    for initializer in model.graph.initializer:
        if initializer.data_type != onnx.TensorProto.FLOAT or np.prod(initializer.dims) < 2:
            continue
        key = _key_of(numpy_helper.to_array(initializer), weights)
        initializer.ClearField("raw_data")
        initializer.data_location = onnx.TensorProto.EXTERNAL
        entry = initializer.external_data.add()
        entry.key, entry.value = "location", "given-at-load"
        references[initializer.name] = key
    target.parent.mkdir(exist_ok=True)
    onnx.save(model, str(target))
    target.with_suffix(".json").write_text(json.dumps(references, indent=1) + "\n", encoding="utf-8")
    print(f"{target}: {target.stat().st_size / 1e3:.0f} kB, {len(model.graph.node)} nodes")


def _key_of(value: np.ndarray, weights: dict[str, np.ndarray]) -> str:
    for key, weight in weights.items():
        if weight.shape == value.shape and np.array_equal(weight, value):
            return key
        if weight.ndim == 2 and weight.T.shape == value.shape and np.array_equal(weight.T, value):
            return f"{key}|T"
    raise RuntimeError(f"a weight of shape {value.shape} in the graph is not one of the model's")


if __name__ == "__main__":
    export()
