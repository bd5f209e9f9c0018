"""The span reader through onnxruntime: (question, window) token pairs -> start and end logits."""

from __future__ import annotations

import functools
import hashlib
import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from index.errors import ModelError
from qa.types import SpanLogits, Tokens

__all__ = ["LazyReader", "OnnxReader", "check_model"]

MANIFEST = "manifest.json"
_REINSTALL = (
    "reinstall the package (`pip install --force-reinstall --no-deps` with the wheel), or run `git checkout qa/model`"
)


@dataclass(frozen=True, slots=True)
class _File:
    name: str
    size: int
    sha256: str


def _manifest(folder: Path) -> tuple[str, list[_File]]:
    """The reader's name and its files."""
    path = folder / MANIFEST
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        files = [_File(name, int(entry["bytes"]), str(entry["sha256"])) for name, entry in table["files"].items()]
        return str(table["name"]), files
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{path} is missing or damaged ({error}); {_REINSTALL}") from error


def _check_size(folder: Path, file: _File) -> Path:
    path = folder / file.name
    if not path.is_file():
        raise ModelError(f"{path} is missing; {_REINSTALL}")
    if path.stat().st_size != file.size:
        raise ModelError(f"{path} has {path.stat().st_size} bytes, wanted {file.size}; {_REINSTALL}")
    return path


def check_model(folder: Path) -> None:
    """Hash every file of a reader against its manifest. Raises ModelError for what is missing or altered."""
    for file in _manifest(folder)[1]:
        digest = hashlib.sha256(_check_size(folder, file).read_bytes()).hexdigest()
        if digest != file.sha256:
            raise ModelError(
                f"{folder / file.name} is altered (SHA-256 {digest[:16]}…, wanted {file.sha256[:16]}…); {_REINSTALL}"
            )


class OnnxReader:
    """A span reader of the BERT or MPNet kind in ONNX with its WordPiece tokenizer. Thread-safe.

    It reads `[CLS] question [SEP] window [SEP]`, or `<s> question </s></s> window </s>` where the vocabulary has
    an <s> (MPNet).

    Args:
        folder: holds `reader.onnx`, `tokenizer.json` and `manifest.json`.
        threads: cores to use within one call; 0 lets onnxruntime decide.
        packed: keep a second copy of the weights in the order that the processor likes best. A large reader is 5 %
            faster with it, and takes half as much memory again.

    Raises:
        ModelError: a file is missing, truncated or not a model.
    """

    def __init__(self, folder: Path, *, threads: int = 0, packed: bool = True) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        self.name, files = _manifest(folder)
        self.max_tokens = 512
        for file in files:
            _check_size(folder, file)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        if not packed:
            options.add_session_config_entry("session.disable_prepacking", "1")
        try:
            self._session = onnxruntime.InferenceSession(
                str(folder / "reader.onnx"), options, providers=["CPUExecutionProvider"]
            )
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        except Exception as error:  # onnxruntime and tokenizers raise bare exceptions of many kinds
            raise ModelError(f"the reader in {folder} cannot be loaded ({error}); {_REINSTALL}") from error
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        first, last, pad = ("[CLS]", "[SEP]", "[PAD]")
        self._between = 1
        if self._tokenizer.token_to_id("<s>") is not None:
            first, last, pad, self._between = "<s>", "</s>", "<pad>", 2
        self._cls, self._sep, self._pad = (int(self._tokenizer.token_to_id(token) or 0) for token in (first, last, pad))
        self.special_tokens = 2 + self._between
        self._segments = "token_type_ids" in {value.name for value in self._session.get_inputs()}

    def rank(self, word: str) -> int | None:
        """The word's number in the WordPiece vocabulary, which is in order of frequency; None when it is not there."""
        return self._tokenizer.token_to_id(word)

    def tokenize(self, text: str) -> Tokens:
        """Tokens of a text of any length, without special tokens."""
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        return Tokens(np.array(encoding.ids, np.int64), np.array(encoding.offsets, np.int64).reshape(-1, 2))

    def read(self, pairs: Sequence[tuple[Tokens, Tokens]]) -> list[SpanLogits]:
        """Read (question, window) pairs in one batch.

        Raises:
            ValueError: a pair is longer than `max_tokens` with its special tokens.
        """
        if not pairs:
            return []
        lengths = [len(question) + len(window) + self.special_tokens for question, window in pairs]
        longest = max(lengths)
        if longest > self.max_tokens:
            raise ValueError(f"a question and its window must have at most {self.max_tokens} tokens, got {longest}")
        ids = np.full((len(pairs), longest), self._pad, np.int64)
        mask = np.zeros_like(ids)
        segments = np.zeros_like(ids)
        for row, ((question, window), length) in enumerate(zip(pairs, lengths, strict=True)):
            first = len(question) + 1 + self._between
            ids[row, 0] = self._cls
            ids[row, 1 : 1 + len(question)] = question.ids
            ids[row, 1 + len(question) : first] = self._sep
            ids[row, first : length - 1] = window.ids
            ids[row, length - 1] = self._sep
            mask[row, :length] = 1
            segments[row, first:length] = 1
        feed = {"input_ids": ids, "attention_mask": mask}
        if self._segments:
            feed["token_type_ids"] = segments
        starts, ends = self._session.run(None, feed)
        found = []
        for row, (question, window) in enumerate(pairs):
            first = len(question) + 1 + self._between
            part = slice(first, first + len(window))
            found.append(SpanLogits(starts[row, part], ends[row, part], float(starts[row, 0] + ends[row, 0])))
        return found


class LazyReader:
    """An OnnxReader that is loaded when it is first needed, since many sessions never need it. Thread-safe.

    Args:
        folder, threads, packed: as of OnnxReader.

    Raises:
        ModelError: a file is missing or truncated; that it is no model shows when it is loaded.
    """

    def __init__(self, folder: Path, *, threads: int = 0, packed: bool = True) -> None:
        self.name, files = _manifest(folder)
        for file in files:
            _check_size(folder, file)
        self._lock = threading.Lock()
        self._open = functools.cache(functools.partial(OnnxReader, folder, threads=threads, packed=packed))

    @property
    def _reader(self) -> OnnxReader:
        with self._lock:  # two threads must not load it twice
            return self._open()

    @property
    def max_tokens(self) -> int:
        """Longest input: question, window and special tokens together."""
        return self._reader.max_tokens

    @property
    def special_tokens(self) -> int:
        """How many tokens of `max_tokens` the reader adds itself."""
        return self._reader.special_tokens

    def rank(self, word: str) -> int | None:
        """See OnnxReader.rank."""
        return self._reader.rank(word)

    def tokenize(self, text: str) -> Tokens:
        """See OnnxReader.tokenize."""
        return self._reader.tokenize(text)

    def read(self, pairs: Sequence[tuple[Tokens, Tokens]]) -> list[SpanLogits]:
        """See OnnxReader.read."""
        return self._reader.read(pairs)
