import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest

from index.types import Document
from qa.evaluation import Gold, GoldError, Outcome, exact_match, f1, normalize, read_gold, summary
from qa.types import Answer, Candidate, Evidence, Turn


@pytest.mark.parametrize(
    ("predicted", "accepted", "em", "score"),
    [
        # worked through the official SQuAD 2.0 script's rules by hand
        ("the Eiffel Tower", ["Eiffel Tower."], 1.0, 1.0),
        ("in 1932", ["1932"], 0.0, 2 / 3),
        ("a b c d", ["b d e"], 0.0, 2 * (2 / 3) * (2 / 3) / (4 / 3)),
        (None, [], 1.0, 1.0),
        ("something", [], 0.0, 0.0),
        (None, ["Paris"], 0.0, 0.0),
        ("paris", ["London", "Paris"], 1.0, 1.0),
        ("x x y", ["x y y"], 0.0, 2 / 3),
        ("the", ["a"], 1.0, 1.0),
    ],
)
def test_scores_by_hand(predicted: str | None, accepted: list[str], em: float, score: float) -> None:
    assert exact_match(predicted, accepted) == em
    assert f1(predicted, accepted) == pytest.approx(score)


def test_normalization() -> None:
    assert normalize("  The U.S.A., an  Island!") == "usa island"
    assert normalize("Theatre") == "theatre"


def outcome(answers: tuple[str, ...], text: str | None, score: float, kind: str = "") -> Outcome:
    document = Document("d", "d", "some text")
    evidence = None if text is None else Evidence(document, 0, 4, "some text", 0, 9)
    answer = Answer("q", "q", text, 0.5, evidence, (), ())
    return Outcome(Gold("1", "q", answers, None, kind), answer, float(score == 1), score, None, 0.01)


def test_summary_by_hand() -> None:
    figures = summary(
        [
            outcome(("a",), "a", 1.0, "who"),
            outcome(("b",), "c", 0.0, "who"),
            outcome(("d",), None, 0.0, "when"),
            outcome((), None, 1.0, "none"),
            outcome((), "e", 0.0, "none"),
        ]
    )
    assert figures["f1"] == 40.0
    assert figures["has_answer"] == {"questions": 3, "exact_match": 33.3, "f1": 33.3, "right": 33.3}
    assert figures["no_answer"] == {"questions": 2, "refused": 50.0}
    assert figures["answered"] == 60.0
    assert figures["wrong"] == 66.7
    assert figures["hit_at_k"] is None
    assert figures["by_type"]["who"] == {"questions": 2, "right": 50.0}


def test_reading_gold(tmp_path: Path) -> None:
    rows = [
        {"id": "x", "question": "q?", "answers": ["a"]},
        {"question": "q?", "answers": [{"text": "a", "start": 3}], "context": "is a", "type": "who"},
        {"question": "q?", "answers": []},
    ]
    path = tmp_path / "gold.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join(map(json.dumps, rows)).encode()))
    golds = read_gold(path)
    assert [gold.id for gold in golds] == ["x", "2", "3"]
    assert golds[1] == Gold("2", "q?", ("a",), "is a", "who")
    assert golds[2].answers == ()


def test_articles_with_questions_are_gold_too(tmp_path: Path) -> None:
    article = {"title": "t", "text": "text", "qas": [{"question": "q", "answers": [], "kind": "none"}] * 2}
    (tmp_path / "news.jsonl").write_text(json.dumps(article))
    assert [gold.context for gold in read_gold(tmp_path / "news.jsonl")] == ["text", "text"]


@pytest.mark.parametrize(
    "line",
    ["not json", '{"question": "q"}', '{"question": 3, "answers": []}', '{"question": "q", "answers": [5]}', "[]"],
)
def test_a_bad_row_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "gold.jsonl"
    path.write_text('{"question": "q", "answers": []}\n' + line)
    with pytest.raises(GoldError, match=r"gold\.jsonl:2: expected"):
        read_gold(path)


def test_no_file_and_no_rows(tmp_path: Path) -> None:
    with pytest.raises(GoldError, match="cannot be read"):
        read_gold(tmp_path / "none.jsonl")
    (tmp_path / "empty.jsonl").write_text("\n")
    with pytest.raises(GoldError, match="holds no questions"):
        read_gold(tmp_path / "empty.jsonl")


def test_an_answer_prints_and_serialises() -> None:
    document = Document("d.txt", "Title", "some text")
    evidence = Evidence(document, 0, 4, "some text", 0, 9)
    answer = Answer("q", "q", "some", 0.75, evidence, (), (Candidate("text", 0.1, evidence),))
    assert str(answer) == "some"
    assert json.loads(json.dumps(answer.to_dict()))["evidence"]["document"] == "d.txt"
    assert str(Answer("q", "q", None, 0.1, None, (), ())) == "The documents don't say."


def test_a_dialogue_is_read_with_its_history(tmp_path: Path) -> None:
    path = tmp_path / "talk.jsonl"
    row = {"question": "and Bob?", "answers": ["Cid"], "history": [{"q": "who saw Ann?", "a": None}], "resolved": "x"}
    path.write_text(json.dumps(row))
    (gold,) = read_gold(path)
    assert gold.history == (Turn("who saw Ann?", None),)
    assert gold.resolved == "x"
    path.write_text(json.dumps({**row, "history": [{"q": "who saw Ann?"}]}))
    with pytest.raises(GoldError, match=r"talk.jsonl:1"):
        read_gold(path)


def test_questions_that_stand_alone_are_counted_apart() -> None:
    one, other = outcome(("a",), "a", 1.0), outcome(("a",), "a", 1.0)
    history = (Turn("q0", None),)
    typed = replace(one, gold=replace(one.gold, history=history, resolved="q"))
    bent = replace(typed, answer=replace(other.answer, read_as="something else"))
    assert summary([typed, bent, other])["left_alone"] == {"questions": 2, "untouched": 50.0}
    assert "left_alone" not in summary([other])
