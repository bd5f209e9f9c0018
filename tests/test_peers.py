"""The comparison: its lines, going on after a stop, failures by name, thresholds and tables. With a fake driver."""

from __future__ import annotations

import dataclasses
import gzip
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.peers.driving import Driver, DriverError
from benchmarks.peers.figures import collect, losses, quality, tuned
from benchmarks.peers.rounds import Contender, Plan, read_records, run
from benchmarks.peers.table import BEGIN, END, markdown, put_into
from benchmarks.peers.works import Question, Work, article, fairytales, squad
from qa.evaluation import Gold, GoldError

# Answers with the word after the last word of the question, where a document holds that; counts its starts in a file.
FAKE = """
import json, sys
from pathlib import Path
from benchmarks.peers.drivers.wire import Reply, serve

class Fake:
    def __init__(self, settings):
        with open(r"{log}", "a") as log:
            log.write("{name}\\n")
        {broken}
    def build(self, documents, folder):
        folder.mkdir(parents=True)
        (folder / "saved.json").write_text(json.dumps(documents))
        self.open(folder)
        return len(documents)
    def open(self, folder):
        self.documents = json.loads((folder / "saved.json").read_text())
    def ask(self, question):
        print("libraries print what they like")
        last = question.rstrip("?").split()[-1].lower()
        for document in self.documents:
            words = document["text"].split()
            for word, following in zip(words, words[1:]):
                if word.lower() == last:
                    return Reply({given}, document["name"], {score}, following.strip("."))
        return Reply(None)

serve(Fake)
"""
SETTINGS = {"encoder": "", "reader": "", "threads": 1}


def question(name: str, text: str, *answers: str, document: str | None = None) -> Question:
    return Question(Gold(name, text, answers, None, ""), document)


WORK = Work(
    "toy",
    "toy texts",
    (("a.txt", "The colour is blue."), ("b.txt", "The captain was Ada.")),
    (
        question("1", "Which colour is?", "blue", document="a.txt"),
        question("2", "Who was?", "Ada", document="b.txt"),
        question("3", "Who painted?"),
        question("4", "What is the captain?"),
    ),
)


@pytest.fixture
def fake(tmp_path: Path) -> Callable[..., Contender]:
    def make(name: str, *, given: str = "following.strip('.')", score: str = "0.9", broken: str = "pass") -> Contender:
        path = tmp_path / f"{name}.py"
        log = tmp_path / "starts.txt"
        path.write_text(FAKE.format(log=log, name=name, given=given, score=score, broken=broken), encoding="utf-8")
        return Contender(name, (sys.executable, str(path)), f"{given} {score}")

    return make


def plan(folder: Path, *contenders: Contender, rounds: int = 2, work: Work = WORK) -> Plan:
    return Plan(tuple(contenders), (work,), SETTINGS, "weights", rounds, 2, folder, 1)


def quiet(label: str, done: int, of: int) -> None:
    """No progress bar."""


def starts(folder: Path) -> list[str]:
    return (folder / "starts.txt").read_text().split()


def test_a_driver_answers_line_by_line(fake: Callable[..., Contender], tmp_path: Path) -> None:
    with Driver(fake("ours").command, SETTINGS, tmp_path / "home") as driver:
        assert driver.read()["ready"] >= 0
        documents = [{"name": name, "text": text} for name, text in WORK.documents]
        assert driver.tell(do="build", documents=documents, folder=str(tmp_path / "index"))["passages"] == 2
        reply = driver.tell(do="ask", question="Which colour is?")
        assert (reply["text"], reply["document"], reply["candidate"]) == ("blue", "a.txt", "blue")
        assert driver.tell(do="ask", question="Who painted?")["text"] is None
        assert driver.peak_bytes() > 1_000_000


def test_a_driver_must_not_reach_the_network(fake: Callable[..., Contender], tmp_path: Path) -> None:
    contender = fake("ours", broken="import socket; socket.create_connection(('127.0.0.1', 9))")
    with (
        Driver(contender.command, SETTINGS, tmp_path / "home") as driver,
        pytest.raises(DriverError, match="offline"),
    ):
        driver.read()


