"""Running heads and page numbers: what stands at the edge of every page and belongs to none of its sentences."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Line", "split_running_lines"]

_NUMBER = re.compile(r"\d{1,9}")
_LETTER = re.compile(r"[^\W\d_]")
# What says no more than the number beside it.
_PAGE = re.compile(r"\b(?:page|of|p|pg|seite|von|página|pagina|de|di)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a page: where it starts and ends (points, y grows upwards), its height, and whether a word goes on."""

    text: str
    left: float
    right: float
    y: float
    size: float
    hyphenated: bool = False


def split_running_lines(pages: Sequence[Sequence[Line]]) -> tuple[list[list[Line]], list[list[str]]]:
    """`pages` without their running lines, and for each page the heads that first stand there.

    Running is what stands at the same height among the two highest or lowest lines of three pages or more, and
    differs only in numbers that count the pages; of mere page numbers two are enough. A page of nothing else keeps
    what it has.
    """
    seen: dict[tuple[str, int], list[tuple[int, Line]]] = defaultdict(list)
    for number, lines in enumerate(pages):
        by_height = sorted(lines, key=lambda line: line.y)
        for line in {id(line): line for line in (*by_height[:2], *by_height[-2:])}.values():
            seen[_NUMBER.sub("#", line.text), round(line.y / 2)].append((number, line))
    running: set[int] = set()
    heads: list[list[str]] = [[] for _ in pages]
    for (text, _), places in seen.items():
        says_more = _LETTER.search(_PAGE.sub("", text)) is not None
        if len(places) >= (3 if says_more else 2) and _counts_pages(places):
            running |= {id(line) for _, line in places}
            if says_more:
                heads[places[0][0]].append(places[0][1].text)
    kept = []
    for number, lines in enumerate(pages):
        rest = [line for line in lines if id(line) not in running]
        if not rest:
            heads[number] = []
        kept.append(rest if rest else list(lines))
    return kept, heads


def _counts_pages(places: Sequence[tuple[int, Line]]) -> bool:
    """Whether each number in the line is the same on all pages or grows as the pages do, and there is a reason."""
    rows = [[int(number) for number in _NUMBER.findall(line.text)] for _, line in places]
    first_page = places[0][0]
    says_words = _LETTER.search(places[0][1].text) is not None
    counting = False
    for column in zip(*rows, strict=True):
        grows = all(value - column[0] == page - first_page for value, (page, _) in zip(column, places, strict=True))
        counting = counting or grows
        if not grows and len(set(column)) > 1:
            return False
    return counting or says_words
