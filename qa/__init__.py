"""Ask questions about articles; every answer is an exact span of a document.

>>> from qa import answer
>>> a = answer("who plays Werner?")
>>> a.text, a.evidence.sentence, a.confidence
"""

from __future__ import annotations

from index.handle import Index
from qa.config import Config
from qa.default import answer, build, open_or_build
from qa.errors import QuestionError
from qa.pipeline import Answerer
from qa.types import NO_ANSWER, Answer, Candidate, Evidence, Reader, SpanLogits, Tokens, Turn
from qa.unanswered import note_unanswered

__all__ = [
    "NO_ANSWER",
    "Answer",
    "Answerer",
    "Candidate",
    "Config",
    "Evidence",
    "Index",
    "QuestionError",
    "Reader",
    "SpanLogits",
    "Tokens",
    "Turn",
    "answer",
    "build",
    "note_unanswered",
    "open_or_build",
]
