"""What crosses the boundaries of the index: documents, passages, hits, and the protocols of encoder and store."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Document", "Encoder", "Entry", "Filter", "Hit", "Passage", "Section", "Store"]

_DATE = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")


@dataclass(frozen=True, slots=True)
class Section:
    """A page of a document, or what stands under one heading; it ends where the next one starts.

    `start` counts characters of the document's text; `label` is what a reader would look for: "p. 12", "Methods".
    """

    start: int
    label: str


@dataclass(frozen=True, slots=True)
class Document:
    """A text that answers come from.

    `name` is unique in its index: the path it was read from, relative to its folder. `id` is the store's row id, 0
    for a document that is in no store yet. Every offset in this package counts characters of `text`. `sections` are
    in order of their starts; `author` and `date` (ISO 8601, as far as it is known: "2023", "2023-09-14") are what the
    file itself says.
    """

    name: str
    title: str
    text: str
    id: int = 0
    sections: tuple[Section, ...] = ()
    author: str | None = None
    date: str | None = None

    def place(self, start: int) -> str | None:
        """The label of the section that holds character `start`; None before the first section or without any."""
        number = bisect_right(self.sections, start, key=lambda section: section.start)
        return self.sections[number - 1].label if number else None


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of one document, the unit of retrieval: `text == document.text[start:end]`."""

    start: int
    end: int
    text: str
    document_id: int = 0
    id: int = 0


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage found for a question.

    `score` is the fused score (higher is better, comparable within one search only); `similarity` the cosine between
    question and passage in [-1, 1]; the ranks count from 1. What one of the two searches did not find is None there.
    """

    passage: Passage
    document: Document
    score: float
    similarity: float | None
    lexical_rank: int | None
    dense_rank: int | None


@dataclass(frozen=True, slots=True)
class Entry:
    """What a list shows of a document, without its text.

    `source` is the absolute path it was read from, `added` when it was put into the index (UTC, ISO 8601); None where
    that is not known. `characters` is the length of its text.
    """

    id: int
    name: str
    title: str
    author: str | None
    date: str | None
    source: str | None
    added: str | None
    passages: int
    characters: int


@dataclass(frozen=True, slots=True)
class Filter:
    """Confines a search to some documents: those that meet every condition given.

    Args:
        names: any of these: a document's name, a folder of names ("reports" or "reports/"), or a pattern with `*`, `?`
            or `[...]` that matches the whole name, `*` crossing slashes.
        since, until: ISO 8601 dates, both inclusive, as exact as wanted ("2023", "2023-09", "2023-09-14"). A document
            whose date is less exact is let through when it may lie within; one without a date is not.
        documents: ids.

    Raises:
        ValueError: a date that is not ISO 8601.
        TypeError: `names` is one string.
    """

    names: tuple[str, ...] = ()
    since: str | None = None
    until: str | None = None
    documents: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if isinstance(self.names, str):
            raise TypeError(f"names must be a tuple of names, got the string {self.names!r}; write ({self.names!r},)")
        for date in (self.since, self.until):
            if date is not None and _DATE.fullmatch(date) is None:
                raise ValueError(f"a date must be like 2023, 2023-09 or 2023-09-14, got {date!r}")


class Encoder(Protocol):
    """Texts to unit vectors."""

    @property
    def name(self) -> str:
        """Identifies the weights; stored with an index, which only this encoder can then search."""

    @property
    def dimension(self) -> int:
        """Length of a vector."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed `texts`: (len(texts), dimension) float32, rows of Euclidean length 1."""


class Store(Protocol):
    """Where documents, passages and vectors are kept and searched."""

    @property
    def generation(self) -> int:
        """Grows with every committed change."""

    @property
    def encoder_name(self) -> str:
        """The encoder whose vectors are stored."""

    def snapshot(self) -> AbstractContextManager[object]:
        """While it is open, everything the calling thread reads is of one state, whatever is written meanwhile."""

    def counts(self) -> tuple[int, int]:
        """Number of documents and of passages."""

    def documents(self, ids: Sequence[int] | None = None) -> dict[int, Document]:
        """Documents by id, in the order of their names; all, or those of `ids` that are (still) there."""

    def passages(self, ids: Sequence[int]) -> list[Passage]:
        """The passages with these ids, in this order; ids that are gone are left out."""

    def passages_of(self, document_id: int) -> list[Passage]:
        """All passages of a document, in reading order."""

    def entries(self) -> list[Entry]:
        """What there is to list of every document, by name, without loading texts."""

    def vectors_of(self, document_id: int) -> NDArray[np.float32]:
        """The vectors of all passages of a document, in reading order: (passages, dimension) float32."""

    def vectors(self, ids: Sequence[int]) -> dict[int, NDArray[np.float32]]:
        """The vectors, (dimension,) float32 of length 1, of the passages with these ids that are (still) there."""

    def lexical(self, question: str, k: int, where: Filter | None = None) -> list[int]:
        """Ids of the k best passages by BM25, best first, of the documents that `where` lets through."""

    def dense(self, vector: NDArray[np.float32], k: int, where: Filter | None = None) -> list[tuple[int, float]]:
        """(id, cosine) of the k nearest passages to `vector`, (dimension,) float32 of length 1, best first.

        Only of the documents that `where` lets through.
        """

    def setting(self, name: str) -> str | None:
        """A setting kept with the index; None when it was never set."""

    def set_setting(self, name: str, value: str) -> None:
        """Keep a setting with the index."""

    def close(self) -> None:
        """Free what the store holds open. It must not be used afterwards."""
