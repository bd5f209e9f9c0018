"""An index that holds nothing, for an Answerer that only reads texts it is given."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

import numpy as np
from numpy.typing import NDArray

from index.errors import StoreError
from index.types import Document, Entry, Filter, Passage

__all__ = ["NoEncoder", "NoStore"]


class NoEncoder:
    """Stands where no encoder is needed."""

    name = "none"
    dimension = 0

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        raise StoreError("this Answerer has no index; open one with Answerer.open")


class NoStore:
    """An index that holds nothing."""

    generation = 0
    encoder_name = "none"

    def snapshot(self) -> AbstractContextManager[object]:
        return nullcontext()

    def counts(self) -> tuple[int, int]:
        return 0, 0

    def documents(self, ids: Sequence[int] | None = None) -> dict[int, Document]:
        return {}

    def passages(self, ids: Sequence[int]) -> list[Passage]:
        return []

    def passages_of(self, document_id: int) -> list[Passage]:
        return []

    def entries(self) -> list[Entry]:
        return []

    def vectors_of(self, document_id: int) -> NDArray[np.float32]:
        return np.zeros((0, 0), np.float32)

    def vectors(self, ids: Sequence[int]) -> dict[int, NDArray[np.float32]]:
        return {}

    def lexical(self, question: str, k: int, where: Filter | None = None) -> list[int]:
        return []

    def dense(self, vector: NDArray[np.float32], k: int, where: Filter | None = None) -> list[tuple[int, float]]:
        return []

    def setting(self, name: str) -> str | None:
        return None

    def set_setting(self, name: str, value: str) -> None:
        raise StoreError("this Answerer has no index to keep a setting with; open one with Answerer.open")

    def close(self) -> None:
        return
