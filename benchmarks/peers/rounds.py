"""Everybody's turns: each peer does each work once a round, and what it did is written down at once.

A run that was stopped goes on: what is in the file and was done in the same way (same environment, driver, models,
documents, questions) is not done again. What failed is tried again.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.peers.driving import Driver, DriverError
from benchmarks.peers.works import Question, Work

WARM_UP = 10

Unit = tuple[str, str, int]
Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Contender:
    """A peer that can be started: its command, and what identifies the way it does its work."""

    name: str
    command: tuple[str, ...]
    recipe: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done.

    Attributes:
        settings: what every driver is told.
        weights: identifies the weights that all are given.
        rounds: how often each peer does each work; the first time it is asked every question.
        timed: how many questions, evenly from the whole list, the latencies of every round are taken from.
        folder: where indexes are made.
        cold_starts: how many new processes answer a first question in each turn; the median counts.
    """

    contenders: tuple[Contender, ...]
    works: tuple[Work, ...]
    settings: Mapping[str, Any]
    weights: str
    rounds: int
    timed: int
    folder: Path
    cold_starts: int = 3

    def units(self) -> Iterator[tuple[Contender, Work, int]]:
        """All turns in their order; who begins changes from round to round."""
        for number in range(self.rounds):
            first = number % max(1, len(self.contenders))
            turns = self.contenders[first:] + self.contenders[:first]
            for work in self.works:
                for contender in turns:
                    yield contender, work, number

    def questions(self, work: Work, number: int) -> list[tuple[Question, bool]]:
        """The questions of one turn, each with whether it is timed."""
        every = len(work.questions)
        count = min(self.timed, every)
        timed = {place * every // count for place in range(count)}
        chosen = [(question, place in timed) for place, question in enumerate(work.questions)]
        return chosen if number == 0 else [one for one in chosen if one[1]]


def recipe_of(plan: Plan, contender: Contender, work: Work) -> str:
    """Identifies how a turn is done: a record with another one is of something else."""
    parts = [contender.recipe, plan.weights, str(plan.settings["threads"]), str(plan.timed), work.name]
    parts += [f"{name}\0{text}" for name, text in work.documents]
    parts += [f"{q.gold.id}\0{q.gold.question}\0{q.document}" for q in work.questions]
    return hashlib.sha256("\1".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def read_records(path: Path) -> list[Record]:
    """What earlier runs wrote; a line that was cut off when a run was killed is passed over."""
    records = []
    if path.is_file():
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                records.append(json.loads(line))
            except ValueError:
                continue
    return records


def done_already(plan: Plan, records: Sequence[Record]) -> dict[Unit, Record]:
    """The records of this plan's turns that did not fail, by peer, work and round."""
    recipes = {(c.name, w.name): recipe_of(plan, c, w) for c in plan.contenders for w in plan.works}
    return {
        (record["peer"], record["work"], record["round"]): record
        for record in records
        if recipes.get((record["peer"], record["work"])) == record["recipe"] and "error" not in record
    }


def run(plan: Plan, path: Path, progress: Callable[[str, int, int], None]) -> dict[Unit, Record]:
    """Do the turns that are not done, append each to `path` as it ends, and return all of them.

    A peer that fails gets a record with its `error`, and is not tried again on that work in this run.

    Args:
        progress: called with what is being done, and how many questions are done of how many.
    """
    records = done_already(plan, read_records(path))
    failed: set[tuple[str, str]] = set()
    started: set[str] = set()
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_file() and not path.read_bytes().endswith(b"\n"):
        with path.open("a", encoding="utf-8") as file:
            file.write("\n")
    for contender, work, number in plan.units():
        unit = (contender.name, work.name, number)
        if unit in records or unit[:2] in failed:
            continue
        record: Record = {"peer": unit[0], "work": unit[1], "round": number, "recipe": recipe_of(plan, contender, work)}
        label = f"round {number + 1}/{plan.rounds} {work.name} {contender.name}"
        progress(label, 0, len(plan.questions(work, number)))
        try:
            if contender.name not in started:  # once untimed: Python compiles what is imported for the first time
                with Driver(contender.command, dict(plan.settings), plan.folder / "home") as driver:
                    driver.read()
                started.add(contender.name)
            record |= turn(plan, contender, work, number, partial(progress, label))
        except DriverError as error:
            failed.add(unit[:2])
            record["error"] = str(error)
        records[unit] = record
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
    return records


def turn(plan: Plan, contender: Contender, work: Work, number: int, progress: Callable[[int, int], None]) -> Record:
    """Build, start cold, ask: what one peer does with one work in one round.

    Raises:
        DriverError: the driver failed.
    """
    folder = plan.folder / f"{contender.name}-{work.name}"
    shutil.rmtree(folder, ignore_errors=True)
    home = plan.folder / "home"
    documents = [{"name": name, "text": text} for name, text in work.documents]
    asked = plan.questions(work, number)

    with Driver(contender.command, dict(plan.settings), home) as driver:
        record: Record = {"load_s": driver.read()["ready"]}
        built = driver.tell(do="build", documents=documents, folder=str(folder / "first"))
        record["build_from_start_s"] = driver.elapsed()
        record["passages"] = built["passages"]
        # once more with everything loaded: the rate that a large corpus would see
        again = driver.tell(do="build", documents=documents, folder=str(folder / "again"))
        record["build_s"] = again["seconds"]
        record["build_peak_bytes"] = driver.peak_bytes()

    first = asked[0][0].gold.question
    colds = []
    for _ in range(plan.cold_starts - 1):
        with Driver(contender.command, dict(plan.settings), home) as driver:
            colds.append(_first_answer(driver, folder / "first", first))
    with Driver(contender.command, dict(plan.settings), home) as driver:
        colds.append(_first_answer(driver, folder / "first", first))
        record["cold_s"] = statistics.median(colds)
        for question, _ in asked[:WARM_UP]:
            driver.tell(do="ask", question=question.gold.question)
        answers = []
        for done, (question, timed) in enumerate(asked, start=1):
            reply = driver.tell(do="ask", question=question.gold.question)
            answers.append({"id": question.gold.id, "timed": timed, **reply})
            progress(done, len(asked))
        record["peak_bytes"] = driver.peak_bytes()
    record["answers"] = answers
    shutil.rmtree(folder, ignore_errors=True)
    return record


def _first_answer(driver: Driver, folder: Path, question: str) -> float:
    driver.read()
    driver.tell(do="open", folder=str(folder))
    driver.tell(do="ask", question=question)
    return driver.elapsed()
