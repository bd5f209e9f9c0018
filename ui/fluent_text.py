"""A model's text as it is shown, kept in a browser and shown again; its citations are numbers of the page's sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from qa.fluent.types import Fluent

__all__ = ["Cited", "FluentText", "Line", "fluent_text", "text_from_json"]

_LONGEST = 4_000
_MOST = 60
_STATES = ("done", "stopped")  # of those that are kept


@dataclass(frozen=True, slots=True)
class Cited:
    """A passage that the model was given; `number` is the page's, `start` where `text` begins in its document."""

    number: int
    name: str
    title: str
    place: str | None
    start: int
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence with the numbers of its sources, and why it is doubted (None: it is supported)."""

    text: str
    cites: tuple[int, ...]
    doubt: str | None


@dataclass(frozen=True, slots=True)
class FluentText:
    """What a model wrote, as `qa.fluent.Fluent` says, in the numbers of one page."""

    model: str
    state: str
    lines: tuple[Line, ...] = ()
    pending: str = ""
    problem: str | None = None
    sources: tuple[Cited, ...] = ()

    @property
    def writing(self) -> bool:
        """Whether more is to come."""
        return self.state == "writing"

    def stopped(self) -> FluentText:
        """This text where it was stopped: its whole sentences stay."""
        return replace(self, state="stopped", pending="") if self.writing else self

    def to_json(self) -> dict[str, Any] | None:
        """Plain values, with the passages it cites; None while it is written or where there is no text."""
        if self.state not in _STATES or not self.lines:
            return None
        cited = {number for line in self.lines for number in line.cites}
        return {
            "model": self.model, "state": self.state,
            "lines": [{"text": line.text, "cites": list(line.cites), "doubt": line.doubt} for line in self.lines],
            "sources": [
                {"number": s.number, "name": s.name, "title": s.title, "place": s.place, "start": s.start,
                 "text": s.text}
                for s in self.sources if s.number in cited
            ],
        }  # fmt: skip


def fluent_text(fluent: Fluent, quotes: Sequence[tuple[str, int, int]]) -> FluentText:
    """What is shown of a model's text.

    Args:
        quotes: (document's name, start, end) of the sources that the page numbers already, from 1. A passage that lies
            in one of them has its number; the others are numbered after them.
    """
    numbers: dict[int, int] = {}
    free = len(quotes)
    for source in fluent.sources:
        name = source.document.name
        held = (
            n for n, (other, a, b) in enumerate(quotes, 1) if other == name and a <= source.start <= source.end <= b
        )
        number = next(held, None)
        if number is None:
            free += 1
            number = free
        numbers[source.number] = number
    return FluentText(
        fluent.model,
        fluent.state,
        tuple(Line(s.text, tuple(dict.fromkeys(numbers[n] for n in s.cites)), s.why) for s in fluent.sentences),
        fluent.pending,
        fluent.problem,
        tuple(
            Cited(numbers[s.number], s.document.name, s.document.title, s.document.place(s.start), s.start, s.text)
            for s in fluent.sources
        ),
    )


def text_from_json(value: Any) -> FluentText:
    """What `to_json` gave, as it comes back from a browser.

    Raises:
        ValueError, KeyError, TypeError: it is not that.
    """
    if value["state"] not in _STATES:
        raise ValueError(f"a text that is kept is done or stopped, got {value['state']!r}")
    lines = tuple(
        Line(_text(one["text"]), _numbers(one["cites"]), _maybe(one["doubt"])) for one in value["lines"][:_MOST]
    )
    sources = tuple(
        Cited(_numbers([one["number"]])[0], _text(one["name"]), _text(one["title"]), _maybe(one["place"]),
              max(0, int(one["start"])), _text(one["text"]))
        for one in value["sources"][:_MOST]
    )  # fmt: skip
    return FluentText(_text(value["model"]), value["state"], lines, sources=sources)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected a text, got {type(value).__name__}")
    return value[:_LONGEST]


def _maybe(value: Any) -> str | None:
    return None if value is None else _text(value)


def _numbers(values: Any) -> tuple[int, ...]:
    numbers = tuple(values[:_MOST])
    if not all(type(number) is int and 1 <= number <= 999 for number in numbers):
        raise ValueError(f"numbers of sources are from 1 to 999, got {numbers!r}")
    return numbers
