"""Yes/no questions: the sentence that decides, and a yes or no only where that is safe.

Safe means: the sentence says the very words of the question, in their order and in one clause, and what asks is neither
hedged nor half denied. "No" needs an explicit negation, or another date or number where the question has one.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
from typing import TYPE_CHECKING

from index.passages import sentence_spans
from index.types import Document
from qa.candidates import evidence_at
from qa.cover import topic_of
from qa.kinds.dates import Date, agree, dates_in
from qa.kinds.lemmas import lemma
from qa.reading import Found
from qa.types import Answer

if TYPE_CHECKING:
    from qa.pipeline import Answerer

__all__ = ["decided", "verdict"]

_WORD = re.compile(r"[^\W_]+(?:['’](?:s|t)\b)?")
_IS_IT_TRUE = re.compile(
    r"^\s*(?:is|was|isn['’]t)\s+it\s+(?:really\s+|actually\s+)?(?:true|right|correct|so|the\s+case|a\s+fact)\s+that\s+",
    re.IGNORECASE,
)
_LIGHT = frozenset(
    "a an the is are was were be been being do does did has have had can could will would should of to in on at for "
    "from by with and it its he she they them his her their this that there any some ever also really actually "
    "currently now still please i you we my your get got".split()
)
_NEGATION = re.compile(r"\b(?:not|never|no|cannot|nobody|nothing|none|neither|nor|without)\b|n['’]t\b", re.IGNORECASE)
_HEDGE = re.compile(
    r"\b(?:may|might|could|would|should|if|unless|perhaps|possibly|probably|reportedly|rumou?r\w*|claim\w*|alleg\w*|"
    r"den(?:y|ies|ied)|almost|nearly|plan(?:s|ned)?|hop(?:e|es|ed|ing)|expect\w*|want\w*|tr(?:y|ies|ied)|fail\w*|"
    r"refus\w*|declin\w*|instead|rather|hardly|barely|until|used\s+to|no\s+longer|whether|supposed\w*|believ\w*|"
    r"appear\w*|seem\w*|intend\w*|consider\w*|dream\w*|pretend\w*|said|says|thought|suggest\w*)\b", re.IGNORECASE,
)  # fmt: skip
_FUTURE = re.compile(r"\b(?:will|shall|is\s+to|are\s+to|going\s+to|won['’]t)\b", re.IGNORECASE)
_BREAK = re.compile(
    r"[,;:—–()]|\b(?:who|whom|whose|which|that|but|while|whereas|although|though|because|after|before)\b", re.I
)
_COMPOUND = re.compile(r"([\w’']+)-(\w+ing)\s+(\w+)")
_NUMBERS = {
    w: str(n) for n, w in enumerate("zero one two three four five six seven eight nine ten eleven twelve".split())
}
_COVERED = 0.75
_ENCODED = 6
_NEAR = 40  # characters that may lie between what is said and its date


def decided(answerer: Answerer, question: str, found: Found, plain: Answer) -> Answer:
    """The sentence that decides a yes/no question, with a verdict where that is safe; refused when there is none."""
    question = _IS_IT_TRUE.sub("is ", question)
    topic = topic_of(_without_auxiliary(question), answerer.reader.rank)
    wanted = {lemma(word): weight for word, weight in topic.items() if word not in _LIGHT}
    names = {lemma(word.lower()) for word in _words(question)[1:] if word[0].isupper() or word[0].isdigit()}
    covered: list[tuple[float, Document, int, int]] = []
    for document, start, end in _sentences(found):
        have = {lemma(word.lower()) for word in _words(document.text[start:end].replace("-", " "))}
        total = sum(wanted.values())
        share = sum(weight for word, weight in wanted.items() if word in have) / total if total else 0.0
        dated = bool(names) and names <= have
        if share >= _COVERED and (dated or not names or verdict(question, document.text[start:end]) is False):
            covered.append((share, document, start, end))
    if not covered:
        return dataclasses.replace(plain, text=None, evidence=None, confidence=min(plain.confidence, 0.4), kind="yesno")
    covered.sort(key=lambda one: -one[0])
    covered = covered[:_ENCODED]
    vectors = answerer.encoder.encode([question, *(d.text[a:b] for _, d, a, b in covered)])
    near = [max(0.0, float(vector @ vectors[0])) for vector in vectors[1:]]
    ruled = [verdict(question, d.text[a:b]) for _, d, a, b in covered]
    # sentences that rule both ways decide nothing
    agreed = len({rule for rule in ruled if rule is not None}) == 1
    best = max(range(len(covered)), key=lambda n: (agreed and ruled[n] is not None, covered[n][0] + near[n]))
    share, document, start, end = covered[best]
    confidence = share * (0.5 + 0.5 * near[best])
    if confidence < answerer.threshold:
        return dataclasses.replace(plain, text=None, evidence=None, confidence=confidence, kind="yesno")
    return dataclasses.replace(
        plain,
        text=document.text[start:end],
        confidence=confidence,
        evidence=evidence_at(document, start, end),
        kind="yesno",
        verdict=ruled[best] if agreed else None,
        alternatives=(),
    )


def verdict(question: str, sentence: str) -> bool | None:
    """Whether a sentence affirms (True) or denies (False) what a yes/no question asks; None when that is not safe."""
    if _NEGATION.search(question) or sentence.rstrip('"”’) ').endswith("?"):
        return None
    if _hedged(question, sentence):
        return None
    for compound in _COMPOUND.finditer(sentence):  # "a prize-winning novel" is a novel that won a prize
        before = sentence[max(0, compound.start() - 40) : compound.start()]
        if [lemma(compound[n].lower()) for n in (3, 2, 1)] == _wanted(question) and not _denials(before):
            return True
    if "“" in sentence or '"' in sentence:
        return None  # what somebody says is not what the document says
    asked, told = dates_in(question), dates_in(sentence)
    if len(asked) > 1 or (asked and len(told) != 1):
        return None
    same: bool | None = True
    if asked:  # the rest of the sentence is compared without its date
        same = agree(asked[0], told[0])
        if same and not _as_exact(told[0], asked[0]):
            return None
        question = question[: asked[0].start] + question[asked[0].end :]
        sentence = sentence[: told[0].start] + " " * (told[0].end - told[0].start) + sentence[told[0].end :]
    wanted = _wanted(question)
    if same is None or len(wanted) < 2:
        return None
    if not asked and _other_number(wanted, sentence):
        return None if _denials(sentence) else False
    span = _in_order(wanted, sentence)
    if span is None or (asked and not span[0] - _NEAR < told[0].start < span[1] + _NEAR):
        return None
    denials = len(_denials(sentence))
    if denials == 0:
        return same
    return False if denials == 1 and same and _denials(sentence[span[0] : span[1]]) else None


def _hedged(question: str, sentence: str) -> bool:
    """Whether a sentence is less than sure of what it says, or speaks of what is yet to come."""
    for date in reversed(dates_in(sentence)):  # the month of May is no "may"
        sentence = sentence[: date.start] + sentence[date.end :]
    if any(hedge.group() not in question.lower() for hedge in _HEDGE.finditer(sentence.lower())):
        return True
    return _FUTURE.search(sentence) is not None and not re.match(r"\s*(?:will|is|are)\b", question, re.IGNORECASE)


def _wanted(question: str) -> list[str]:
    words = (word.lower() for word in _words(_without_auxiliary(question)))
    return [_value(word) for word in words if word not in _LIGHT]


def _denials(text: str) -> list[str]:
    """The negations of a text; "Cannot" written large in its midst is part of a title."""
    return [m.group() for m in _NEGATION.finditer(text) if m.start() == 0 or not m.group()[0].isupper()]


def _as_exact(told: Date, asked: Date) -> bool:
    """Whether a date tells all that was asked: "in 2023" does not make it "on 2 November 2023"."""
    pairs = ((told.year, asked.year), (told.month, asked.month), (told.day, asked.day))
    return all(t is not None for t, a in pairs if a is not None)


def _in_order(wanted: list[str], sentence: str) -> tuple[int, int] | None:
    """Where the wanted words stand in their order in one clause whose subject is the first of them."""
    words = [(m.start(), m.end(), m.group()) for m in _WORD.finditer(sentence)]
    values = [_value(word.lower()) for _, _, word in words]
    place = -1
    places: list[int] = []
    for one in wanted:
        if one not in values[place + 1 :]:
            return None
        place = values.index(one, place + 1)
        places.append(place)
    first, last = words[places[0]][0], words[places[-1]][1]
    # the subject opens the sentence or what follows a comma: in "Ada beat Ben and won" Ben did not win
    opening = max((m.end() for m in re.finditer(r"[,;:]\s", sentence[:first])), default=0)
    before = [word for word in _words(sentence[opening:first]) if word.lower() not in _LIGHT]
    if sentence[first].isupper() and len(before) == 1 and before[0][0].isupper():
        before = []  # "Ada Bell" where the question says "Bell"
    if before or _BREAK.search(sentence, first, last):
        return None
    for here, there in itertools.pairwise(places):
        between = [word for _, _, word in words[here + 1 : there]]
        if words[here][2].lower().endswith(("'s", "’s")) or (
            any(w[0].isupper() for w in between) and here == places[0] and not _surname(between)
        ):
            return None  # somebody or something else stands between
    return first, last


def _surname(between: list[str]) -> bool:
    """Whether names between are the rest of a name: "Ada Bell" where the question says "Ada"."""
    big = [word[0].isupper() for word in between]
    return big[0] and sum(big) <= 2 and all(not later for later in big[sum(big) :])


def _other_number(wanted: list[str], sentence: str) -> bool:
    """Whether the sentence says all that is wanted, but with another number of the same things."""
    numbers = [n for n, value in enumerate(wanted) if value.isdigit() and n + 1 < len(wanted)]
    if len(numbers) != 1:
        return False
    number, thing = wanted[numbers[0]], wanted[numbers[0] + 1]
    plain = sentence.replace("-", " ")
    said = [_value(word.lower()) for word in _words(plain)]
    others = {a for a, b in itertools.pairwise(said) if b == thing and a.isdigit()}
    rest = wanted[: numbers[0]] + wanted[numbers[0] + 1 :]
    return len(others) == 1 and number not in others and len(rest) >= 2 and _in_order(rest, plain) is not None


def _without_auxiliary(question: str) -> str:
    return re.sub(r"^\s*\S+\s+", "", question)


def _words(text: str) -> list[str]:
    return _WORD.findall(text)


def _value(word: str) -> str:
    return _NUMBERS.get(word) or lemma(word)


def _sentences(found: Found) -> list[tuple[Document, int, int]]:
    seen: dict[tuple[int, int, int], tuple[Document, int, int]] = {}
    for window in found.windows:
        first, last = int(window.tokens.offsets[0, 0]), int(window.tokens.offsets[-1, 1])
        for start, end in sentence_spans(window.document.text):
            if first <= start and end <= last:
                seen[window.document.id, start, end] = (window.document, start, end)
    return list(seen.values())
