"""The enumeration that a span stands in: its whole extent and its items, by commas, "and", brackets and bullets."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Enumeration", "enumeration_at", "enumerations_in"]

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Enumeration:
    """`text[start:end]` lists what `items` hold, spans in order, each without its bracket."""

    start: int
    end: int
    items: tuple[Span, ...]


_SMALL = r"(?:de|da|di|du|del|der|den|van|von|la|le|of|the|for|on|in|at|to|a|an|&|bin|al|y|’n|'n)"
_BIG = r"(?<![\w'’.&/-])(?:[A-ZÀ-ÞА-Я]|\d)[\w'’.&/-]{0,40}"
_QUOTED = r"“[^”\n]{1,80}”|\"[^\"\n]{1,80}\"|‘[^’\n]{1,80}’"
# what may stand before a name: "the film Dogger Bank", "newcomer Ada Bell" hold one, but are left to the reader
_NAME = rf"(?:{_QUOTED}|(?:[Tt]he\s+|[Aa]n?\s+)?{_BIG}(?:\s+(?:{_SMALL}\s+){{0,2}}{_BIG}){{0,6}})"
_BRACKET = r"(?:\s*(?:\([^()\n]{1,120}\)|\[[^\[\]\n]{1,120}\]))?"
_AND = r"(?:and|or|&|as\s+well\s+as|along\s+with)"
_JOIN = re.compile(rf"\s*(?:[,;]\s+{_AND}\s+|[,;]\s+|\s{_AND}\s+)", re.IGNORECASE)
_LAST = re.compile(rf"{_AND}\s*$", re.IGNORECASE)
_BRACKETED = re.compile(_BRACKET)
_RUN = re.compile(
    rf"{_NAME}{_BRACKET}(?:\s*[,;]\s+{_NAME}{_BRACKET})+(?:\s*[,;]?\s+{_AND}\s+{_NAME}{_BRACKET})?"
    rf"|{_NAME}{_BRACKET}\s+{_AND}\s+{_NAME}{_BRACKET}"
)
# a phrase in small letters: up to six words, none of which opens a clause
_STOP = (
    r"(?:is|are|was|were|has|have|had|will|would|can|could|may|might|must|who|which|that|because|while|when|where|if|"
    r"but|so|as|said|says|including|include|includes|such|he|she|it|they|we|i|you|there|in|on|at|by|after|before|since|"
    r"during|until|under|and|or|not|then)"
)
_PHRASE = re.compile(rf"(?:(?!{_STOP}\b)[\w'’$£€%-]+(?:\s+(?!{_STOP}\b)[\w'’$£€%-]+){{0,5}}){_BRACKET}", re.IGNORECASE)
_OPENS = re.compile(
    r"(?:\b(?:including|includes?|included|like|such\s+as|namely|both|between|are|were|is|was|of|with|from|for|in|"
    r"featur\w+|starr\w+|sells?|sold|uses?|called)|:|\()\s*$", re.IGNORECASE
)  # fmt: skip
_BULLET = re.compile(r"^[ \t]*(?:[-*•–·]|\d{1,3}[.)])[ \t]+(?P<item>\S.*?)[ \t]*$", re.MULTILINE)
_REACH = 1000  # characters on both sides of a span that are looked at
_TRAILING = re.compile(r"\s*(?:\([^()]*\)|\[[^\[\]]*\])\s*$")
_LEADING = re.compile(rf"^\s*(?:{_AND})\s+", re.IGNORECASE)


def enumeration_at(text: str, start: int, end: int, within: Span) -> Enumeration | None:
    """The enumeration that `text[start:end]` stands in, or is; None when it is in none.

    Args:
        within: the sentence (or lines) beyond which it cannot reach.
    """
    bullets = _bullets(text, start, end, within)
    if bullets is not None:
        return bullets
    within = max(within[0], start - _REACH), min(within[1], end + _REACH)
    within = _bracket_around(text, start, end, within)
    for found in enumerations_in(text, within):
        if found.start <= start < found.end and found.start < end <= found.end + 1:
            return _from(start, found)
    return _grown(text, start, end, within)


def _bracket_around(text: str, start: int, end: int, within: Span) -> Span:
    """The inside of the innermost bracket that holds a span, else `within`."""
    low = max(text.rfind("(", within[0], start), text.rfind("[", within[0], start))
    if low < 0 or any(mark in text[low + 1 : start] for mark in ")]"):
        return within
    closing = [place for mark in ")]" if (place := text.find(mark, end, within[1])) >= 0]
    return (low + 1, min(closing)) if closing else within


def _from(start: int, found: Enumeration) -> Enumeration | None:
    """`found` without what its first item holds before `start`: "actors Ada" of which the reader gave "Ada".

    None when the span begins in the midst of another item: it is then about that item, not about the list.
    """
    number = next((n for n, (low, high) in enumerate(found.items) if low < start < high), None)
    if number is None:
        return found
    if number:
        return None
    return Enumeration(start, found.end, ((start, found.items[0][1]), *found.items[1:]))


def enumerations_in(text: str, within: Span) -> list[Enumeration]:
    """The enumerations of names in `text[within[0]:within[1]]`, in order."""
    found = []
    for match in _RUN.finditer(text, *within):
        end = match.end()
        while end > match.start() and text[end - 1] in " .":
            end -= 1  # the full stop of a sentence is no part of its last name
        one = _split(text, match.start(), end)
        if one is not None:
            found.append(one)
    return found


def _split(text: str, start: int, end: int) -> Enumeration | None:
    """`text[start:end]` cut at the commas and "and"s outside its brackets; None when it has fewer than two items."""
    items: list[Span] = []
    begin = start
    for low, high in _joins(text, start, end):
        items.append(_item(text, begin, low))
        begin = high
    items.append(_item(text, begin, end))
    kept = tuple(item for item in items if item[0] < item[1])
    return Enumeration(start, end, kept) if len(kept) > 1 else None


def _joins(text: str, start: int, end: int) -> list[Span]:
    """Where items are joined in `text[start:end]`: outside brackets and quotes."""
    inside = [m.span() for m in re.finditer(rf"\([^()]*\)|\[[^\[\]]*\]|{_QUOTED}", text[start:end])]
    return [
        (start + match.start(), start + match.end())
        for match in _JOIN.finditer(text[start:end])
        if not any(low < match.end() and match.start() < high for low, high in inside)
    ]


def _item(text: str, start: int, end: int) -> Span:
    """An item without the "and" before it and the bracket behind it."""
    lead = _LEADING.match(text[start:end])
    if lead is not None:
        start += lead.end()
    bracket = _TRAILING.search(text[start:end])
    if bracket is not None and bracket.start() > 0:
        end = start + bracket.start()
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1] in " \t\n,;":
        end -= 1
    return start, end


def _grown(text: str, start: int, end: int, within: Span) -> Enumeration | None:
    """The span with the phrases of its own shape that are joined to it on both sides, up to an "and"."""
    named = _named(text[start:end])
    low, high = start, end
    bracket = _BRACKETED.match(text, high, within[1])
    if bracket is not None:
        high = bracket.end()
    closed = any(_LAST.search(text[a:b].rstrip()) for a, b in _joins(text, low, high))
    if not closed:
        high, closed = _right(text, high, within[1], named)
    if not closed:  # commas alone join clauses as often as items
        high = end
    low = _left(text, low, within[0], named)
    one = _split(text, low, high) if closed or low == start else None
    return None if one is None else _from(start, one)


def _right(text: str, high: int, last: int, named: bool) -> tuple[int, bool]:
    """Where the items after `high` end, and whether an "and" told which is the last."""
    while True:
        join = _JOIN.match(text, high, last)
        item = None if join is None else _PHRASE.match(text, join.end(), last)
        if join is None or item is None or _named(item.group()) != named:
            return high, False
        follows = text[item.end() : last]
        if _LAST.search(join.group().rstrip()) is not None:
            return (item.end(), True) if re.match(r"\s*(?:[,.;:)!?—–]|$)", follows) else (high, False)
        if _JOIN.match(follows) is None:
            return high, False  # a clause, not an item
        high = item.end()


def _named(item: str) -> bool:
    return re.match(r"[\W_]*(?:[Tt]he\s+|[Aa]n?\s+)?[^a-zà-ÿ\W_]", item) is not None


def _left(text: str, low: int, first: int, named: bool) -> int:
    """Where the items before `low` begin."""
    while True:
        join = re.search(rf"(?:[,;]\s+{_AND}\s+|[,;]\s+|\s{_AND}\s+)$", text[first:low], re.IGNORECASE)
        if join is None:
            return low
        before = first + join.start()
        cuts = [first + m.end() for m in re.finditer(rf"[,;]\s+|\s{_AND}\s+", text[first:before], re.IGNORECASE)]
        begin = max(cuts, default=None)
        if begin is not None and _PHRASE.fullmatch(text[begin:before].strip()) and _named(text[begin:before]) == named:
            low = begin
            continue
        opening = [
            begin
            for begin in (m.start() + first for m in re.finditer(r"\S+", text[first:before]))
            if _OPENS.search(text[first:begin])
            and _PHRASE.fullmatch(text[begin:before])
            and _named(text[begin:before]) == named
        ]
        return opening[-1] if opening else low


def _bullets(text: str, start: int, end: int, within: Span) -> Enumeration | None:
    lines = [(m.start(), m.end(), m.start("item"), m.end("item")) for m in _BULLET.finditer(text)]
    here = next((n for n, line in enumerate(lines) if line[0] <= start and end <= line[1]), None)
    if here is None:
        return None
    low = high = here
    while low > 0 and not text[lines[low - 1][1] : lines[low][0]].strip():
        low -= 1
    while high + 1 < len(lines) and not text[lines[high][1] : lines[high + 1][0]].strip():
        high += 1
    if low == high:
        return None
    items = tuple(_item(text, a, b) for _, _, a, b in lines[low : high + 1])
    return Enumeration(items[0][0], lines[high][3], items)
