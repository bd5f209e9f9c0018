"""Document -> passages: windows of whole sentences with exact character offsets."""

from __future__ import annotations

import re
from collections.abc import Iterator

from index.types import Passage

__all__ = ["sentence_spans", "split_passages"]

# A sentence ends at . ! ? … with closing quotes or brackets, before a space and something that can open a sentence.
_END = re.compile(r"[.!?…]+[\"'”’»)\]]*(?=\s+[\"'“‘«(\[]*[A-Z0-9À-ÞА-Я])|[。！？]+")
_PARAGRAPH = re.compile(r"\n[ \t]*\n\s*")
_ABBREVIATION = re.compile(
    r"(?:\b(?:Mr|Mrs|Ms|Dr|Prof|Sr|Jr|St|Mt|Lt|Col|Gen|Capt|Sgt|Rev|Hon|Gov|Sen|Rep|vs|etc|No|Nos|Vol|Fig|pp|ed|eds|"
    r"approx|dept|est|Inc|Ltd|Co|Corp|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sep|Sept|Oct|Nov|Dec|a\.m|p\.m|e\.g|i\.e|cf|ca)|"
    r"\b[A-Z])\.$"
)
_WORD = re.compile(r"\S+")


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Character spans of the sentences of `text`, in order, without the white space around them.

    A blank line always ends a sentence; an abbreviation or a single initial never does.
    """
    spans: list[tuple[int, int]] = []
    for start, end in _paragraph_spans(text):
        begin = start
        for match in _END.finditer(text, start, end):
            if _ABBREVIATION.search(text, max(begin, match.end() - 12), match.end()):
                continue
            spans.append((begin, match.end()))
            begin = match.end()
        spans.append((begin, end))
    trimmed = (_trim(text, start, end) for start, end in spans)
    return [(start, end) for start, end in trimmed if start < end]


def _paragraph_spans(text: str) -> Iterator[tuple[int, int]]:
    begin = 0
    for match in _PARAGRAPH.finditer(text):
        yield begin, match.start()
        begin = match.end()
    yield begin, len(text)


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


def _pieces(text: str, most_words: int) -> Iterator[tuple[int, int, int]]:
    """Sentences as (start, end, words), those longer than `most_words` cut between words, endless words too."""
    most_characters = most_words * 12
    for start, end in sentence_spans(text):
        words = [(start + match.start(), start + match.end()) for match in _WORD.finditer(text[start:end])]
        cut = [
            (begin, min(begin + most_characters, last))
            for first, last in words
            for begin in range(first, last, most_characters)
        ]
        for number in range(0, len(cut), most_words):
            chunk = cut[number : number + most_words]
            yield chunk[0][0], chunk[-1][1], len(chunk)


def split_passages(text: str, *, words: int = 80, overlap: int = 1) -> list[Passage]:
    """Cut `text` into passages of at most about `words` words, each starting at most `overlap` sentences back.

    Every character that is not white space lies in at least one passage, and `passage.text == text[start:end]`. A
    sentence longer than a passage is cut between words, an endless word between characters.

    Raises:
        ValueError: `words` < 1 or `overlap` < 0.
    """
    if words < 1 or overlap < 0:
        raise ValueError(f"words must be at least 1 and overlap at least 0, got {words} and {overlap}")
    pieces = list(_pieces(text, words))
    passages: list[Passage] = []
    first = 0
    while first < len(pieces):
        last, total = first, pieces[first][2]
        while last + 1 < len(pieces) and total + pieces[last + 1][2] <= words:
            last += 1
            total += pieces[last][2]
        start, end = pieces[first][0], pieces[last][1]
        passages.append(Passage(start=start, end=end, text=text[start:end]))
        if last + 1 == len(pieces):
            break
        # step back for the overlap, but always get on; a short tail sentence is repeated, a whole passage never
        first = max(first + 1, last + 1 - overlap)
    return passages
