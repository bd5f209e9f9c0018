"""Errors of question answering, beside those of the index.

QuestionError      the question cannot be asked as it is: empty, or too long
"""

from __future__ import annotations

__all__ = ["QuestionError"]


class QuestionError(ValueError):
    """The question cannot be asked as it is; the message says what came and what was expected."""
