"""Ask questions about articles; every answer is an exact span of a document.

>>> from qa import answer
>>> a = answer("who plays Werner?")
>>> a.text, a.evidence.sentence, a.confidence
"""

from __future__ import annotations

from qa.config import Config
from qa.default import answer, build, open_or_build
from qa.errors import QuestionError
from qa.pipeline import Answerer
from qa.types import NO_ANSWER, Answer, Candidate, Evidence, Reader, SpanLogits, Tokens, Turn

__all__ = [
    "NO_ANSWER",
    "Answer",
    "Answerer",
    "Candidate",
    "Config",
    "Evidence",
    "QuestionError",
    "Reader",
    "SpanLogits",
    "Tokens",
    "Turn",
    "answer",
    "build",
    "open_or_build",
]
