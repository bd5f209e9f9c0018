"""What is said in a conversation -> HTML that is safe to put on a page. Pure: knows of no browser and no server.

Every text goes through `ui.escaping`; every mark is set by character offsets, never by looking for a string. The
classes are styled in `static/chat.css`; buttons and links are heard by `static/chat.js`.
"""

from __future__ import annotations

from qa.types import NO_ANSWER
from ui.escaping import escape, isolated, shortened
from ui.exchange import Exchange, Quote, shown_name
from ui.fluent_block import citation, fluent_block

__all__ = [
    "answer_bubble",
    "confidence",
    "confidence_words",
    "percent",
    "problem_bubble",
    "question_bubble",
    "waiting_bubble",
]

# after the scale of the IPCC's guidance note on uncertainty (Mastrandrea et al. 2010)
_SCALE = (
    (0.9, "high", "very likely right"),
    (0.66, "middle", "likely right"),
    (0.5, "low", "more likely right than wrong"),
    (0.0, "none", "more likely wrong than right"),
)


def percent(probability: float) -> str:
    """A probability in [0, 1] for people: never a flat 0% or 100%, which no calibrated number can claim."""
    if probability < 0.01:
        return "<1%"
    return ">99%" if probability > 0.99 else f"{probability:.0%}"


def confidence_words(probability: float) -> str:
    """A probability in [0, 1] in words."""
    return _on_scale(probability)[1]


def confidence(probability: float) -> str:
    """How sure an answer is, in words; the number comes to the pointer, to touch screens and to screen readers."""
    level, words = _on_scale(probability)
    number = escape(percent(probability))
    return (
        f'<span class="qa-confidence qa-{level}" title="{number} sure">{words}'
        f'<span class="qa-number"> · {number}</span></span>'
    )


def _on_scale(probability: float) -> tuple[str, str]:
    shown = round(probability, 2)  # the words have to fit the percentage beside them
    return next(((level, words) for least, level, words in _SCALE if shown >= least), _SCALE[-1][1:])


def question_bubble(question: str) -> str:
    """What a person typed, cut off where it is too long to be read as a question."""
    return f'<div class="qa-question">{isolated(shortened(question))}</div>'


def waiting_bubble() -> str:
    """Stands in the conversation until the answer is there."""
    return '<div class="qa-waiting">Reading the documents …</div>'


def problem_bubble(message: str) -> str:
    """A message about why there is no answer, none of which is the documents' doing."""
    return f'<div class="qa-problem"><p>{isolated(message)}</p></div>'


def answer_bubble(exchange: Exchange, *, rate: bool = True) -> str:
    """The answer with its citation, how sure it is and where it is from; or, looking different, that there is none.

    Args:
        rate: whether the person can say if it is right.
    """
    identifier = f'id="turn-{exchange.id}"'
    written = exchange.fluent is None or not exchange.fluent.writing
    actions = _actions(exchange, rate and written)
    if exchange.answer is None and exchange.note is not None:  # small talk, or what can be asked
        said = f'<p class="qa-text">{escape(exchange.note)}</p>'
        return f'<div class="qa-answer" {identifier}>{said}{_items(exchange)}</div>'
    if exchange.answer is None:
        said = f'<p class="qa-text">{escape(NO_ANSWER)}</p>'
        return f'<div class="qa-refusal" {identifier}>{said}{_understood(exchange)}{actions}</div>'
    if exchange.conflict:
        return f'<div class="qa-answer qa-conflict" {identifier}>{_conflict(exchange)}{actions}</div>'
    numbers = "".join(citation(number + 1) for number in range(exchange.cited))
    return (
        f'<div class="qa-answer" {identifier}>{_decided(exchange)}{_said(exchange.answer, numbers)}'
        f"{_note(exchange)}{_items(exchange)}{_understood(exchange)}"
        f'<p class="qa-meta">{confidence(exchange.confidence)}</p>'
        f"{_from(exchange.quotes[0]) if exchange.quotes else ''}{fluent_block(exchange.fluent)}"
        f"{_others(exchange)}{actions}</div>"
    )


