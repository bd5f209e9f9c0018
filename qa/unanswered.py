"""Questions that found no answer, kept beside the index, so that its owner sees which document is missing.

`unanswered.jsonl` in the index folder holds the question's text, the time and the confidence, nothing else; it never
leaves the machine. When it has grown to a megabyte it becomes `unanswered.old.jsonl`, and that is dropped.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import numpy as np

from index.types import Encoder
from qa.pipeline import Answerer
from qa.types import Answer

__all__ = ["Cluster", "Unanswered", "clusters", "forget_unanswered", "note_unanswered", "read_unanswered"]

FILE_NAME = "unanswered.jsonl"
OLD_NAME = "unanswered.old.jsonl"
MAX_BYTES = 1_000_000
_ALIKE = 0.65  # cosine from which two questions ask for the same


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A question that found no answer: `when` is ISO 8601 in UTC, `confidence` of the best candidate in [0, 1]."""

    question: str
    when: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Cluster:
    """Questions that ask for much the same: how often in all, each wording most frequent first, when last."""

    asked: int
    questions: tuple[str, ...]
    last: str


def note_unanswered(answerer: Answerer, answer: Answer) -> bool:
    """Call once after an answer was shown; keeps the question if it found none. Returns whether it did.

    Nothing is kept where `Config.log_questions` is off or the index folder cannot be written. Never raises.
    """
    if answer.text is not None or not answerer.config.log_questions:
        return False
    config = answerer.config
    path = config.index / FILE_NAME
    if not os.access(config.index, os.W_OK):
        return False
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    row = {"question": answer.read_as, "when": now, "confidence": round(answer.confidence, 4)}
    line = (json.dumps(row, ensure_ascii=True) + "\n").encode()
    with contextlib.suppress(OSError):
        # one write of one line: lines of several processes never mix
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, line)
            size = os.fstat(descriptor).st_size
        finally:
            os.close(descriptor)
        if size >= MAX_BYTES:
            path.replace(path.with_name(OLD_NAME))
        return True
    return False


def read_unanswered(folder: Path) -> list[Unanswered]:
    """What is kept in an index folder, oldest first; damaged lines are passed over."""
    found = []
    for name in (OLD_NAME, FILE_NAME):
        try:
            lines = (folder / name).read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            continue
        for line in lines:
            with contextlib.suppress(ValueError, KeyError, TypeError):
                row = json.loads(line)
                found.append(Unanswered(str(row["question"]), str(row["when"]), float(row["confidence"])))
    return found


def forget_unanswered(folder: Path) -> None:
    """Delete what is kept in an index folder."""
    for name in (OLD_NAME, FILE_NAME):
        (folder / name).unlink(missing_ok=True)


def clusters(asked: Sequence[Unanswered], encoder: Encoder) -> list[Cluster]:
    """Group questions by meaning, the most asked first.

    Wordings are taken most frequent first; each joins the group whose first wording is nearest, from a cosine of 0.65,
    else begins a group of its own.
    """
    counts = Counter(one.question for one in asked)
    last = {one.question: one.when for one in sorted(asked, key=lambda one: one.when)}
    wordings = sorted(counts, key=lambda question: (-counts[question], question))
    if not wordings:
        return []
    vectors = encoder.encode(wordings)
    groups: list[list[int]] = []
    for number in range(len(wordings)):
        heads = [group[0] for group in groups]
        near = vectors[heads] @ vectors[number] if heads else np.zeros(0, np.float32)
        if len(near) and near.max() >= _ALIKE:
            groups[int(near.argmax())].append(number)
        else:
            groups.append([number])
    found = [
        Cluster(
            asked=sum(counts[wordings[number]] for number in group),
            questions=tuple(wordings[number] for number in group),
            last=max(last[wordings[number]] for number in group),
        )
        for group in groups
    ]
    return sorted(found, key=lambda cluster: -cluster.asked)
