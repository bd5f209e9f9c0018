import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from index.errors import ModelError
from qa.config import MODEL_FOLDER
from qa.reader import OnnxReader, check_model
from qa.spans import best_spans

TEXT = (
    "The bridge was opened in 1932 by the mayor, Ada Quill. It spans the river Tamar and carries four lanes of traffic."
)


@pytest.fixture(scope="module")
def reader() -> OnnxReader:
    return OnnxReader(MODEL_FOLDER)


@pytest.fixture
def copied_model(tmp_path: Path) -> Path:
    return Path(shutil.copytree(MODEL_FOLDER, tmp_path / "model"))


@pytest.mark.parametrize(
    ("question", "answer"),
    [("When was the bridge opened?", "1932"), ("Who opened the bridge?", "Ada Quill"), ("How many lanes?", "four")],
)
def test_it_reads(reader: OnnxReader, question: str, answer: str) -> None:
    window = reader.tokenize(TEXT)
    (logits,) = reader.read([(reader.tokenize(question), window)])
    assert logits.start.shape == logits.end.shape == (len(window),)
    span = best_spans(logits, top=1, max_length=20)[0]
    assert answer in TEXT[window.offsets[span.first, 0] : window.offsets[span.last, 1]]


def test_offsets_are_characters_of_the_text(reader: OnnxReader) -> None:
    text = "Zoë’s naïve 🙂 café — İstanbul,  東京!"
    tokens = reader.tokenize(text)
    assert len(tokens) == len(tokens.offsets)
    assert all(0 <= start < end <= len(text) for start, end in tokens.offsets)
    covered = {place for start, end in tokens.offsets for place in range(start, end)}
    assert {c for place, c in enumerate(text) if place not in covered} <= {" ", "\u0307"}
    assert len(tokens[1:3]) == 2


def test_a_slice_reads_as_if_tokenized_alone(reader: OnnxReader) -> None:
    question, window = reader.tokenize("Who opened it?"), reader.tokenize(TEXT)
    cut = int(np.searchsorted(window.offsets[:, 0], TEXT.index("It spans")))
    alone = reader.tokenize(TEXT[TEXT.index("It spans") :])
    assert (window[cut:].ids == alone.ids).all()
    sliced, whole = reader.read([(question, window[cut:])])[0], reader.read([(question, alone)])[0]
    assert sliced.start == pytest.approx(whole.start, abs=1e-4)


def test_padding_changes_little(reader: OnnxReader) -> None:
    question = reader.tokenize("When was the bridge opened?")
    short, long = reader.tokenize(TEXT), reader.tokenize(TEXT * 6)
    (alone,) = reader.read([(question, short)])
    together, _ = reader.read([(question, short), (question, long)])
    # int8 activations share one scale per tensor, so a batch may shift logits a little, never the answer
    assert int(np.argmax(alone.start)) == int(np.argmax(together.start))
    assert np.abs(alone.start - together.start).mean() < 0.6


def test_too_long_is_refused(reader: OnnxReader) -> None:
    with pytest.raises(ValueError, match="at most 512 tokens"):
        reader.read([(reader.tokenize("who?"), reader.tokenize(TEXT * 40))])
    assert reader.read([]) == []


def test_an_altered_model_is_found(copied_model: Path) -> None:
    check_model(copied_model)
    content = bytearray((copied_model / "reader.onnx").read_bytes())
    content[len(content) // 2] ^= 0xFF
    (copied_model / "reader.onnx").write_bytes(content)
    with pytest.raises(ModelError, match=r"reader\.onnx is altered"):
        check_model(copied_model)


def test_a_truncated_or_missing_model_is_told(copied_model: Path) -> None:
    content = (copied_model / "reader.onnx").read_bytes()
    (copied_model / "reader.onnx").write_bytes(content[: len(content) // 2])
    with pytest.raises(ModelError, match=r"bytes, wanted"):
        OnnxReader(copied_model)
    (copied_model / "reader.onnx").unlink()
    with pytest.raises(ModelError, match="is missing"):
        OnnxReader(copied_model)
    (copied_model / "manifest.json").write_text("{}")
    with pytest.raises(ModelError, match=r"manifest\.json is missing or damaged"):
        OnnxReader(copied_model)


def test_what_is_no_model_is_told(copied_model: Path) -> None:
    (copied_model / "reader.onnx").write_bytes(b"nonsense")
    manifest = json.loads((copied_model / "manifest.json").read_text())
    manifest["files"]["reader.onnx"]["bytes"] = len(b"nonsense")
    (copied_model / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ModelError, match="cannot be loaded"):
        OnnxReader(copied_model)