def test_a_driver_that_hangs_is_ended(fake: Callable[..., Contender], tmp_path: Path) -> None:
    contender = fake("ours", broken="import time; time.sleep(600)")
    with (
        Driver(contender.command, SETTINGS, tmp_path / "home", limit=0.5) as driver,
        pytest.raises(DriverError, match="exit code -9"),
    ):
        driver.read()


def test_rounds_alternate_and_a_stopped_run_goes_on(fake: Callable[..., Contender], tmp_path: Path) -> None:
    both = plan(tmp_path / "work", fake("ours"), fake("other"))
    path = tmp_path / "records.jsonl"
    records = run(both, path, quiet)
    order = [(record["peer"], record["round"]) for record in read_records(path)]
    assert order == [("ours", 0), ("other", 0), ("other", 1), ("ours", 1)]  # who begins changes
    assert [len(records["ours", "toy", n]["answers"]) for n in (0, 1)] == [4, 2]  # all at first, then the timed ones
    assert {a["id"] for a in records["ours", "toy", 0]["answers"] if a["timed"]} == {"1", "3"}

    before = len(starts(tmp_path))
    assert run(both, path, quiet) == records  # nothing is done again
    assert len(starts(tmp_path)) == before

    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[:3]) + "\n" + lines[3][:50])  # killed while it wrote the last one
    again = run(both, path, quiet)
    assert again.keys() == records.keys()
    assert set(starts(tmp_path)[before:]) == {"ours"}


