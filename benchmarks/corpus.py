"""Synthetic documents, vectors and questions in any number, the same ones each time.

Texts are sentences drawn from a file, with words of a long tail in place of some of theirs, since a larger collection
has rarer names; without a file, words of that tail alone.

Vectors are unit vectors made like those that all-MiniLM-L6-v2 gives for SQuAD's paragraphs and questions (377
passages of four articles, 300 questions): two passages have a cosine of 0.03 +- 0.08 when of different articles, of
0.31 +- 0.15 when of one, and of 0.67 when of one paragraph; a question has 0.02 +- 0.09, 0.31 +- 0.16 and 0.52, and
0.65 with its passage. A topic here is such an article, with a few aspects of its own in which its documents differ.
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
_ASPECTS = 6
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
            vector = self._asked_about(document, passage, np.random.default_rng((1, number)))
            asked.append(Question(text, vector, document, passage))
        return asked

    def _directions(self, generator: np.random.Generator, count: int) -> NDArray[np.float64]:
        drawn = generator.standard_normal((count, DIMENSION)) * self._scale
        return _unit(drawn)

    def _parts(self, number: int) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """A document's topic (384,), its topic's aspects (6, 384), and where among them it stands (6,)."""
        generator = np.random.default_rng((2, number % max(1, self.documents // _DOCUMENTS_PER_TOPIC)))
        drawn = self._directions(generator, 1 + _ASPECTS)
        return drawn[0], drawn[1:], _unit(np.random.default_rng((3, number)).standard_normal(_ASPECTS))

    def _own(self, number: int) -> NDArray[np.float64]:
        return self._directions(np.random.default_rng((4, number)), PASSAGES_PER_DOCUMENT)

    def _vectors(self, number: int) -> NDArray[np.float32]:
        topic, aspects, stands = self._parts(number)
        common = 0.16 * self._mean[0] + 0.53 * topic + 0.6 * _unit(stands @ aspects)
        return _unit(common + 0.58 * self._own(number)).astype(np.float32)

    def _asked_about(self, document: int, passage: int, generator: np.random.Generator) -> NDArray[np.float32]:
        topic, aspects, stands = self._parts(document)
        stands = _unit(0.64 * stands + _unit(generator.standard_normal(_ASPECTS)))
        common = 0.16 * self._mean[0] + 0.53 * topic + 0.65 * _unit(stands @ aspects)
        away = self._directions(generator, 1)[0]
        return _unit(common + 0.23 * self._own(document)[passage] + 0.47 * away).astype(np.float32)

    def _text(self, words: random.Random) -> str:
        if self._sentences is None:
            return " ".join(_rare(words) for _ in range(60)) + "."
        text = " ".join(words.choice(self._sentences) for _ in range(_SENTENCES))
        return " ".join(_rare(words) if words.random() < _TAIL else word for word in text.split(" "))


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True))


def _rare(words: random.Random) -> str:
    # the n-th word of the tail comes up about 1 / n^1.5 as often as the first
    rank = min(int(words.paretovariate(0.5)), 10**9)
    return f"w{rank * 2654435761 % 2**32:x}"


def _read(path: Path) -> list[str]:
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return [json.loads(line)["text"] for line in content.decode("utf-8").splitlines() if line]
