"""What of a sentence can be looked up word for word: names, numbers, dates and quotations; and questions for them."""

from __future__ import annotations

import re
import unicodedata

from qa.kinds.dates import agree, dates_in

__all__ = ["missing_facts", "questions_about"]

_TOKEN = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+(?:['’][^\W\d_]+)?", re.UNICODE)
_QUOTED = re.compile(r"[“\"«]([^“”\"«»]{3,200})[”\"»]")
_POSSESSIVE = re.compile(r"['’]s?$")
_COUNTS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty"
)
_NUMBERS = {word: str(number) for number, word in enumerate(_COUNTS.split()) if number != 1}  # "one" is a pronoun
# what a sentence may begin with without naming anything
_OPENERS = frozenset(
    "a an the this that these those it its he his she her they their there here in on at by for from with as after "
    "before during while when where since until although though because if both each all some many most several one "
    "according to of and but or so also however i we you who which what not no yes later then another other".split()
)
_ENDING = re.compile(r"\w{3}(?:ing|ed|e?s|ly)$")
_JOINS = frozenset("of the de la le van von der den al bin du da di and &".split())
_ENUMERATED = re.compile(r"\s*(?:,|and\b|or\b|&|['’]s?\b)")
_ENUMERATES = re.compile(r"(?:,|\band|\bor|&)\s*$")


def missing_facts(sentence: str, passages: str) -> str | None:
    """The first date, quotation, number or name of a sentence that the passages do not have; None when there is none.

    Dates are compared by value, numbers without thousands commas, number words as numbers, names without regard to
    case. A capital at the beginning of the sentence makes a name only of a word that the passages do not have either.
    """
    sentence, passages = _even(sentence), _even(passages)
    told = dates_in(passages)
    kept = sentence
    for date in dates_in(sentence):
        exact = [
            other for other in told
            if agree(date, other) and not any(
                a is not None and b is None
                for a, b in ((date.year, other.year), (date.month, other.month), (date.day, other.day))
            )
        ]  # fmt: skip
        if not exact and (date.month, date.day) == (None, None):
            continue  # a number from 1000 to 2099 need not be a year; it is looked up with the other numbers
        if not exact:
            return sentence[date.start : date.end]
        kept = kept[: date.start] + " " * (date.end - date.start) + kept[date.end :]
    squeezed = _words_only(passages)
    for quoted in _QUOTED.findall(sentence):
        if f" {_words_only(quoted)} " not in f" {squeezed} ":
            return str(quoted)
    there = {_norm(token) for token in _TOKEN.findall(passages)}
    for number, match in enumerate(_TOKEN.finditer(kept)):
        token = match.group()
        norm = _norm(token)
        if norm in there or not (norm[0].isdigit() or token[0].isupper()):
            continue
        if number == 0 and (norm in _OPENERS or _inflected(norm, there)):
            continue
        return token
    return None


def questions_about(sentence: str) -> list[tuple[str, str]]:
    """Questions whose answers a sentence claims to know, as (question, answer): for the name it begins with, and for
    the one it ends with.

    "Ann directed Boats" becomes "who directed Boats?" and "Ann directed what?". Names in the middle are left out: taken
    out of there they leave no question that a reader understands.
    """
    sentence = sentence.strip().rstrip(".!?… ")
    asked = []
    for start, end in _facts(sentence):
        fact, before, after = sentence[start:end], sentence[:start], sentence[end:]
        if dates_in(fact) or fact[0].isdigit() or fact.lower() in _NUMBERS:
            continue  # these stand in the passages or do not; a reader is not needed
        if start == 0 and after.strip() and not _ENUMERATED.match(after):
            asked.append((f"who{after}?", fact))
        elif end == len(sentence) and not _ENUMERATES.search(before):
            asked.append((f"{before}{'whom' if before.endswith(' by ') else 'what'}?", fact))
    return asked


def _facts(sentence: str) -> list[tuple[int, int]]:
    """Where names (runs of capitals), numbers and dates stand."""
    dates = [(date.start, date.end) for date in dates_in(sentence)]
    found: list[tuple[int, int]] = list(dates)
    run: tuple[int, int] | None = None
    joining = False
    for number, match in enumerate(_TOKEN.finditer(sentence)):
        start, end = match.span()
        if any(first < end and start < last for first, last in dates):
            run = None
            continue
        token = match.group()
        opener = number == 0 and token.lower() in _OPENERS
        if (token[0].isupper() and not opener) or token[0].isdigit() or token.lower() in _NUMBERS:
            together = run is not None and re.fullmatch(r"[\s.&-]*", sentence[run[1] : start]) is not None
            if run is not None and (together or joining):
                found[-1] = run = (run[0], end)
            else:
                run = (start, end)
                found.append(run)
            joining = False
        elif run is not None and token.lower() in _JOINS and token.lower() != "and":
            joining = True
        else:
            run, joining = None, False
    return sorted(found)


def _even(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def _norm(token: str) -> str:
    token = _POSSESSIVE.sub("", token.lower())
    if token[:1].isdigit():
        return token.replace(",", "")
    return _NUMBERS.get(token, token) or "'"


def _words_only(text: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", text.lower()))


def _inflected(word: str, there: set[str]) -> bool:
    """Whether a word stands there in another form: "filming" where "filmed" does."""
    return _ENDING.search(word) is not None and any(other[:4] == word[:4] for other in there)
