"""Smoothing before quantisation: the same results, and less lost to eight bits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray
from transformers import MPNetConfig, MPNetForQuestionAnswering, PreTrainedTokenizerFast

from training.export import export
from training.restore import restore
from training.smooth import sample_windows, smooth

QA = Path(__file__).parent.parent / "qa"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small MPNet, some channels of which are far larger than the others, and windows for it."""
    folder = tmp_path_factory.mktemp("smooth")
    torch.manual_seed(1)
    model = MPNetForQuestionAnswering(
        MPNetConfig(hidden_size=64, num_hidden_layers=2, num_attention_heads=2, intermediate_size=128)
    )
    for parameter in model.parameters():  # a fresh model's biases are all zero, and the export would keep one of them
        torch.nn.init.normal_(parameter, std=0.15)
    for name, parameter in model.named_parameters():
        if "LayerNorm.weight" in name:
            torch.nn.init.normal_(parameter, 1.0, 0.01)  # the export keeps one of equal ones
            parameter.data[3], parameter.data[40] = 60.0, 25.0
    model.save_pretrained(folder / "checkpoint")
    PreTrainedTokenizerFast(
        tokenizer_file=str(QA / "large" / "tokenizer.json"),
        cls_token="<s>", sep_token="</s>", pad_token="<pad>", mask_token="<mask>", unk_token="[UNK]",
    ).save_pretrained(folder / "checkpoint")  # fmt: skip
    tokens = np.random.default_rng(2).integers(5, 30000, 40 * 24).astype(np.int32)
    table = np.array([(24 * row, 24, 5, 0, 0) for row in range(40)], np.int64)
    np.savez(folder / "features.npz", tokens=tokens, table=table)
    export(folder / "checkpoint", folder / "float", "float", int8=False)
    export(folder / "checkpoint", folder / "plain", "plain")
    export(folder / "checkpoint", folder / "smooth", "smooth", features=folder / "features.npz")
    return folder


def logits(graph: str | bytes, windows: list[NDArray[np.int64]]) -> NDArray[np.float32]:
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    ids = np.stack(windows)
    return np.stack(session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)}))


def test_smoothing_changes_no_result_and_saves_most_of_what_eight_bits_lose(made: Path) -> None:
    windows = sample_windows(made / "features.npz", 12)
    assert len(windows) == 12 and all(len(window) == 24 for window in windows)
    truth = logits(str(made / "float" / "reader.onnx"), windows)
    graph = onnx.load(made / "float" / "reader.onnx")
    smooth(graph, windows)
    np.testing.assert_allclose(logits(graph.SerializeToString(), windows), truth, rtol=1e-3, atol=1e-3)
    lost = {
        name: np.abs(logits(str(made / name / "reader.onnx"), windows) - truth).mean() for name in ("plain", "smooth")
    }
    assert lost["smooth"] < 0.5 * lost["plain"]


def test_a_smoothed_reader_is_restored_to_what_it_was(made: Path) -> None:
    export(made / "checkpoint", made / "exact", "exact", int8=False, features=made / "features.npz")
    restore(made / "exact", made / "checkpoint", made / "again")
    before = MPNetForQuestionAnswering.from_pretrained(made / "checkpoint").state_dict()
    after = MPNetForQuestionAnswering.from_pretrained(made / "again").state_dict()
    for name, weight in before.items():
        torch.testing.assert_close(after[name], weight, rtol=1e-4, atol=1e-5, msg=name)
    restore(made / "smooth", made / "checkpoint", made / "again")  # names are others once quantised
    after = MPNetForQuestionAnswering.from_pretrained(made / "again").state_dict()
    for name, weight in before.items():
        if weight.ndim == 2 and "embeddings" not in name:
            likeness = torch.corrcoef(torch.stack([after[name].flatten(), weight.flatten()]))[0, 1]
            assert likeness > 0.9, name
