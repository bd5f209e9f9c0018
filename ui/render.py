"""Answer -> HTML that is safe to put on a page. Pure functions: nothing here knows of a browser or a server.

Every text of an article or of a person goes through `escape`; every mark is set by character offsets, never by
looking for a string. The classes are styled in `static/chat.css`.
"""

from __future__ import annotations

import html
import re
import string

from index.types import Document, Hit
from qa.types import NO_ANSWER, Answer, Candidate, Evidence

__all__ = [
    "answer_bubble",
    "confidence_words",
    "empty_panel",
    "escape",
    "marked",
    "percent",
    "problem_bubble",
    "question_bubble",
    "sources_panel",
    "waiting_bubble",
]

# what HTML cannot hold, or a reply in UTF-8 cannot carry: control characters, lone surrogates, noncharacters
_UNSHOWABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_PARAGRAPH = re.compile(r"[ \t\r]*\n[ \t\r]*\n\s*")
_WHITE_SPACE = re.compile(r"[\t\r\n]")

# The page's components read Markdown, LaTeX and template marks before they read HTML. As numeric entities, the
# punctuation that html.escape leaves alone means nothing to any of them and looks the same to a person.
_PUNCTUATION = {ord(mark): f"&#{ord(mark)};" for mark in string.punctuation if mark not in "&<>\"'#;"}

_QUESTION_SHOWN = 600
_CLOSEST_SHOWN = 3
_LEAST_SHOWN = 0.05  # a candidate less likely than this helps nobody

# after the scale of the IPCC's guidance note on uncertainty (Mastrandrea et al. 2010)
_SCALE = (
    (0.9, "high", "very likely right"),
    (0.66, "middle", "likely right"),
    (0.5, "low", "more likely right than wrong"),
    (0.0, "none", "more likely wrong than right"),
)


def escape(text: str) -> str:
    """The text as HTML that shows exactly it, on one line: no markup, Markdown, LaTeX or template in it has effect."""
    text = _WHITE_SPACE.sub(" ", _UNSHOWABLE.sub("\ufffd", text))
    return html.escape(text).translate(_PUNCTUATION)


def percent(probability: float) -> str:
    """A probability in [0, 1] for people: never a flat 0% or 100%, which no calibrated number can claim."""
    if probability < 0.01:
        return "<1%"
    return ">99%" if probability > 0.99 else f"{probability:.0%}"


def confidence_words(probability: float) -> str:
    """A probability in [0, 1] in words."""
    return _on_scale(probability)[1]


def marked(document: Document, start: int, end: int, evidence: Evidence | None) -> str:
    """`document.text[start:end]` as HTML, the answer in <mark> and the sentence around it in a span.

    Only what of them lies inside [start, end) is marked, so that a passage sharing half a sentence shows that half.
    """
    text = document.text
    if evidence is None or evidence.document.name != document.name:
        return _paragraphs(text[start:end])
    cuts = [evidence.sentence_start, evidence.start, evidence.end, evidence.sentence_end]
    sentence_start, answer_start, answer_end, sentence_end = (min(max(cut, start), end) for cut in cuts)
    before, after = text[start:sentence_start], text[sentence_end:end]
    answer = _paragraphs(text[answer_start:answer_end])
    inside = "".join(
        (
            _paragraphs(text[sentence_start:answer_start]),
            f"<mark>{answer}</mark>" if answer else "",
            _paragraphs(text[answer_end:sentence_end]),
        )
    )
    sentence = f'<span class="qa-sentence">{inside}</span>' if inside else ""
    return _paragraphs(before) + sentence + _paragraphs(after)


def question_bubble(question: str) -> str:
    """What a person typed, cut off where it is too long to be read as a question."""
    return f'<div class="qa-question">{_isolated(_shortened(question))}</div>'


def waiting_bubble() -> str:
    """Stands in the conversation until the answer is there."""
    return '<div class="qa-waiting">Reading the documents …</div>'


