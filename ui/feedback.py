"""What people thought of answers: JSON lines next to the index, and a gold file made of them for `qa eval`."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ui.exchange import Exchange

__all__ = ["FILE_NAME", "Feedback", "FeedbackError", "gold_rows"]

FILE_NAME = "feedback.jsonl"
_MOST_BYTES = 20_000_000
_LONGEST_ANSWER = 500


class FeedbackError(Exception):
    """A verdict cannot be kept, or the file of them not be read; the message is for people."""


class Feedback:
    """A file of verdicts, only ever added to. Safe to use from several threads.

    Args:
        path: the file; None keeps nothing.
        most_bytes: the file grows no further.
    """

    def __init__(self, path: Path | None, most_bytes: int = _MOST_BYTES) -> None:
        self.path = path
        self._most = most_bytes
        self._lock = threading.Lock()

    def keep(self, exchange: Exchange, verdict: str, right: str | None) -> None:
        """Add a verdict, "up" or "down", with what would have been right ("" for: the documents don't say).

        Of an answer from a person's own documents only the verdict is kept: those are nobody else's business.

        Raises:
            FeedbackError: the file is full or cannot be written.
        """
        row: dict[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "id": exchange.id, "verdict": verdict,
        }  # fmt: skip
        if not exchange.own:
            row["question"] = exchange.read_as
            row["answer"] = exchange.answer
            row["confidence"] = round(exchange.confidence, 4)
            row["documents"] = [quote.name for quote in exchange.quotes[: exchange.cited]]
            if right is not None:
                row["right"] = right.strip()[:_LONGEST_ANSWER]
        line = (json.dumps(row, ensure_ascii=False) + "\n").encode("utf-8", "replace")
        if self.path is None:
            raise FeedbackError("What you think of answers is not kept here.")
        try:
            with self._lock:
                if self.path.exists() and self.path.stat().st_size + len(line) > self._most:
                    raise FeedbackError("No more can be noted: the file of what people thought is full.")
                # one write, so that two processes never mix their lines; readable by the owner alone
                number = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
                try:
                    os.write(number, line)
                finally:
                    os.close(number)
        except OSError as error:
            raise FeedbackError("It could not be noted: the file of what people thought cannot be written.") from error


def gold_rows(path: Path) -> Iterator[dict[str, Any]]:
    """What the file says is right, as rows of a gold file: {id, question, answers, type}, the last verdict counting.

    An answer called right is the gold answer; one called wrong gives a row when the right one was told with it. Of an
    answer from somebody's own documents there is nothing to tell.

    Raises:
        FeedbackError: the file cannot be read, or a line of it is not as written here.
    """
    rows: dict[str, dict[str, Any]] = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise FeedbackError(f"{path} cannot be read ({error}); nobody may have said anything yet") from error
    for number, line in enumerate(lines, start=1):
        try:
            row = json.loads(line)
            rows[row["id"]] = row
        except (ValueError, KeyError, TypeError) as error:
            raise FeedbackError(f"{path}:{number} is no verdict ({error!r}); remove the line") from error
    questions: dict[str, dict[str, Any]] = {}
    for row in rows.values():
        if "question" not in row:
            continue
        if row["verdict"] == "up":
            right = row["answer"]
        elif "right" in row:
            right = row["right"] or None
        else:
            continue
        answers = [] if right is None else [right]
        questions[row["question"]] = {
            "id": row["id"], "question": row["question"], "answers": answers, "type": "feedback",
        }  # fmt: skip
    yield from questions.values()
