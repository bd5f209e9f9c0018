"""A stream of text -> whole sentences, each with the passages it cites."""

from __future__ import annotations

import re

from index.passages import sentence_spans

__all__ = ["cited", "whole_sentences", "without_thoughts"]

_NUMBER = r"(?:passages?|sources?)?\s*\^?#?\d{1,3}"
_CITATION = re.compile(rf"[\[【]\s*{_NUMBER}(?:\s*(?:[,;–-]|and|&)\s*{_NUMBER})*\s*[\]】]", re.IGNORECASE)
_ONLY_CITATIONS = re.compile(rf"(?:\s|{_CITATION.pattern})*(?:[\[【][^\]】]*)?", re.IGNORECASE)
_RANGE = re.compile(r"(\d{1,3})(?:\s*[–-]\s*(\d{1,3}))?")
_WIDEST_RANGE = 20
_BULLET = re.compile(r"^(?:[-*+•]\s+|\d{1,2}[.)]\s+)+")
_LOOSE = re.compile(r"\s+(?=[.,;:!?…](?:\s|$))")
_THOUGHTS = re.compile(r"^\s*<(think|thinking|thought)>.*?(?:</\1>|\Z)", re.DOTALL | re.IGNORECASE)
_TAG = "<thinking>"


def without_thoughts(text: str) -> str:
    """The text without the thoughts some models write down before they answer; "" while they think."""
    begun = text.lstrip().lower()
    if begun and _TAG.startswith(begun):
        return ""
    return _THOUGHTS.sub("", text, count=1).lstrip()


def whole_sentences(text: str, *, final: bool) -> tuple[list[str], str]:
    """The sentences that more text cannot change, with their citations, and the rest.

    A line break ends a sentence. Citations after the full stop belong to the sentence before them.

    Args:
        final: no more text comes, so the rest is a sentence, too.
    """
    spaced = re.sub(r"\n+", "\n\n", text)
    spans = sentence_spans(spaced)
    parts = [spaced[start:end] for start, end in spans]
    joined: list[str] = []
    for number, part in enumerate(parts):
        leading = _ONLY_CITATIONS.match(part)
        moved = leading.group() if leading is not None and joined else ""
        if moved.strip() and (moved != part or number < len(parts) - 1 or final):
            joined[-1] += " " + moved.strip()
            part = part[len(moved) :].strip()
        elif moved.strip():  # "[1" may go on as "[1]": then the sentence before is not whole yet
            rest = joined.pop() + " " + part
            return joined, rest
        if part:
            joined.append(part)
    if final or not joined:
        return joined, ""
    return joined[:-1], joined[-1]


def cited(sentence: str) -> tuple[str, tuple[int, ...]]:
    """A sentence without its citations and bullets, and the numbers it cites, each once, in order."""
    numbers: list[int] = []
    for mark in _CITATION.findall(sentence):
        for first, last in _RANGE.findall(mark):
            begin, end = int(first), int(last or first)
            numbers.extend(range(begin, min(end, begin + _WIDEST_RANGE) + 1) if end >= begin else (begin, end))
    kept = " ".join(_CITATION.sub(" ", sentence).split())
    return _LOOSE.sub("", _BULLET.sub("", kept)), tuple(dict.fromkeys(numbers))
