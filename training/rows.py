"""Question-answering rows from gzip'd or plain JSON lines, checked as they are read."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class DataError(ValueError):
    """A data file is missing, damaged, or a span does not match its context; names the file and line."""


@dataclass(frozen=True, slots=True)
class Row:
    """One question over one context. `start`..`end` are characters of `context`; both None when it has no answer."""

    id: str
    group: str
    context: str
    question: str
    start: int | None
    end: int | None


def read_rows(path: Path, split: str | None = None, *, dialogues: bool = False) -> list[Row]:
    """Read all rows of one file: passages with questions, or articles with `qas` (the news shape).

    `dialogues` takes the follow-up questions of articles as well, in the wording that stands alone.
    Where annotators disagree the span most of them chose is taken, the shortest of equals.

    Raises:
        DataError: the file is missing or damaged, or an answer is not at its place in the context.
    """
    if not path.is_file():
        raise DataError(f"no data file at {path}; give its folder with --data")
    rows: list[Row] = []
    try:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                where = f"{path.name}:{number}"
                record = json.loads(line)
                if split is None or record.get("split") == split:
                    rows.extend(_rows_of(record, where, dialogues))
    except (OSError, EOFError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise DataError(f"{path} is damaged after {len(rows)} rows ({error}); fetch it again") from error
    return rows


def _resolved(record: dict[str, Any], where: str) -> Iterator[Row]:
    """The follow-ups of an article as questions that stand alone; without those whose answer stands there twice."""
    text, asked = record["text"], {qa["question"] for qa in record["qas"]}
    for number, turn in enumerate(record.get("dialogues", [])):
        question, answer = turn["resolved"], turn["a"]
        if question in asked or (answer is not None and text.count(answer) != 1):
            continue
        start = None if answer is None else text.index(answer)
        end = None if start is None else start + len(answer)
        yield Row(f"{where}~{number}", record["title"], text, question, start, end)


def _rows_of(record: dict[str, Any], where: str, dialogues: bool) -> Iterator[Row]:
    if "qas" in record:
        for number, qa in enumerate(record["qas"]):
            yield _row(f"{where}#{number}", record["title"], record["text"], qa, where)
        if dialogues:
            yield from _resolved(record, where)
    else:
        group = record.get("title") or str(record["id"]).split("#")[0]
        yield _row(str(record["id"]), group, record["context"], record, where)


def _row(identifier: str, group: str, context: str, qa: dict[str, Any], where: str) -> Row:
    spans = Counter((int(answer["start"]), answer["text"]) for answer in qa["answers"])
    for start, text in spans:
        if context[start : start + len(text)] != text:
            raise DataError(f"{where}: answer {text!r} is not at character {start} of its context")
    if not spans:
        return Row(identifier, group, context, qa["question"], None, None)
    start, text = max(spans, key=lambda span: (spans[span], -len(span[1])))
    return Row(identifier, group, context, qa["question"], start, start + len(text))
