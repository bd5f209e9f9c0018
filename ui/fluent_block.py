"""A model's text -> HTML under the extractive answer. What a model writes is believed as little as a document."""

from __future__ import annotations

from ui.escaping import escape, isolated
from ui.fluent_text import FluentText, Line

__all__ = ["citation", "fluent_block"]


def citation(number: int) -> str:
    """The number of a source, from 1, leading to it."""
    return (
        f'<a class="qa-cite" href="#source-{number}" title="Show source {number}">'
        f'<span class="qa-read">source </span>{number}</a>'
    )


def fluent_block(text: FluentText | None) -> str:
    """The text with its citations and marks, who wrote it, and why there is none, where there is
    none; "" where no model was asked."""
    if text is None:
        return ""
    model = isolated(text.model)
    if text.state == "failed":
        why = isolated(text.problem or "wrote nothing")
        return f'<p class="qa-meta qa-fluent-note">{model} {why}. The quote stands by itself.</p>'
    if not text.lines and not text.pending:
        if text.writing:
            return f'<p class="qa-meta qa-fluent-begun qa-writing">{model} is writing …</p>'
        return f'<p class="qa-meta qa-fluent-note">{model} was stopped.</p>'
    lines = " ".join(_line(line) for line in text.lines)
    pending = f' <span class="qa-pending">{isolated(text.pending)}</span>' if text.pending else ""
    state = "<p class=qa-meta>Stopped.</p>" if text.state == "stopped" else ""
    writing = " qa-writing" if text.writing else ""
    # while it is written, screen readers are not told of every word
    live = ' aria-busy="true" aria-live="off"' if text.writing else ""
    return (
        f'<div class="qa-fluent{writing}"{live}><p class="qa-meta qa-fluent-by">Written by {model}, a language model, '
        f"from the sources</p>"
        f'<p class="qa-fluent-text">{lines}{pending}</p>{state}</div>'
    )


def _line(line: Line) -> str:
    cites = "".join(citation(number) for number in line.cites)
    if line.doubt is None:
        return f'<span class="qa-line">{isolated(line.text)}{cites}</span>'
    return (
        f'<span class="qa-line qa-doubted"><span class="qa-doubted-text">{isolated(line.text)}</span>{cites} '
        f'<span class="qa-doubt" title="{escape(line.doubt)}">unsupported'
        f'<span class="qa-read">: {isolated(line.doubt)}</span></span></span>'
    )
