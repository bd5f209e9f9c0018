"""Where an answer stands -> the sources panel: numbered quotes with their surroundings, and the passages found.

The HTML is one line, so that a component which reads Markdown takes the whole for one block of HTML.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from index.types import Document, Hit
from qa.types import Evidence
from ui.escaping import escape, isolated, marked_text, paragraphs, shortened
from ui.exchange import OWN, Exchange, Quote, shown_name
from ui.render import confidence

__all__ = ["empty_panel", "marked", "sources_panel"]

_CLOSEST_SHOWN = 3


def empty_panel() -> str:
    """The sources panel before there is an answer."""
    return _panel(
        None, '<p class="qa-hint">The passage that an answer comes from shows here, the answer marked in it.</p>'
    )


def sources_panel(exchange: Exchange, hits: Sequence[Hit] | None = None, evidence: Evidence | None = None) -> str:
    """Where the answer stands, other candidates, and the passages found; for a refusal the closest passages.

    Args:
        hits: the passages retrieved, best first; None when they are not known any more.
        evidence: where the answer stands, to be marked in them.
    """
    numbered = list(enumerate(exchange.quotes))
    others = _section(
        "Other possible answers" if exchange.cited else "Too unsure to be given as an answer",
        "".join(_quote(number, quote, best=False) for number, quote in numbered[exchange.cited :]),
    )
    if exchange.cited == 0:
        return _panel(exchange, _refusal(hits, others))
    best = "".join(_quote(number, quote, best=True) for number, quote in numbered[: exchange.cited])
    shown = exchange.quotes[0]
    if hits is None:
        return _panel(exchange, best + others + _section("Passages cited", _cited(exchange)))
    numbers = {} if exchange.fluent is None else {(s.name, s.start): s.number for s in exchange.fluent.sources}
    rest = [hit for hit in hits if not _holds(shown, hit)]
    return _panel(exchange, best + others + _more(rest, evidence, numbers))


def _refusal(hits: Sequence[Hit] | None, others: str) -> str:
    if hits is None:
        return f'<p class="qa-hint">The documents don&#39;t say it.</p>{others}'
    if not hits:
        return '<p class="qa-hint">Nothing in the documents is near this question.</p>'
    nearest = "".join(_passage(hit, None) for hit in hits[:_CLOSEST_SHOWN])
    return (
        '<p class="qa-hint">The documents don&#39;t say it. These are the closest passages.</p>'
        + _section("Closest passages", nearest)
        + others
        + _more(hits[_CLOSEST_SHOWN:], None)
    )


def _panel(exchange: Exchange | None, body: str) -> str:
    identifier, asked = "", ""
    if exchange is not None:
        identifier = f' id="of-{exchange.id}"'
        asked = f'<p class="qa-asked">{isolated(shortened(exchange.question))}</p>'
    return f'<section class="qa-sources"{identifier}><h2>Sources</h2>{asked}{body}</section>'


def _section(title: str, body: str) -> str:
    return f'<h3 class="qa-section">{title}</h3>{body}' if body else ""


def _quote(number: int, quote: Quote, *, best: bool) -> str:
    """A numbered source: the passage with the answer marked, what stands before and after it on demand."""
    start = quote.start + quote.answer[0]
    end = quote.start + quote.answer[1]
    said = "" if best else f'<p class="qa-candidate">{isolated(quote.said)}</p>'
    return (
        f'<article class="qa-source {"qa-best" if best else "qa-candidate-source"}" id="source-{number + 1}" '
        f'tabindex="-1">{_heading(quote.title, number + 1)}{said}{_around("before", quote.before)}'
        f'<p class="qa-passage" dir="auto">{marked_text(quote.text, quote.answer, quote.sentence)}</p>'
        f"{_around('after', quote.after)}"
        f'<p class="qa-place">{_place(quote.name, quote.place, start, end)}</p>'
        f'<p class="qa-sure">{confidence(quote.confidence)}</p></article>'
    )


def _around(side: str, text: str) -> str:
    if not text.strip():
        return ""
    return (
        f'<details class="qa-around qa-{side}"><summary>Show what stands {side} it</summary>'
        f'<p class="qa-neighbour" dir="auto">{paragraphs(text.strip())}</p></details>'
    )


def _holds(quote: Quote, hit: Hit) -> bool:
    """Whether a passage is shown already, whole, as a quote."""
    passage = hit.passage
    inside = quote.start <= passage.start and passage.end <= quote.start + len(quote.text)
    return hit.document.name == quote.name and inside


def _cited(exchange: Exchange) -> str:
    """The passages beside the quotes that a model cited, where the passages found are not known any more."""
    if exchange.fluent is None:
        return ""
    rows = []
    for cited in exchange.fluent.sources:
        if cited.number > len(exchange.quotes):
            place = _place(cited.name, cited.place, cited.start, cited.start + len(cited.text))
            rows.append(
                f'<article class="qa-source" id="source-{cited.number}" tabindex="-1">'
                f'{_heading(cited.title, cited.number)}<p class="qa-passage" dir="auto">{paragraphs(cited.text)}</p>'
                f'<p class="qa-place">{place}</p></article>'
            )
    return "".join(rows)


def _more(hits: Sequence[Hit], evidence: Evidence | None, numbers: Mapping[tuple[str, int], int] | None = None) -> str:
    if not hits:
        return ""
    count = "1 more passage" if len(hits) == 1 else f"{len(hits)} more passages"
    known = numbers if numbers is not None else {}
    passages = "".join(_passage(hit, evidence, known.get((hit.document.name, hit.passage.start))) for hit in hits)
    return f'<details class="qa-more"><summary>{count} found</summary>{passages}</details>'


def _passage(hit: Hit, evidence: Evidence | None, number: int | None = None) -> str:
    passage, document = hit.passage, hit.document
    place = _place(document.name, document.place(passage.start), passage.start, passage.end)
    target = "" if number is None else f' id="source-{number}" tabindex="-1"'
    return (
        f'<article class="qa-source"{target}>{_heading(document.title, number)}'
        f'<p class="qa-passage" dir="auto">{marked(document, passage.start, passage.end, evidence)}</p>'
        f'<p class="qa-place">{place}</p></article>'
    )


def marked(document: Document, start: int, end: int, evidence: Evidence | None) -> str:
    """`document.text[start:end]` as HTML, the answer in <mark> and the sentence around it in a span.

    Only what of them lies inside [start, end) is marked, so that a passage sharing half a sentence shows that half.
    """
    text = document.text[start:end]
    if evidence is None or evidence.document.name != document.name:
        return paragraphs(text)
    cuts = (evidence.start, evidence.end, evidence.sentence_start, evidence.sentence_end)
    first, last, begin, finish = (min(max(cut, start), end) - start for cut in cuts)
    return marked_text(text, (first, last), (begin, finish))


def _heading(title: str, number: int | None = None) -> str:
    badge = "" if number is None else f'<span class="qa-badge">{number}</span>'
    return f'<h3 class="qa-title">{badge}{isolated(title)}</h3>'


def _place(name: str, place: str | None, start: int, end: int) -> str:
    own = '<span class="qa-own">your document</span>' if name.startswith(OWN) else ""
    page = "" if place is None else f", {isolated(place)}"
    return f"{own}{isolated(shown_name(name))}{page} · {escape(f'characters {start:,}–{end:,}')}"
