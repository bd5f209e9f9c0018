"""What kind of question is asked, by its words alone. Whatever is not clearly of a kind is a plain "span" question."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["TALK", "Kind", "kind_of"]

TALK = frozenset({"greeting", "thanks", "goodbye", "help"})  # kinds that ask nothing of the documents


@dataclass(frozen=True, slots=True)
class Kind:
    """The kind of a question.

    Attributes:
        name: "span", "list", "count", "yesno", "definition", "about", "summary", or one of `TALK`.
        subject: who or what is to be defined, or what the summary is to be of; None for "it" and for other kinds.
        number: how many items a list question asks for ("which two films"); None when it doesn't say.
        besides: names a list question leaves out ("besides Ada and Ben").
        explicit: whether a list is asked for in so many words ("list the", "who else"), not by a plural alone.
        more: whether a list question asks for what has not been said yet ("who else").
        reworded: the question that a "count" is read as ("which actors are named?"); else None.
    """

    name: str
    subject: str | None = None
    number: int | None = None
    besides: str | None = None
    explicit: bool = False
    more: bool = False
    reworded: str | None = None


SPAN = Kind("span")

_LEAD = re.compile(
    r"^(?:(?:so|and|but|well|ok|okay|please|hey|hi|hello|um|uh)\b[\s,]*)*"
    r"(?:(?:(?:can|could|would|will)\s+you\s+)?(?:please\s+)?(?:tell|remind)\s+(?:me|us)\s+(?:again\s+)?|do\s+you\s+know\s+|"
    r"i(?:'d|’d|\s+would)\s+like\s+to\s+know\s+|i(?:'m|’m|\s+am)\s+curious\s+(?:to\s+know\s+)?|"
    r"i\s+want(?:ed)?\s+to\s+know\s+|i\s+wonder\s+)?(?:please\s+)?",
    re.IGNORECASE,
)


def _whole(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"^(?:{pattern})$", re.IGNORECASE)


_GREETING = _whole(
    r"(?:hi+|hello|hey+|hiya|howdy|greetings|good\s+(?:morning|afternoon|evening|day))(?:\s+(?:there|all|everyone|again))?"
)
_THANKS = _whole(
    r"(?:(?:ok|okay|great|perfect|good|cool)[\s,]+)?(?:many\s+|much\s+)?(?:thanks?|thx|ty|cheers|thank\s+you)"
    r"(?:\s+(?:you|a\s+lot|a\s+bunch|very\s+much|so\s+much|again|everyone|for\s+(?:that|this|the\s+\w+|your\s+\w+)))*"
)
_GOODBYE = _whole(
    r"(?:good\s?bye|bye+(?:\s+bye)?|see\s+you(?:\s+(?:later|soon))?|good\s+night)(?:\s+(?:then|now|all))?"
)
_HELP = _whole(
    r"(?:help|(?:so\s+)?what\s+(?:else\s+)?(?:can|could|should|may|might|do)\s+(?:i|we|one)\s+ask(?:\s+(?:you|here|about|now))*|"
    r"what\s+(?:kinds?\s+of\s+|sorts?\s+of\s+)?(?:questions?|things)\s+(?:can|could|should|may)\s+(?:i|we)\s+ask(?:\s+(?:you|here|about))*|"
    r"what\s+(?:questions?\s+)?can\s+you\s+(?:answer|do|tell\s+me)|"
    r"(?:suggest|give\s+me|show\s+me)\s+(?:(?:some|a\s+few|an?|more)\s+)?(?:example\s+)?questions?(?:\s+to\s+ask)?)"
)

_TEXT = r"(?:(?:the|this|that|these|those|your|my)\s+)?(?:article|text|document|page|file|piece|report)s?"
_PRONOUN = r"(?:it|this|that|they|these|those|all\s+this|all\s+of\s+(?:it|this))"
_SUMMARY = _whole(
    r"(?:(?:can|could|would|will)\s+you\s+)?(?:please\s+)?(?:summari[sz]e|sum\s+up|give\s+(?:me|us)\s+(?:a|the)\s+(?:\w+\s+)?"
    r"(?:summary|overview|gist)(?:\s+of)?|(?:a\s+)?(?:short\s+|brief\s+|quick\s+)?(?:summary|overview)(?:\s+of)?|tl;?dr|"
    r"what\s+(?:are|is)\s+the\s+(?:main|key)\s+points?(?:\s+of)?|what(?:'s|’s|\s+is)\s+the\s+gist(?:\s+of)?)"
    r"(?:\s+(?P<of>.+?))?(?:\s+(?:please|for\s+me|in\s+short|briefly))*"
)
_ABOUT = _whole(r"what(?:\s+is|\s+are|'s|’s|s|\s+was)\s+(?P<of>.+?)\s+(?:all\s+)?about")
_PLOT = _whole(
    r"(?:(?:what(?:'s|’s|s|\s+is|\s+was)|describe|explain|give\s+(?:me|us))\s+)?(?:the\s+)?(?:basic\s+|main\s+)?"
    r"(?:plot|plot\s?line|story\s?line|premise|synopsis)(?:\s+(?:of|in|for)\s+(?!short|brief|a\s+nutshell|a\s+few)(?P<of>.+?))?"
    r"(?:\s+(?:in\s+short|in\s+brief|briefly|please|in\s+a\s+nutshell|in\s+a\s+few\s+words|for\s+me))*"
)
_NOTHING_NAMED = _whole(rf"{_TEXT}|{_PRONOUN}")

_DEFINE_WHO = _whole(
    r"(?:who(?:\s+(?:or\s+what|even|exactly|actually))?(?:\s+is|\s+was|\s+are|\s+were|'s|’s)|who)\s+(?P<one>.+?)(?:\s+(?:anyway|again|exactly))?"
)
_DEFINE_WHAT = _whole(
    r"(?:what(?:\s+(?:even|exactly|actually))?(?:\s+is|\s+was|\s+are|\s+were|'s|’s)\s+(?!meant\b)(?P<one>.+?)"
    r"|define\s+(?P<two>.+?)|(?:what\s+does\s+)(?P<four>.+?)\s+mean|what\s+is\s+meant\s+by\s+(?P<three>.+?))(?:\s+(?:anyway|exactly))?"
)
_TOLD_WHO = _whole(r"(?P<what>who|what)\s+(?P<one>.+?)\s+(?P<be>is|was|are|were)")  # "tell me who Ada Bell is"
_ATTRIBUTE = re.compile(
    r"['’]s?\b|\b(?:of|in|at|on|from|for|with|by|to|about|who|that|which|when|called|named)\b", re.I
)
_PROPER = re.compile(
    r"^[A-ZÀ-Þ][\w'’.-]*(?:\s+(?:(?:of|the|and|de|van|von|la|le|for|in|on|to|a|an|&)\s+)*[A-ZÀ-Þ\d][\w'’.-]*)*$"
)
_TITLE = re.compile(
    r"^(?:mr|mrs|ms|miss|dr|prof|professor|sir|dame|lady|lord|captain|king|queen|sister|father)\b\.?\s", re.I
)
_DETERMINER = re.compile(
    r"^(?:the|a|an|his|her|its|their|our|my|your|this|that|these|those|he|she|it|they|there|him|them|i|you|we|not|"
    r"going|still|in|on|at|next|first|last|best|most|all)\b", re.I
)  # fmt: skip
_VERBISH = re.compile(r"\w(?:ing|ed)\b|\b(?:known|written|made|named|called|worth|teh|best|\w{3,}est)\b", re.I)

_NUMBER_WORDS = {word: n for n, word in enumerate("two three four five six seven eight nine ten".split(), start=2)}
_NUMBER = rf"(?:{'|'.join(_NUMBER_WORDS)}|\d{{1,2}})"
_MODIFIER = r"(?:(?!(?:who|which|that|of|in|on|from|for|to)\b)[\w'’-]+\s+){0,2}?"
# plural by its form; "series", "news" and the like are not, "people" is; "does" and "was" are verbs
_PLURAL = (
    r"(?:people|men|women|children|cast|crew|(?!(?:was|does|has|is|its|his|this|plus|across|less|makes|ones)\b)"
    r"[a-z]{3,}s(?<!series)(?<!species)(?<!news)(?<![suoi]s))"
)
_HELPER = r"(?:are|were|do|did|have|had|can|could|will|would|may|must)"
_BESIDES = re.compile(
    r"[\s,]+(?:besides|apart\s+from|other\s+than|aside\s+from|in\s+addition\s+to|except(?:\s+for)?)\s+(?P<names>[^,?]+)",
    re.IGNORECASE,
)
_LISTS = (
    re.compile(r"^(?:who|what|which\s+\w+)\s+else\b", re.I),
    re.compile(r"^who\s+.*\s(?:besides|apart\s+from|other\s+than)\s", re.I),
    re.compile(r"^who(?:\s+all|\s+are\s+all)\b", re.I),
    re.compile(rf"^list\s+(?:all\s+)?(?:of\s+)?(?:the\s+)?{_MODIFIER}{_PLURAL}\b", re.I),
    re.compile(rf"^(?:name|give\s+me|tell\s+me)\s+(?:all\s+)?(?:of\s+)?the\s+{_MODIFIER}{_PLURAL}\b", re.I),
    re.compile(rf"^name\s+{_NUMBER}\s", re.I),
    re.compile(rf"^who\s+(?:are|were)\s+the\s+{_MODIFIER}{_PLURAL}\b", re.I),
    re.compile(
        r"^who(?:\s+is|'s|’s|\s+was)\s+(?:all\s+)?in\s+"
        r"(?:it|this|that|the\s+(?:cast|film|movie|series|show|play|book|story))$", re.I,
    ),
)  # fmt: skip
_PREPOSITION = r"(?:(?:in|on|at|for|from|to|of|with|by)\s+)?"
_ADJECTIVES = rf"(?:(?!{_HELPER}\b)[\w'’-]+\s+){{0,2}}"
_PLURALS = (
    re.compile(
        rf"^{_PREPOSITION}which\s+(?:(?:other|earlier|previous|main|{_NUMBER})\s+)?{_PLURAL}\s+\w", re.IGNORECASE
    ),
    re.compile(rf"^{_PREPOSITION}(?:which|what)\s+{_ADJECTIVES}{_PLURAL}\s+{_HELPER}\b", re.IGNORECASE),
    re.compile(rf"^(?:which|what)\s+{_NUMBER}\s+\w", re.IGNORECASE),
    re.compile(rf"^what\s+(?:are|were)\s+the\s+(?:{_NUMBER}\s+)?{_MODIFIER}{_PLURAL}\b", re.IGNORECASE),
)
_HOW_MANY_OF = re.compile(r"\b(?:which|what|the|name)\s+(?P<n>" + _NUMBER + r")\s", re.I)
_COUNT = re.compile(
    rf"^how\s+many\s+(?P<what>{_MODIFIER}{_PLURAL})\s+(?:are|were)\s+"
    r"(?P<how>named|listed|mentioned|credited|given)\b(?P<rest>.*)$", re.IGNORECASE,
)  # fmt: skip

_AUXILIARY = re.compile(
    r"^(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should)(?:n['’]t)?\s+(?P<next>[\w'’-]+)", re.I
)
_NO_SUBJECT = frozenset(
    "who what when where which whom whose why how is are was were do does did has have had can could will would should "
    "you me us be been being not in on at to for from of with by and or".split()
)
_ASKS_MORE = re.compile(r"\bor\b|[,;-]\s*(?:and\s+|so\s+)?(?:who|what|when|where|which|whom|whose|why|how)\b", re.I)


def kind_of(question: str) -> Kind:
    """The kind of a question. Takes microseconds; never raises."""
    asked = " ".join(question.split()).strip(" .!?…")
    for name, pattern in (("greeting", _GREETING), ("thanks", _THANKS), ("goodbye", _GOODBYE), ("help", _HELP)):
        if pattern.match(asked.replace(",", "")):
            return Kind(name)
    told = _LEAD.match(asked)
    core = asked[told.end() :] if told is not None else asked
    for find in (_summary, _yesno, _count, _list, _definition):
        kind = find(core) or (find(asked) if find is _list and core != asked else None)
        if kind is not None:
            return kind
    return SPAN


def _summary(core: str) -> Kind | None:
    for name, pattern in (("summary", _SUMMARY), ("about", _ABOUT), ("about", _PLOT)):
        match = pattern.match(core)
        if match is not None:
            named = match["of"]
            if named is not None and _NOTHING_NAMED.match(named):
                named = None
            return Kind(name, named)
    return None


def _yesno(core: str) -> Kind | None:
    match = _AUXILIARY.match(core)
    if (
        match is None
        or (core[:3] == "Do " and core.split()[1] == "tell")
        or match["next"].lower() in _NO_SUBJECT
        or _ASKS_MORE.search(core)
    ):
        return None
    words = core.split()
    # "Will Smith character" names someone; a question with fewer than three words says too little
    if len(words) < 3 or (words[0] == "Will" and words[1][0].isupper() and len(words) < 5):
        return None
    return Kind("yesno")


def _count(core: str) -> Kind | None:
    match = _COUNT.match(core)
    if match is None:
        return None
    return Kind("count", reworded=f"Which {match['what']} are {match['how'].lower()}{match['rest']}?")


def _list(core: str) -> Kind | None:
    explicit = any(pattern.match(core) for pattern in _LISTS)
    if not explicit and not any(pattern.match(core) for pattern in _PLURALS):
        return None
    number = _HOW_MANY_OF.search(core)
    besides = _BESIDES.search(core)
    return Kind(
        "list",
        number=None if number is None else _NUMBER_WORDS.get(number["n"].lower()) or int(number["n"]),
        besides=None if besides is None else besides["names"],
        explicit=explicit,
        more=re.search(r"\b(?:else|other|others)\b", core, re.I) is not None,
    )


def _definition(core: str) -> Kind | None:
    told = _TOLD_WHO.match(core)
    if told is not None:
        core = f"{told['what']} {told['be']} {told['one']}"
    match = _DEFINE_WHO.match(core)
    if match is not None:
        one = match["one"]
        titled = _TITLE.match(one) is not None
        if len(one.split()) > 4 or _ATTRIBUTE.search(one) or _DETERMINER.match(one) or _VERBISH.search(one):
            return None
        if not re.match(r"who\b.*?(?:\bis|\bwas|\bare|\bwere|['’]s)\s", core, re.I):
            return None
        # a name: written large, or (typed in small letters) short enough to be one
        return Kind("definition", one) if one[0].isupper() or titled or len(one.split()) <= 2 else None
    match = _DEFINE_WHAT.match(core)
    if match is not None:
        one = match["one"] or match["two"] or match["three"] or match["four"]
        bare = re.sub(r"^(?:an?|the|one|this|word|term|name|title)\s+", "", one, flags=re.I).strip("\"'“”‘’")
        if bare and bare[0].isupper():
            wanted = _PROPER.match(bare) is not None
        else:
            wanted = len(bare.split()) <= 3 and not _ATTRIBUTE.search(bare) and not _VERBISH.search(bare)
        if not wanted or not bare or _DETERMINER.match(bare):
            return None
        return Kind("definition", bare)
    return None