def test_what_was_done_in_another_way_is_done_again(fake: Callable[..., Contender], tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    run(plan(tmp_path / "work", fake("ours"), rounds=1), path, quiet)
    other = plan(tmp_path / "work", fake("ours", score="0.1"), rounds=1)
    records = run(other, path, quiet)
    assert records["ours", "toy", 0]["answers"][0]["score"] == 0.1
    assert len(read_records(path)) == 2
    run(dataclasses.replace(other, weights="others"), path, quiet)
    assert len(read_records(path)) == 3


def test_a_peer_that_fails_is_reported_by_name_and_tried_again(fake: Callable[..., Contender], tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    broken = fake("other", broken="raise ImportError('no such pipeline')")
    records = run(plan(tmp_path / "work", fake("ours"), broken), path, quiet)
    assert "no such pipeline" in records["other", "toy", 0]["error"]
    assert ("other", "toy", 1) not in records and ("ours", "toy", 1) in records
    mended = dataclasses.replace(fake("other"), recipe=broken.recipe)
    records = run(plan(tmp_path / "work", fake("ours"), mended), path, quiet)
    assert "error" not in records["other", "toy", 0] and "error" not in records["other", "toy", 1]


def test_quality_and_losses(fake: Callable[..., Contender], tmp_path: Path) -> None:
    # the other one never refuses what it has a candidate for; ours does so for everything
    ours, other = fake("ours", given="None"), fake("other")
    records = run(plan(tmp_path / "work", ours, other), tmp_path / "records.jsonl", quiet)
    figures = quality(WORK, records["other", "toy", 0])
    # "What is the captain?" has no answer in gold, and gets "was"
    assert (figures["exact_match"], figures["answerable_f1"], figures["refused"]) == (75.0, 100.0, 50.0)
    assert (figures["wrong"], figures["right_document"], figures["shown_holds_answer"]) == (33.3, 100.0, 100.0)
    assert quality(WORK, records["ours", "toy", 0])["f1"] == 50.0

    found = collect([WORK], ["ours", "other"], records, "ours")
    said = losses(found, "ours")
    assert "toy texts, other: F1 75, this product 50" in said
    ratio = found["toy"]["peers"]["other"]["ratio"]["p50_ms"]
    assert 0 < ratio["least"] <= ratio["median"] <= ratio["most"]
    assert "ratio" not in found["toy"]["peers"]["ours"]


def test_the_threshold_is_chosen_on_one_half_and_told_of_the_other() -> None:
    golds, replies = [], []
    for number in range(200):
        answerable = number % 2 == 0
        golds.append(Gold(f"q{number}", "?", ("yes",) if answerable else (), None, ""))
        replies.append({"text": "yes", "candidate": "yes", "score": 0.8 if answerable else 0.3})
    found = tuned(golds, replies)
    assert found is not None
    assert found["threshold"] == pytest.approx(0.55)
    assert found["chosen_on"] + found["reported_on"] == 200 and 60 < found["chosen_on"] < 140
    assert found["at_threshold"]["f1"] == 100.0 and 40 < found["by_default"]["f1"] < 60
    no_answers = [dataclasses.replace(gold, answers=()) for gold in golds]
    everything = tuned(no_answers, replies)
    assert everything is not None and everything["always_refuses"] and everything["at_threshold"]["f1"] == 100.0
    assert tuned(golds[:1], replies[:1]) is None


def results(works: dict[str, Any], failed: dict[str, str]) -> dict[str, Any]:
    sizes = {name: {"environment": 3_000_000, "torch": 1_000_000, "models": 2_000_000} for name in ("ours", "other")}
    return {
        "trial": True, "machine": {"cpu": "a processor", "commit": "abc"}, "finished": "2026-01-02T03:04:05+00:00",
        "settings": {"threads": 1, "rounds": 2, "timed": 2}, "installed": sizes, "works": works, "failed": failed,
    }  # fmt: skip


def test_the_page_gets_the_tables(fake: Callable[..., Contender], tmp_path: Path) -> None:
    broken = fake("txtai", broken="raise ImportError('no such pipeline')")
    records = run(plan(tmp_path / "work", fake("ours"), fake("other"), broken), tmp_path / "records.jsonl", quiet)
    works = collect([WORK], ["ours", "other", "txtai"], records, "ours")
    text = markdown(results(works, {"txtai": "no such pipeline"}))
    assert "A trial" in text and "2026-01-02" in text
    assert "### Toy texts: 4 questions, 2 documents, 8 words" in text
    assert "| this product | 75 | 75 | 100 | 50 | 33.3 | 100 | 100 |" in text
    assert "| txtai | did not run: see below |" in text and "- txtai: no such pipeline" in text
    assert "| other | 5 | 1 | 2 |" in text  # megabytes
    widths = {line.count("|") for line in text.splitlines() if line.startswith("| this product")}
    heads = {line.count("|") for line in text.splitlines() if line.startswith("| ---")}
    assert widths <= heads

    page = tmp_path / "page.md"
    page.write_text(f"above\n{BEGIN}\nformer figures\n{END}\nbelow\n", encoding="utf-8")
    put_into(page, text)
    put_into(page, text)
    written = page.read_text(encoding="utf-8")
    assert written.count("### Installed") == 1 and "former figures" not in written
    assert written.startswith("above\n") and written.endswith("below\n")
    page.write_text("no marks", encoding="utf-8")
    with pytest.raises(ValueError, match="must hold"):
        put_into(page, text)


def test_the_page_in_docs_has_its_marks() -> None:
    page = (Path(__file__).parents[1] / "docs" / "peers.md").read_text(encoding="utf-8")
    assert page.index(BEGIN) < page.index(END)


def test_works(tmp_path: Path) -> None:
    rows = [
        {"id": "s#1", "split": "test", "context": "One.", "question": "1?", "answers": [{"text": "One", "start": 0}]},
        {"id": "s#2", "split": "test", "context": "Two.", "question": "2?", "answers": [{"text": "Two", "start": 0}]},
        {"id": "t#1", "split": "train", "context": "Three.", "question": "3?", "answers": []},
        {"id": "u#1", "split": "test", "context": "One.", "question": "4?", "answers": []},
    ]
    path = tmp_path / "rows.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join(map(json.dumps, rows)).encode()))
    passages = squad(path)
    assert passages.documents == (("passage-00000", "One."), ("passage-00001", "Two."), ("passage-00002", "Three."))
    assert [q.document for q in passages.questions] == [f"passage-0000{n}" for n in (0, 1, 2, 0)]
    stories = fairytales(path)
    assert stories.documents == (("s", "One.\n\nTwo."), ("u", "One."))
    assert [(q.gold.id, q.document) for q in stories.questions] == [("s#1", "s"), ("s#2", "s"), ("u#1", "u")]
    assert [q.gold.id for q in fairytales(path, most=2).questions] == ["s#1", "s#2"]
    assert article().words > 400 and len(article(most=7).questions) == 7
    with pytest.raises(GoldError, match="no rows"):
        fairytales(path, split="none")
