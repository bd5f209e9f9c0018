"""What crosses the boundaries of fluent answers: the passages a model is given, and what it wrote of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from index.types import Document

__all__ = ["Fluent", "Sentence", "Source", "State"]

State = Literal["writing", "done", "stopped", "failed"]


@dataclass(frozen=True, slots=True)
class Source:
    """A passage that the model is given, by the number it is to cite; `document.text[start:end]` is its text."""

    number: int
    document: Document
    start: int
    end: int

    @property
    def text(self) -> str:
        """The passage."""
        return self.document.text[self.start : self.end]


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of the model's, without its citation marks.

    Attributes:
        cites: numbers of sources, in the order they were cited; only such as there are.
        supported: whether the cited passages bear it out, as far as a machine can tell.
        why: why they do not; None where they do.
    """

    text: str
    cites: tuple[int, ...]
    supported: bool
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Fluent:
    """What a model has written so far.

    Attributes:
        model: its name.
        sources: the passages it was given.
        sentences: those that are whole, checked. Empty when `state` is "failed".
        pending: what it writes just now, not checked.
        state: "writing"; "done"; "stopped" by the person; "failed": nothing usable came, and the extractive answer
            stands alone.
        problem: why it failed, to be read after the model's name: "took too long".
        detail: the same for whoever runs the server, with addresses and what to do.
    """

    model: str
    sources: tuple[Source, ...]
    sentences: tuple[Sentence, ...] = ()
    pending: str = ""
    state: State = "writing"
    problem: str | None = None
    detail: str | None = None
