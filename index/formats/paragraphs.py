"""Lines as they stand on pages -> paragraphs, so that a sentence is whole however the page broke it.

A page only has lines and where they stand. A new paragraph is told by what a typesetter does for the eye: a larger
gap, another size, an indented first line, or a line that ends although the next word would have fitted.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from index.formats.extract import TextBuilder
from index.formats.running import Line, split_running_lines

__all__ = ["Line", "write_pages"]

_SENTENCE_END = re.compile(r"[.!?…:][\"'”’»)\]]*$|[。！？]$")
_ITEM = re.compile(r"^(?:[•‣▪●◦■–—*·\-]\s|\(?\d{1,3}[.)]\s|\(?[a-z][.)]\s)")
_WORD = re.compile(r"[^\W\d_]+")
_UNSPACED = re.compile(r"[\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef]")
_COMPOUND = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_KEEP_HYPHEN = frozenset({"well", "self", "half"})


def write_pages(pages: Sequence[Sequence[Line]], builder: TextBuilder) -> None:
    """Add the text of `pages` to `builder`, page N as section "p. N"; running heads and page numbers are left out.

    A running head is kept once, where the first paragraph ends after it: it may be all that names the report.
    """
    pages, heads = split_running_lines(pages)
    words = Counter(word.lower() for lines in pages for line in lines for word in _COMPOUND.findall(line.text))
    before: Line | None = None
    gap = margin = 0.0
    waiting: list[str] = []
    for number, lines in enumerate(pages, start=1):
        builder.section(f"p. {number}")
        waiting += heads[number - 1]
        pitch = _pitch(lines)
        margins = _margins(lines)
        for position, line in enumerate(lines):
            separator = "\n\n"
            if before is not None:
                moved = position == 0 or line.y > before.y - 0.1 * line.size
                fits = _next_word_fits(before, line, margin)
                separator = _separator(before, line, gap if not moved else None, fits, words)
            if separator == "\n\n":
                for head in waiting:
                    builder.add(head)
                waiting.clear()
            builder.add(line.text, separator)
            before, gap, margin = line, pitch, margins[position]
    for head in waiting:
        builder.add(head)


def _separator(before: Line, line: Line, pitch: float | None, fits: bool, words: Counter[str]) -> str:
    """What stands between two lines. `pitch`: the page's usual distance of lines, None after a column or page."""
    if before.hyphenated:
        return _hyphen(before.text, line.text, words)
    ended = _SENTENCE_END.search(before.text) is not None
    goes_on = line.text[:1].islower() and not ended
    if max(before.size, line.size) > 1.12 * min(before.size, line.size):
        return "\n\n"
    if _ITEM.match(line.text):
        return "\n" if _ITEM.match(before.text) or not ended else "\n\n"
    if pitch is None:
        return _space(before, line) if not ended and (goes_on or not fits) else "\n\n"
    if before.y - line.y > 1.3 * pitch:
        return "\n\n"
    indented = line.left > before.left + 0.7 * line.size
    if (indented and ended) or (fits and not goes_on):
        return "\n\n"
    return _space(before, line)


def _space(before: Line, line: Line) -> str:
    """Chinese and Japanese have no spaces between words, so none between lines."""
    return "" if _UNSPACED.match(before.text[-1:]) and _UNSPACED.match(line.text) else " "


def _next_word_fits(before: Line, line: Line, margin: float) -> bool:
    """Whether the first word of `line` had room at the end of the line before: then that line ends on purpose."""
    letters = max(len(line.text), 1)
    width = (line.right - line.left) / letters * (len(line.text.split(" ", 1)[0]) + 1)
    return before.right + 1.1 * width < margin


def _hyphen(before: str, after: str, words: Counter[str]) -> str:
    """Joins the halves of a word: "" drops the hyphen, "-" keeps it, as the document itself writes the word."""
    heads, tails = _WORD.findall(before[-40:]), _WORD.match(after)
    if not heads or tails is None or not before.endswith(heads[-1]):
        return "-"
    head, tail = heads[-1].lower(), tails[0]
    if words[head + tail.lower()]:
        return ""
    return "-" if words[f"{head}-{tail.lower()}"] or tail[0].isupper() or head in _KEEP_HYPHEN else ""


def _pitch(lines: Sequence[Line]) -> float:
    """The usual distance of two lines of a paragraph."""
    gaps = [
        before.y - line.y
        for before, line in pairwise(lines)
        if 0.5 * line.size < before.y - line.y < 3 * line.size and abs(before.size - line.size) < 0.12 * line.size
    ]
    return median(gaps) if gaps else 1.5 * max((line.size for line in lines), default=10.0)


def _margins(lines: Sequence[Line]) -> list[float]:
    """For each line how far right lines reach in its column; a column ends where the next line is higher up."""
    margins: list[float] = []
    column: list[Line] = []
    for line in lines:
        if column and line.y > column[-1].y + line.size:
            margins += [max(other.right for other in column)] * len(column)
            column = []
        column.append(line)
    return margins + ([max(other.right for other in column)] * len(column) if column else [])
