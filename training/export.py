"""Step 4, export: a Hugging Face checkpoint -> `reader.onnx` (int8), tokenizer and manifest with checksums.

python -m training.export CHECKPOINT --to qa/model --name NAME [--smooth FEATURES] [--fp32]
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers import optimizer
from transformers import AutoModelForQuestionAnswering

from training.smooth import sample_windows, smooth


class _Logits(torch.nn.Module):
    def __init__(self, model: torch.nn.Module, inputs: Sequence[str]) -> None:
        super().__init__()
        self.model = model
        self.inputs = inputs

    def forward(self, *values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        output = self.model(**dict(zip(self.inputs, values, strict=True)))
        return output.start_logits, output.end_logits


def export(checkpoint: Path, target: Path, name: str, *, int8: bool = True, features: Path | None = None) -> None:
    """Write the reader folder that `qa.reader.OnnxReader` opens.

    `features` is what `training.prepare` wrote of a stage: the graph is smoothed on some of its windows (MPNet only).

    Weights of matrix products become signed 7-bit integers per output channel ("reduce range"): the 8-bit products of
    AVX2 machines without VNNI saturate otherwise. Activations are quantised while running.
    """
    model = AutoModelForQuestionAnswering.from_pretrained(
        checkpoint, dtype=torch.float32, attn_implementation="eager"
    ).eval()
    ids = torch.full((2, 16), 7)  # no token of MPNet's that stands for padding
    inputs = ["input_ids", "attention_mask"] + (["token_type_ids"] if model.config.model_type == "bert" else [])
    values = (ids, torch.ones_like(ids), torch.zeros_like(ids))[: len(inputs)]
    outputs = ["start_logits", "end_logits"]
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        plain, fused = Path(folder) / "plain.onnx", Path(folder) / "fused.onnx"
        torch.onnx.export(
            _Logits(model, inputs), values, str(plain), input_names=inputs, output_names=outputs,
            dynamic_axes={key: {0: "batch", 1: "sequence"} for key in inputs + outputs}, opset_version=17, dynamo=False,
        )  # fmt: skip
        config = model.config
        optimizer.optimize_model(
            str(plain),
            model_type="bert",
            num_heads=config.num_attention_heads,
            hidden_size=config.hidden_size,
            opt_level=0,
        ).save_model_to_file(str(fused))
        if features is not None:
            graph = onnx.load(fused)
            smooth(graph, sample_windows(features))
            onnx.save(graph, fused)
        if int8:
            quantize_dynamic(
                fused, target / "reader.onnx", weight_type=QuantType.QInt8, per_channel=True, reduce_range=True,
                op_types_to_quantize=["MatMul", "Attention", "Gather", "EmbedLayerNormalization"],
                extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT, "MatMulConstBOnly": True},
            )  # fmt: skip
        else:
            shutil.copyfile(fused, target / "reader.onnx")
    shutil.copyfile(checkpoint / "tokenizer.json", target / "tokenizer.json")
    files = {
        path.name: {"bytes": path.stat().st_size, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
        for path in (target / "reader.onnx", target / "tokenizer.json")
    }
    manifest = {"name": name, "weights": "int8" if int8 else "float32", "files": files}
    (target / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    print(f"{target}: {sum(entry['bytes'] for entry in files.values()) / 1e6:.1f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--fp32", action="store_true", help="keep float32 weights, to compare with")
    parser.add_argument("--smooth", type=Path, metavar="FEATURES", help="features.npz of the stage, for an MPNet")
    options = parser.parse_args()
    export(options.checkpoint, options.to, options.name, int8=not options.fp32, features=options.smooth)


if __name__ == "__main__":
    main()
