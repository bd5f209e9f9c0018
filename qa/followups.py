"""A follow-up question -> questions that stand alone, proposed from the turns before it. Pure text, no model.

"who plays Werner?" -> "what else was he in?" is proposed as "what else was Louis Hofmann in?", "and Marie Laure?" as
"who plays Marie Laure?". Several readings are proposed; the reader's confidence chooses among them and the question as
typed. A question without a sign of leaning on the last one gets no proposal, so it is never bent.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from qa.types import Turn

__all__ = ["is_fragment", "leans_back", "readings"]

_PERSON = frozenset({"he", "she", "him", "her", "his", "hers", "himself", "herself"})
_THING = frozenset({"it", "its", "that", "this", "itself"})
_MANY = frozenset({"they", "them", "their", "theirs", "those", "these", "themselves"})
_POSSESSIVE = frozenset({"his", "its", "their"})
_PRONOUNS = _PERSON | _THING | _MANY
_POINTING = frozenset({"that", "this", "those", "these"})
_ARTICLES = frozenset({"the", "a", "an"})
_ASKING = frozenset({"who", "what", "when", "where", "which", "whom", "whose", "why", "how"})
# words that hold a question together; what stands between them is what it speaks of
_GLUE = (_ASKING | _PRONOUNS) | frozenset(
    "is are was were be been do does did has have had can could will would should may might must a an the of in on at "
    "to for from by with about as into than and or but if there many much old long far often else also tell me i you "
    "we my your name play plays played playing called call get got make made say said".split()
)
# "that film", "this town": a pointing word before one of these stands for what the last turn spoke of
_KINDS = frozenset(
    "film movie series show play novel book story episode album song band game company firm business team club party "
    "city town village country place school house building bridge ship boat man woman person actor actress character "
    "role project event award prize museum hotel restaurant one group".split()
)
_LEAD = re.compile(r"^\s*(?:(?:and|but|so|ok|okay)\b[\s,]*)?(?:(?:what|how) about\b[\s,]*)?", re.IGNORECASE)
_VERB = re.compile(
    r"\b(?:is|are|was|were|be|been|do|does|did|has|have|had|can|could|will|would|should|may|might|must|\w+'s|\w+’s)\b",
    re.IGNORECASE,
)
_DO = re.compile(r"\b(?:do|does|did)\b", re.IGNORECASE)
_EXISTS = re.compile(r"\b(?:is|are|was|were|be|been)\s+there\b|\bthere\s+(?:is|are|was|were)\b", re.IGNORECASE)
# "is it true that ...", "what does it cost to ...": an "it" that stands for what comes after it
_EMPTY_IT = re.compile(
    r"\b(?:is|was|would be|be)\s+it\s+(?:\w+\s+){1,3}(?:to|that|who|which)\b|\bit\s+costs?\b.*\bto\b", re.IGNORECASE
)
_WORD = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*")
_PRONOUN = re.compile(
    rf"\b({'|'.join(sorted({*_PRONOUNS, 'there'}, key=len, reverse=True))})\b(['’]s\b)?", re.IGNORECASE
)
# what no "he", "it" or "they" stands for: "12 March 1930", "$5.1 million", "about 40 %"
_AMOUNT = re.compile(
    r"(?:(?:about|around|nearly|almost|over|only|just|in|on|at|from|until|the night of)\s+)*[$£€]?\d|"
    r"(?:january|february|march|april|may|june|july|august|september|october|november|december)\s+\d",
    re.IGNORECASE,
)
_MOST = 6


def is_fragment(question: str) -> bool:
    """Whether a question is no whole one, such as "and Marie Laure?" or "and where?"."""
    rest = question[match.end() :] if (match := _LEAD.match(question)) else question
    words = [word.lower() for word in _WORD.findall(rest)]
    return not _VERB.search(rest) and (len(words) <= 2 or not _ASKING & set(words))


def leans_back(question: str) -> bool:
    """Whether a question shows a sign of needing the turn before it: a pronoun, an ellipsis, a bare question word."""
    return _is_bare(question) or _is_ellipsis(question) or _leaning_word(question) is not None


def readings(question: str, history: Sequence[Turn]) -> list[str]:
    """Questions that stand alone which `question` may mean after `history` (oldest first), likeliest first.

    At most six, none when it does not lean on the last turn.
    """
    if not history:
        return []
    if _is_bare(question):
        proposed = _bare(question, history[-1])
    elif _is_ellipsis(question):
        proposed = _ellipsis(question, history[-1])
    else:
        proposed = _pronouns(question, history)
    typed = question.strip().lower()
    return list(dict.fromkeys(" ".join(text.split()) for text in proposed if text.strip().lower() != typed))[:_MOST]


def _is_bare(question: str) -> bool:
    """ "when?", "for how long?", "which routes?": a question word, and no verb that would make it a question."""
    words = [word.lower() for word in _WORD.findall(_LEAD.sub("", question))]
    if not 0 < len(words) <= 4 or _VERB.search(question) is not None:
        return False
    if words[0] in {"who", "whom", "what"}:  # "who wrote the songs?" has a verb too, though none that is known here
        return len(words) <= 2
    return bool(_ASKING & set(words[:2]))


def _is_ellipsis(question: str) -> bool:
    """ "and Marie Laure?", "what about the other one?": a lead and then no question of its own."""
    rest = _LEAD.sub("", question)
    words = [word.lower() for word in _WORD.findall(rest)]
    if rest == question.lstrip() or not 0 < len(words) <= 8:
        return False
    return words[0] not in _ASKING and _VERB.match(rest.lstrip()) is None


def _leaning_word(question: str) -> re.Match[str] | None:
    """The first pronoun (or "there") that stands for something outside the question."""
    for match in _PRONOUN.finditer(question):
        word = match.group(1).lower()
        before, after = question[: match.start()], question[match.end() :]
        names = [name for name in _WORD.findall(before)[1:] if name[0].isupper() and name.lower() not in _GLUE]
        if names or (word in _THING and re.search(r"\b(?:the|a|an)\s+\w+", before)):
            continue  # the question itself says what is meant
        if word == "it" and _EMPTY_IT.search(question):
            continue
        if word == "there" and (_EXISTS.search(question) or not before.strip()):
            continue
        if word in _POINTING:
            follows = _WORD.match(after.lstrip())
            if follows and follows.group().lower() in _KINDS:
                return match
            comes = _WORD.findall(before)
            if comes and _VERB.fullmatch(comes[-1]):  # "how long did that take"
                return match
            if (follows and follows.group().lower() not in _GLUE) or (comes and comes[-1].lower() not in _GLUE):
                continue  # "that species", "the dog that found him"
        return match
    return None


def _remainder(question: str) -> str:
    """A question without its first question word: "Who directs the remake?" -> "directs the remake"."""
    words = question.strip().rstrip("?. ").split()
    return " ".join(words[1:]) if words and words[0].lower() in _ASKING else " ".join(words)


def _bare(question: str, last: Turn) -> list[str]:
    asking = _LEAD.sub("", question).strip().rstrip("?").strip()
    rest = _remainder(last.question)
    told = [f"{asking} {rest} {last.answer}?"] if last.answer else []
    return [*told, f"{asking} {rest}?", *([f"{asking} {last.answer}?"] if last.answer else [])]


def _ellipsis(question: str, last: Turn) -> list[str]:
    """The last question with one thing it speaks of exchanged for the new one."""
    new = _LEAD.sub("", question).strip().rstrip("?").strip()
    if last.answer:
        new = re.sub(r"\b(?:his|her|their|its)\b", f"{last.answer}'s", new, flags=re.IGNORECASE)
    old = last.question.strip()
    exchanged = [f"{old[:start]}{new}{old[end:]}" for start, end in reversed(_chunks(old))]
    return [*exchanged, f"{old.rstrip('?. ')} {new}?"]


def _pronouns(question: str, history: Sequence[Turn]) -> list[str]:
    """The question with its pronouns exchanged for what the last turns spoke of."""
    return [_exchanged(question, one) for one in _spoken_of(question, history)]


def _spoken_of(question: str, history: Sequence[Turn]) -> list[str]:
    words = {word.lower().removesuffix("'s").removesuffix("’s") for word in _WORD.findall(question)}
    found: list[str] = []
    for turn in reversed(history[-2:]):
        asked_who = turn.question.strip().lower().startswith(("who", "which actor", "which person"))
        mentioned = [one for start, end in _named(turn.question) for one in _without_verb(turn.question, start, end)]
        if turn.answer is not None and not (words & _THING and asked_who and not words & (_PERSON | _MANY)):
            found.append(turn.answer)
        found.extend(reversed(mentioned))
    if words & (_PERSON | _THING | _MANY) and not words & _POINTING:
        found = [one for one in found if not _AMOUNT.match(one)]
    return [one for one in found if one.strip()]


def _named(question: str) -> list[tuple[int, int]]:
    """The chunks of a question that name something: after "did the bridge" a bare "open" or "set out" is its verb."""
    chunks = _chunks(question)
    helper = _DO.search(question)
    after = [span for span in chunks if helper is not None and span[0] > helper.end()]
    verbs = {
        (start, end)
        for start, end in after[1:]
        if question[start:end].islower() and question[start:end].split()[0] not in _ARTICLES
    }
    return [span for span in chunks if span not in verbs]


def _is_glue(word: str, *, opens: bool) -> bool:
    """Whether a word only holds the question together; "Long" in "The Long Night" does not."""
    return word.lower() in _GLUE and (opens or word == "I" or not word[0].isupper())


def _without_verb(question: str, start: int, end: int) -> list[str]:
    """What a chunk names: after "did the bridge open" also without the verb at its end."""
    whole = question[start:end]
    shorter = whole.rsplit(" ", 1)[0]
    ends_in_verb = _DO.search(question[:start]) and " " in whole and shorter.lower() not in _ARTICLES
    return [whole, shorter] if ends_in_verb and whole.rsplit(" ", 1)[1].islower() else [whole]


def _exchanged(question: str, one: str) -> str:
    match = _leaning_word(question)
    if match is None:
        return question
    word, before, after = match.group(1).lower(), question[: match.start()], question[match.end() :]
    if word == "there":
        return f"{before}at {one}{after}"
    follows = _WORD.match(after.lstrip())
    if word in _POINTING and follows and follows.group().lower() in _KINDS:
        return f"{before}{one}{after.lstrip()[follows.end() :]}"
    # "what is her job", but "who met her"
    possessive = word in _POSSESSIVE or (word == "her" and follows and follows.group().lower() not in _GLUE)
    return f"{before}{one}{chr(39) + 's' if possessive or match.group(2) else ''}{after}"


def _chunks(question: str) -> list[tuple[int, int]]:
    """Character spans of what a question speaks of: runs of words that are not glue, with their article.

    A run ends where names begin or end ("Janet Osei | win"), unless an article opens it ("the ferryman Obiora"). The
    word after an asking "who" or "what" is a verb ("who | presents | Cold Ledger") and no part of any.
    """
    words = list(_WORD.finditer(question))
    glue = [_is_glue(word.group(), opens=number == 0) for number, word in enumerate(words)]
    if len(words) > 2 and words[0].group().lower() in {"who", "what"} and words[1].group()[0].islower():
        glue[1] = True
    spans: list[tuple[int, int]] = []
    first: int | None = None
    for number, word in enumerate(words):
        if glue[number]:
            first = None
            continue
        article = first is not None and first > 0 and words[first - 1].group().lower() in _ARTICLES
        named, was_named = word.group()[0].isupper(), number > 0 and words[number - 1].group()[0].isupper()
        if first is None or (named != was_named and not (article and named)):
            first = number
            begin = (
                words[number - 1].start()
                if number > 0 and words[number - 1].group().lower() in _ARTICLES
                else word.start()
            )
            spans.append((begin, word.end()))
        else:
            spans[-1] = (spans[-1][0], word.end())
    return spans