def problem_bubble(message: str) -> str:
    """A message about why there is no answer, none of which is the documents' doing."""
    return f'<div class="qa-problem"><p>{_isolated(message)}</p></div>'


def answer_bubble(answer: Answer) -> str:
    """The answer with how sure it is and its document; or, looking different, that the documents don't say."""
    if answer.text is None and answer.note is not None:
        return f'<div class="qa-answer"><p class="qa-text">{escape(answer.note)}</p>{_suggestions(answer)}</div>'
    if answer.text is None or answer.evidence is None:
        link = '<a class="qa-link" href="#sources">Show the closest passages</a>' if answer.passages else ""
        said = f'<p class="qa-text">{escape(NO_ANSWER)}</p>'
        return f'<div class="qa-refusal">{said}{_understood(answer)}<p class="qa-meta">{link}</p></div>'
    return (
        f'<div class="qa-answer"><p class="qa-text">{_verdict(answer)}{_isolated(answer.text)}</p>{_items(answer)}'
        f'{_understood(answer)}<p class="qa-meta">{_how_sure(answer)}</p>'
        f'<p class="qa-meta qa-from">{_isolated(answer.evidence.document.title)}</p>'
        '<p class="qa-meta"><a class="qa-link" href="#sources">Show sources</a></p></div>'
    )


def _verdict(answer: Answer) -> str:
    """Yes or no as a badge before the sentence that decides it."""
    if answer.verdict is None:
        return ""
    return f'<strong class="qa-verdict">{"Yes" if answer.verdict else "No"}</strong> '


def _items(answer: Answer) -> str:
    """The items of a list, or the sentences of a summary, as quotes, but for the one that stands as the answer."""
    note = "" if answer.note is None else f'<p class="qa-meta">{escape(answer.note)}</p>'
    quotes = [i.document.text[i.start : i.end] for i in answer.items if i != answer.evidence]
    rows = "".join(f"<li>{_isolated(quote)}</li>" for quote in quotes)
    return note + (f'<ul class="qa-items">{rows}</ul>' if rows else "")


def _suggestions(answer: Answer) -> str:
    rows = "".join(f"<li>{_isolated(question)}</li>" for question in answer.suggestions)
    return f'<ul class="qa-items">{rows}</ul>' if rows else ""


def _how_sure(answer: Answer) -> str:
    """Sentences that are quoted for what they are about claim nothing that could be wrong."""
    return (
        "quoted from the document"
        if answer.kind == "summary" or (answer.kind == "about" and answer.items)
        else _confidence(answer.confidence)
    )


def _understood(answer: Answer) -> str:
    """How the question was read, where that is not as it was typed."""
    if answer.read_as == answer.question:
        return ""
    return f'<p class="qa-meta qa-read-as">understood as: {_isolated(_shortened(answer.read_as))}</p>'


def empty_panel() -> str:
    """The sources panel before there is an answer."""
    return _panel(
        None, '<p class="qa-hint">The passage that an answer comes from shows here, the answer marked in it.</p>'
    )


def sources_panel(answer: Answer) -> str:
    """Where the answer stands, other candidates, and the passages found; for a refusal the closest passages.

    The HTML is one line, so that a component which reads Markdown takes the whole for one block of HTML.
    """
    if answer.evidence is None:
        return _panel(answer, _refusal(answer))
    start, end, shown = _source_of(answer.evidence, answer.passages)
    others = [hit for hit in answer.passages if hit is not shown]
    best = (
        f'<article class="qa-source qa-best">{_heading(answer.evidence.document)}'
        f'<p class="qa-passage" dir="auto">{marked(answer.evidence.document, start, end, answer.evidence)}</p>'
        f'<p class="qa-place">{_place(answer.evidence.document, answer.evidence.start, answer.evidence.end)} '
        f"· {_confidence(answer.confidence)}</p></article>"
    )
    return _panel(
        answer,
        best + _candidates("Other possible answers", answer.alternatives) + _more(others, answer.evidence),
    )


