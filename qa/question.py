"""What is typed -> a question that can be asked."""

from __future__ import annotations

import unicodedata

from qa.errors import QuestionError

__all__ = ["clean_question"]


def clean_question(question: str, *, longest: int) -> str:
    """The question without control characters and with single spaces.

    Raises:
        QuestionError: it is not a string, has no letter or digit, or has more than `longest` characters.
    """
    if not isinstance(question, str):
        raise QuestionError(f"a question must be text, got {type(question).__name__}")
    if len(question) > longest:
        raise QuestionError(
            f"the question has {len(question):,} characters, at most {longest:,} are read; ask a shorter one"
        )
    kept = "".join(" " if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") else c for c in question)
    kept = " ".join(kept.split())
    if not any(character.isalnum() for character in kept):
        raise QuestionError(f"the question is empty ({question[:40]!r}); type a question, such as: who is it about?")
    return kept
