"""Document -> passages: windows of whole sentences with exact character offsets."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass

from index.types import Document, Passage, Section

__all__ = ["embedded_texts", "paragraph_around", "sentence_spans", "split_passages"]

# A sentence ends at . ! ? … with closing quotes or brackets, before a space and something that can open a sentence.
_END = re.compile(r"[.!?…]+[\"'”’»)\]]*(?=\s+[\"'“‘«(\[]*[A-Z0-9À-ÞА-Я])|[。！？]+")
_PARAGRAPH = re.compile(r"\n[ \t]*\n\s*")
_ABBREVIATION = re.compile(
    r"(?:\b(?:Mr|Mrs|Ms|Dr|Prof|Sr|Jr|St|Mt|Lt|Col|Gen|Capt|Sgt|Rev|Hon|Gov|Sen|Rep|vs|etc|No|Nos|Vol|Fig|pp|ed|eds|"
    r"approx|dept|est|Inc|Ltd|Co|Corp|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sep|Sept|Oct|Nov|Dec|a\.m|p\.m|e\.g|i\.e|cf|ca)|"
    r"\b[A-Z])\.$"
)
_WORD = re.compile(r"\S+")
# The first line of a list item, and a row of a table: cells between tabs or bars.
_ITEM = re.compile(r"^[ \t]*(?:[-*+•‣▪◦–][ \t]+|\(?\d{1,3}[.)][ \t]+|\(?[a-z]\)[ \t]+)(?=\S)", re.MULTILINE)
_ROW = re.compile(r"^[^\n]*\S[ \t]*(?:\t|\|)[^\n]*\S[^\n]*$", re.MULTILINE)
# Labels that say where something stands, not what it is about: "p. 12", "row 7", "00:03:12".
_PLACE = re.compile(r"(?:(?:p|pp|page|row|line|slide)\b\.?\s*)?\d[\d\s:.,–-]*", re.IGNORECASE)
_TABLE_ROW = re.compile(r"row \d+")
_LABEL_LENGTH = 80
_REACH = 1500  # characters, about the longest paragraph of most texts
_NAME_WORDS = 5


@dataclass(frozen=True, slots=True)
class _Piece:
    """What a passage is made of: a sentence, a list item, a row of a table, or as much of one as a passage holds."""

    start: int
    end: int
    words: int


def sentence_spans(text: str, first: int = 0, last: int | None = None) -> list[tuple[int, int]]:
    """Character spans of the sentences of `text[first:last]`, in order, without the white space around them.

    A blank line always ends a sentence; an abbreviation or a single initial never does.
    """
    paragraphs = _paragraph_spans(text, first, len(text) if last is None else last)
    spans = [span for start, end in paragraphs for span in _sentences(text, start, end)]
    trimmed = (_trim(text, start, end) for start, end in spans)
    return [(start, end) for start, end in trimmed if start < end]


def _paragraph_spans(text: str, first: int, last: int) -> Iterator[tuple[int, int]]:
    begin = first
    for match in _PARAGRAPH.finditer(text, first, last):
        yield begin, match.start()
        begin = match.end()
    yield begin, last


def paragraph_around(text: str, start: int, end: int) -> tuple[int, int]:
    """The stretch from the blank line before `start` (or the start of the text) to the one after `end`.

    Looks no further than it must, so that it costs the same in a long document as in a short one.
    """
    reach = _REACH
    while True:
        low, high = max(0, start - reach), min(len(text), end + reach)
        before = [match.end() for match in _PARAGRAPH.finditer(text, low, start)]
        after = _PARAGRAPH.search(text, end, high)
        if (before or low == 0) and (after or high == len(text)):
            return before[-1] if before else 0, after.start() if after else len(text)
        reach *= 8


def _sentences(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    begin = start
    for match in _END.finditer(text, start, end):
        if _ABBREVIATION.search(text, max(begin, match.end() - 12), match.end()):
            continue
        yield begin, match.end()
        begin = match.end()
    yield begin, end


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


def _items(text: str, start: int, end: int) -> list[int]:
    """Where list items and table rows of a paragraph start, and where prose goes on after a row."""
    starts = {match.start() for match in _ITEM.finditer(text, start, end)}
    rows = [match.span() for match in _ROW.finditer(text, start, end)]
    # one line with a bar in it may be prose that was wrapped; two are a table
    if len(rows) > 1 or (rows and "\n" not in text[start:end]):
        starts.update(place for first, last in rows for place in (first, last + 1) if place < end)
    return sorted(starts)


def _pieces(text: str, first: int, last: int, rows: Set[int], most_words: int) -> Iterator[_Piece]:
    """The pieces of text[first:last]; what is longer than `most_words` is cut at sentences, then between words."""
    for start, end in _paragraph_spans(text, first, last):
        whole = _items(text, start, end) or ([start] if start in rows else [])
        borders = [start, *(place for place in whole if place > start), end]
        for number, (begin, stop) in enumerate(itertools.pairwise(borders)):
            atomic = bool(whole) and (number > 0 or whole[0] == start)
            if atomic and len(text[begin:stop].split()) <= most_words:
                yield from _cut(text, *_trim(text, begin, stop), most_words)
            else:
                for sentence in _sentences(text, begin, stop):
                    yield from _cut(text, *_trim(text, *sentence), most_words)


def _cut(text: str, start: int, end: int, most_words: int) -> Iterator[_Piece]:
    """One stretch as pieces: whole if it fits, else cut between words, an endless word between characters."""
    most_characters = most_words * 12
    words = [(start + match.start(), start + match.end()) for match in _WORD.finditer(text[start:end])]
    cut = [
        (begin, min(begin + most_characters, last))
        for first, last in words
        for begin in range(first, last, most_characters)
    ]
    for number in range(0, len(cut), most_words):
        chunk = cut[number : number + most_words]
        yield _Piece(chunk[0][0], chunk[-1][1], len(chunk))


def split_passages(text: str, *, words: int = 80, overlap: int = 1, sections: Sequence[Section] = ()) -> list[Passage]:
    """Cut `text` into passages of at most about `words` words, each starting at most `overlap` sentences back.

    Every character that is not white space lies in at least one passage, and `passage.text == text[start:end]`. No
    passage reaches from one section into the next (but from page to page); a list item or table row that fits into a
    passage is whole in one. A sentence longer than a passage is cut between words, an endless word between characters.

    Args:
        sections: those of the document, in order of their starts.

    Raises:
        ValueError: `words` < 1 or `overlap` < 0.
    """
    if words < 1 or overlap < 0:
        raise ValueError(f"words must be at least 1 and overlap at least 0, got {words} and {overlap}")
    rows = {section.start for section in sections if _TABLE_ROW.fullmatch(section.label)}
    headed = {section.start for section in sections if not _PLACE.fullmatch(section.label)}
    borders = sorted({0, len(text), *headed})
    return [
        passage
        for first, last in itertools.pairwise(borders)
        for passage in _packed(text, list(_pieces(text, first, last, rows, words)), words, overlap)
    ]


def _packed(text: str, pieces: Sequence[_Piece], words: int, overlap: int) -> Iterator[Passage]:
    first = 0
    while first < len(pieces):
        last, total = first, pieces[first].words
        while last + 1 < len(pieces) and total + pieces[last + 1].words <= words:
            last += 1
            total += pieces[last].words
        start, end = pieces[first].start, pieces[last].end
        yield Passage(start=start, end=end, text=text[start:end])
        if last + 1 == len(pieces):
            return
        # step back for the overlap, as far as the next piece still fits: every passage brings something new
        back, room = last + 1, words - pieces[last + 1].words
        while back - 1 > first and last + 1 - (back - 1) <= overlap and pieces[back - 1].words <= room:
            back -= 1
            room -= pieces[back].words
        first = back


def embedded_texts(document: Document, passages: Sequence[Passage]) -> list[str]:
    """What the encoder is given for each passage: "title — heading: passage", the passage's own text being as it is.

    Only titles and headings of a few words are given, which name what the text is about: a headline, or the beginning
    of a text that has no title, makes the passages of a document alike and is found worse (docs/documents.md). Nor is
    a passage that opens with one told it twice. Page numbers say nothing.
    """
    title = _context(document.title)
    texts = []
    for passage in passages:
        heading = _context(document.place(passage.start) or "")
        opening = " ".join(passage.text[: 4 * _LABEL_LENGTH].split())
        parts = [part for part in dict.fromkeys((title, heading)) if part and not opening.startswith(part)]
        texts.append(f"{' — '.join(parts)}: {passage.text}" if parts else passage.text)
    return texts


def _context(label: str) -> str:
    words = label.split()
    name = " ".join(words)
    if not 0 < len(words) <= _NAME_WORDS or len(name) > _LABEL_LENGTH or name.endswith("…") or _PLACE.fullmatch(name):
        return ""
    return name
