"""Synthetic documents, vectors and questions in any number, the same ones each time.

Texts are sentences drawn from a file, with words of a long tail in place of some of theirs, since a larger collection
has rarer names; without a file, words of that tail alone. Vectors are unit vectors in topics and documents. Their
spread follows what all-MiniLM-L6-v2 gives for encyclopaedia passages: cosines of about 0.07 between two passages, 0.4
within a topic, 0.67 within a document, 0.65 between a question and its passage.
"""

from __future__ import annotations

import gzip
import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.types import Document, Passage

DIMENSION = 384
PASSAGES_PER_DOCUMENT = 20
_DOCUMENTS_PER_TOPIC = 10
_SENTENCES = 3
_TAIL = 0.06  # of the words are of the long tail
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Made:
    """A document with its passages and their vectors, (n, 384) float32."""

    document: Document
    passages: list[Passage]
    vectors: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Question:
    """A question about one passage: `document` is its document's number, `passage` its number in there."""

    text: str
    vector: NDArray[np.float32]
    document: int
    passage: int


class Corpus:
    """Documents by number; number n is the same in every corpus with the same sentences and size."""

    def __init__(self, passages: int, sentences: Path | None) -> None:
        self.documents = max(1, passages // PASSAGES_PER_DOCUMENT)
        self._sentences = _read(sentences) if sentences is not None else None
        scale = (np.arange(DIMENSION) + 5.0) ** -0.4
        self._scale = scale / np.linalg.norm(scale)
        self._mean = self._directions(np.random.default_rng(0), 1)

    def made(self) -> Iterator[Made]:
        """All documents in turn."""
        return (self.document(number) for number in range(self.documents))

    def document(self, number: int) -> Made:
        """One document."""
        words = random.Random(number)
        texts = [self._text(words) for _ in range(PASSAGES_PER_DOCUMENT)]
        passages, start = [], 0
        for text in texts:
            passages.append(Passage(start, start + len(text), text))
            start += len(text) + 1
        document = Document(f"{number // 1000:04}/{number:07}.txt", texts[0][:60], " ".join(texts))
        return Made(document, passages, self._vectors(number))

    def questions(self, count: int) -> list[Question]:
        """Questions made of some words of a passage, with a vector in its direction."""
        choose, asked = random.Random(-1), []
        for number in range(count):
            document, passage = choose.randrange(self.documents), choose.randrange(PASSAGES_PER_DOCUMENT)
            made = self.document(document)
            words = [word for word in _WORD.findall(made.passages[passage].text) if len(word) > 4]
            first = choose.randrange(max(1, len(words) - 8))
            picked = words[first : first + 8]
            text = "what is " + " ".join(choose.sample(picked, min(len(picked), choose.randint(2, 5)))) + "?"
            away = self._directions(np.random.default_rng((1, number)), 1)[0]
            vector = 0.65 * made.vectors[passage] + 0.76 * away
            asked.append(Question(text, (vector / np.linalg.norm(vector)).astype(np.float32), document, passage))
        return asked

    def _directions(self, generator: np.random.Generator, count: int) -> NDArray[np.float64]:
        drawn = generator.standard_normal((count, DIMENSION)) * self._scale
        return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True))

    def _vectors(self, number: int) -> NDArray[np.float32]:
        topic = self._directions(np.random.default_rng((2, number % max(1, self.documents // _DOCUMENTS_PER_TOPIC))), 1)
        generator = np.random.default_rng((3, number))
        own = self._directions(generator, 1 + PASSAGES_PER_DOCUMENT)
        vectors = 0.25 * self._mean + 0.55 * topic + 0.5 * own[:1] + 0.55 * own[1:]
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)

    def _text(self, words: random.Random) -> str:
        if self._sentences is None:
            return " ".join(_rare(words) for _ in range(60)) + "."
        text = " ".join(words.choice(self._sentences) for _ in range(_SENTENCES))
        return " ".join(_rare(words) if words.random() < _TAIL else word for word in text.split(" "))


def _rare(words: random.Random) -> str:
    # the n-th word of the tail comes up about 1 / n^1.5 as often as the first
    rank = min(int(words.paretovariate(0.5)), 10**9)
    return f"w{rank * 2654435761 % 2**32:x}"


def _read(path: Path) -> list[str]:
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return [json.loads(line)["text"] for line in content.decode("utf-8").splitlines() if line]
