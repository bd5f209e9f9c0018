"""Answers kept and compared: what questions were answered before documents changed, and what they are now."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from qa.errors import QuestionError
from qa.pipeline import Answerer
from qa.types import Answer

__all__ = ["Change", "Kept", "compare", "keep", "read_kept", "read_questions", "write_kept"]


@dataclass(frozen=True, slots=True)
class Kept:
    """A question with the answer it got (None: none), its sentence and the document and place it stands at."""

    question: str
    answer: str | None
    confidence: float
    document: str | None
    sentence: str | None
    start: int | None
    end: int | None


@dataclass(frozen=True, slots=True)
class Change:
    """One question that is answered differently now.

    `what` is "answered now", "not answered any more", "another answer", "another document" or "another sentence".
    """

    what: str
    before: Kept
    now: Kept


def keep(answer: Answer) -> Kept:
    """What is kept of an answer."""
    evidence = answer.evidence
    return Kept(
        question=answer.question,
        answer=answer.text,
        confidence=round(answer.confidence, 4),
        document=None if evidence is None else evidence.document.name,
        sentence=None if evidence is None else evidence.sentence,
        start=None if evidence is None else evidence.start,
        end=None if evidence is None else evidence.end,
    )


def ask_all(
    answerer: Answerer, questions: Sequence[str], progress: Callable[[int, int], None] | None = None
) -> list[Kept]:
    """Ask questions, each on its own, and keep the answers. `progress` is called with (asked, to ask)."""
    kept = []
    for number, question in enumerate(questions, start=1):
        kept.append(keep(answerer.ask(question)))
        if progress is not None:
            progress(number, len(questions))
    return kept


def compare(before: Sequence[Kept], now: Sequence[Kept]) -> list[Change]:
    """The questions whose answer or source differs, in their order; where a sentence moved within its document is
    no difference, nor is another confidence.
    """
    changes = []
    for old, new in zip(before, now, strict=True):
        what = _difference(old, new)
        if what is not None:
            changes.append(Change(what, old, new))
    return changes


def _difference(old: Kept, new: Kept) -> str | None:
    if old.answer is None or new.answer is None:
        if old.answer is new.answer:
            return None
        return "answered now" if old.answer is None else "not answered any more"
    if _plain(old.answer) != _plain(new.answer):
        return "another answer"
    if old.document != new.document:
        return "another document"
    return None if _plain(old.sentence or "") == _plain(new.sentence or "") else "another sentence"


def _plain(text: str) -> str:
    return " ".join(text.split())


def write_kept(path: Path, kept: Sequence[Kept]) -> None:
    """Write JSON lines. Raises OSError when it cannot."""
    part = path.with_name(f"{path.name}.part")
    part.write_text("".join(json.dumps(asdict(one), ensure_ascii=False) + "\n" for one in kept), encoding="utf-8")
    part.replace(path)


def read_kept(path: Path) -> list[Kept]:
    """Read what `write_kept` wrote.

    Raises:
        QuestionError: the file cannot be read, or is none of these.
    """
    return [_kept(row, path, number) for number, row in enumerate(_rows(path), start=1)]


def _kept(row: Any, path: Path, number: int) -> Kept:
    try:
        return Kept(**row)
    except TypeError as error:
        raise QuestionError(f"{path}:{number} was not written by `qa diff --save` ({error})") from error


def read_questions(path: Path) -> list[str]:
    """Questions of a file: one a line, or JSON lines with a `question`, as gold and kept answers have.

    Raises:
        QuestionError: the file cannot be read or holds none.
    """
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise QuestionError(f"{path} cannot be read ({error})") from error
    questions = lines
    if lines and lines[0].startswith("{"):
        questions = [str(row["question"]) for row in _rows(path) if isinstance(row, dict) and "question" in row]
    if not questions:
        raise QuestionError(f"{path} holds no questions; write one a line")
    return list(dict.fromkeys(questions))


def _rows(path: Path) -> list[Any]:
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, ValueError) as error:
        raise QuestionError(f"{path} cannot be read as JSON lines ({error})") from error
