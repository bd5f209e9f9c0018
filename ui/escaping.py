"""Text -> HTML that shows exactly it, whatever it holds. Every text of a document or a person goes through here."""

from __future__ import annotations

import html
import re
import string

__all__ = ["escape", "isolated", "marked_text", "paragraphs", "shortened"]

# what HTML cannot hold, or a reply in UTF-8 cannot carry: control characters, lone surrogates, noncharacters
_UNSHOWABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_PARAGRAPH = re.compile(r"[ \t\r]*\n[ \t\r]*\n\s*")
_WHITE_SPACE = re.compile(r"[\t\r\n]")

# The page's components read Markdown, LaTeX and template marks before they read HTML. As numeric entities, the
# punctuation that html.escape leaves alone means nothing to any of them and looks the same to a person.
_PUNCTUATION = {ord(mark): f"&#{ord(mark)};" for mark in string.punctuation if mark not in "&<>\"'#;"}

_QUESTION_SHOWN = 600


def escape(text: str) -> str:
    """The text as HTML that shows exactly it, on one line: no markup, Markdown, LaTeX or template in it has effect."""
    text = _WHITE_SPACE.sub(" ", _UNSHOWABLE.sub("\ufffd", text))
    return html.escape(text).translate(_PUNCTUATION)


def isolated(text: str) -> str:
    """Escaped text whose writing direction, or marks that turn it around, cannot reach what stands beside it."""
    return f"<bdi>{escape(text)}</bdi>"


def paragraphs(text: str) -> str:
    """Escaped text; a blank line in it stays visible as one."""
    return '<span class="qa-break"></span>'.join(escape(part) for part in _PARAGRAPH.split(text))


def shortened(question: str) -> str:
    """A question, cut off where it is too long to be read as one."""
    return question if len(question) <= _QUESTION_SHOWN else question[:_QUESTION_SHOWN] + " …"


def marked_text(text: str, answer: tuple[int, int], sentence: tuple[int, int]) -> str:
    """`text` as HTML, its part `answer` in <mark> and its part `sentence`, which holds the answer, in a span."""
    (first, last), (begin, end) = answer, sentence
    said = paragraphs(text[first:last])
    inside = paragraphs(text[begin:first]) + (f"<mark>{said}</mark>" if said else "") + paragraphs(text[last:end])
    around = f'<span class="qa-sentence">{inside}</span>' if inside else ""
    return paragraphs(text[:begin]) + around + paragraphs(text[end:])