def _refusal(answer: Answer) -> str:
    if not answer.passages:
        return '<p class="qa-hint">Nothing in the index is near this question.</p>'
    nearest = "".join(_passage(hit, None) for hit in answer.passages[:_CLOSEST_SHOWN])
    return (
        '<p class="qa-hint">The documents don&#39;t say it. These are the closest passages.</p>'
        f'<h3 class="qa-section">Closest passages</h3>{nearest}'
        + _candidates("Too unsure to be given as an answer", answer.alternatives)
        + _more(answer.passages[_CLOSEST_SHOWN:], None)
    )


def _panel(answer: Answer | None, body: str) -> str:
    asked = ""
    if answer is not None:
        asked = f'<p class="qa-asked">{_isolated(_shortened(answer.question))}</p>'
    return f'<section class="qa-sources"><h2>Sources</h2>{asked}{body}</section>'


def _source_of(evidence: Evidence, hits: tuple[Hit, ...]) -> tuple[int, int, Hit | None]:
    """The stretch to show an answer in: the best passage that holds it, widened to its whole sentence."""
    for hit in hits:
        passage = hit.passage
        same = hit.document.name == evidence.document.name
        if same and passage.start <= evidence.start and evidence.end <= passage.end:
            return min(passage.start, evidence.sentence_start), max(passage.end, evidence.sentence_end), hit
    return evidence.sentence_start, evidence.sentence_end, None


def _candidates(title: str, candidates: tuple[Candidate, ...]) -> str:
    rows = [
        f'<li><p class="qa-candidate">{_isolated(candidate.text)} {_confidence(candidate.confidence)}</p>'
        f'<p class="qa-passage" dir="auto">{_in_sentence(candidate.evidence)}</p></li>'
        for candidate in candidates
        if candidate.confidence >= _LEAST_SHOWN
    ]
    return f'<h3 class="qa-section">{title}</h3><ul class="qa-candidates">{"".join(rows)}</ul>' if rows else ""


def _in_sentence(evidence: Evidence) -> str:
    return marked(evidence.document, evidence.sentence_start, evidence.sentence_end, evidence)


def _more(hits: list[Hit] | tuple[Hit, ...], evidence: Evidence | None) -> str:
    if not hits:
        return ""
    count = "1 more passage" if len(hits) == 1 else f"{len(hits)} more passages"
    passages = "".join(_passage(hit, evidence) for hit in hits)
    return f'<details class="qa-more"><summary>{count} found</summary>{passages}</details>'


def _passage(hit: Hit, evidence: Evidence | None) -> str:
    passage = hit.passage
    return (
        f'<article class="qa-source">{_heading(hit.document)}'
        f'<p class="qa-passage" dir="auto">{marked(hit.document, passage.start, passage.end, evidence)}</p>'
        f'<p class="qa-place">{_place(hit.document, passage.start, passage.end)}</p></article>'
    )


def _heading(document: Document) -> str:
    return f'<h3 class="qa-title">{_isolated(document.title)}</h3>'


def _place(document: Document, start: int, end: int) -> str:
    return f"{_isolated(document.name)} · characters {start:,}–{end:,}"


def _confidence(probability: float) -> str:
    level, words = _on_scale(probability)
    return f'<span class="qa-confidence qa-{level}">{words} · {escape(percent(probability))}</span>'


def _on_scale(probability: float) -> tuple[str, str]:
    shown = round(probability, 2)  # the words have to fit the percentage beside them
    return next(((level, words) for least, level, words in _SCALE if shown >= least), _SCALE[-1][1:])


def _paragraphs(text: str) -> str:
    """Escaped text; a blank line in it stays visible as one."""
    return '<span class="qa-break"></span>'.join(escape(part) for part in _PARAGRAPH.split(text))


def _shortened(question: str) -> str:
    return question if len(question) <= _QUESTION_SHOWN else question[:_QUESTION_SHOWN] + " …"


def _isolated(text: str) -> str:
    """Escaped text whose writing direction, or marks that turn it around, cannot reach what stands beside it."""
    return f"<bdi>{escape(text)}</bdi>"