def _decided(exchange: Exchange) -> str:
    """Yes or no before the sentence that decides it."""
    if exchange.decided is None:
        return ""
    return f'<strong class="qa-verdict">{"Yes" if exchange.decided else "No"}</strong>'


def _note(exchange: Exchange) -> str:
    return "" if exchange.note is None else f'<p class="qa-meta">{escape(exchange.note)}</p>'


def _items(exchange: Exchange) -> str:
    """What a list holds, the other sentences of a summary, or questions to ask."""
    rows = "".join(f"<li>{isolated(item)}</li>" for item in exchange.items)
    return f'<ul class="qa-items">{rows}</ul>' if rows else ""


def _conflict(exchange: Exchange) -> str:
    sides = "".join(
        f'<div class="qa-side">{_said(exchange.quotes[number].said, citation(number + 1))}'
        f'<p class="qa-meta">{confidence(exchange.quotes[number].confidence)}</p>{_from(exchange.quotes[number])}</div>'
        for number in (0, *exchange.conflict)
    )
    said = '<p class="qa-disagree">The documents disagree.</p>'
    after = f"{fluent_block(exchange.fluent)}{_others(exchange)}"
    return f'{said}{_understood(exchange)}<div class="qa-sides">{sides}</div>{after}'


def _said(answer: str, numbers: str) -> str:
    return f'<p class="qa-said"><span class="qa-text">{isolated(answer)}</span>{numbers}</p>'


def _from(quote: Quote) -> str:
    where = isolated(quote.title)
    if quote.place is not None:
        where = f"{isolated(shown_name(quote.name))}, {isolated(quote.place)}"
    own = '<span class="qa-own">your document</span>' if quote.own else ""
    return f'<p class="qa-meta qa-from">{own}{where}</p>'


def _others(exchange: Exchange) -> str:
    """The other possible answers, one click away."""
    rows = [
        f"<li>{isolated(quote.said)}{citation(number + 1)} {confidence(quote.confidence)}</li>"
        for number, quote in enumerate(exchange.quotes)
        if number >= exchange.cited and number not in exchange.conflict
    ]
    if not rows:
        return ""
    count = "1 other possible answer" if len(rows) == 1 else f"{len(rows)} other possible answers"
    return f'<details class="qa-others"><summary>{count}</summary><ul>{"".join(rows)}</ul></details>'


def _understood(exchange: Exchange) -> str:
    """How the question was read, where that is not as it was typed, for the person to put right."""
    if exchange.read_as == exchange.question:
        return ""
    edit = '<button type="button" name="edit" class="qa-edit" title="Put it right and ask again">Edit</button>'
    reading = f'<span class="qa-reading">{isolated(shortened(exchange.read_as))}</span>'
    return f'<p class="qa-meta qa-read-as">understood as: {reading} {edit}</p>'


def _actions(exchange: Exchange, rate: bool) -> str:
    link = '<a class="qa-link" href="#sources">Show sources</a>'
    if exchange.answer is None:
        link = '<a class="qa-link" href="#sources">Show the closest passages</a>'
    return f'<div class="qa-actions">{link}{_thumbs(exchange) if rate else ""}</div>'


def _thumbs(exchange: Exchange) -> str:
    return (
        '<span class="qa-thumbs">'
        + "".join(
            f'<button type="button" name="rate" value="{exchange.id} {verdict}" title="{said}" '
            f'class="qa-thumb qa-thumb-{verdict}{" qa-pressed" if exchange.verdict == verdict else ""}">'
            f'<span class="qa-read">{said}{": you said so" if exchange.verdict == verdict else ""}</span></button>'
            for verdict, said in (("up", "This is right"), ("down", "This is wrong"))
        )
        + "</span>"
    )
