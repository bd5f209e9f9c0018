"""What the two peers without a framework share: sentence-transformers' vectors in a flat FAISS index, saved."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import faiss
from sentence_transformers import SentenceTransformer

from benchmarks.peers.drivers.wire import Settings, windows


class Dense:
    """Passages of documents with their names, found by cosine."""

    def __init__(self, settings: Settings) -> None:
        faiss.omp_set_num_threads(settings.threads)
        self._model = SentenceTransformer(settings.encoder, device="cpu", local_files_only=True)
        self._index: Any = None
        self._passages: list[list[str]] = []

    def build(self, documents: Sequence[dict[str, str]], folder: Path) -> int:
        self._passages = [[d["name"], passage] for d in documents for passage in windows(d["text"])]
        vectors = self._model.encode(
            [text for _, text in self._passages], normalize_embeddings=True, show_progress_bar=False
        )
        self._index = faiss.IndexFlatIP(vectors.shape[1])
        self._index.add(vectors)
        folder.mkdir(parents=True, exist_ok=True)
        faiss.write_index(self._index, str(folder / "vectors.faiss"))
        (folder / "passages.json").write_text(json.dumps(self._passages), encoding="utf-8")
        return len(self._passages)

    def open(self, folder: Path) -> None:
        self._index = faiss.read_index(str(folder / "vectors.faiss"))
        self._passages = json.loads((folder / "passages.json").read_text(encoding="utf-8"))

    def nearest(self, question: str, k: int) -> list[tuple[str, str, float]]:
        """Document, text and cosine of the k nearest passages."""
        vector = self._model.encode([question], normalize_embeddings=True, show_progress_bar=False)
        scores, numbers = self._index.search(vector, min(k, len(self._passages)))
        return [(*self._passages[number], float(score)) for number, score in zip(numbers[0], scores[0], strict=True)]
