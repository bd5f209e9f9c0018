import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from index.build import add_document
from index.store import SqliteStore
from index.types import Document, Encoder
from qa.coverage import best_threshold, curve, wilson
from qa.evaluation import Gold, Outcome
from qa.types import Answer
from ui.cli import main


def outcome(confidence: float, score: float, *, answerable: bool = True) -> Outcome:
    gold = Gold("1", "q", ("a",) if answerable else (), None, "")
    return Outcome(gold, Answer("q", "q", "x", confidence, None, (), ()), score, score, None, 0.0)


OUTCOMES = [outcome(0.9, 1.0), outcome(0.7, 1.0), outcome(0.6, 0.0), outcome(0.3, 0.0, answerable=False)]


def test_curve_by_hand() -> None:
    low, high = curve(OUTCOMES, [0.0, 0.65])
    assert (low.coverage, low.wrong, low.refused) == (1.0, 0.5, 0.0)
    assert (high.coverage, high.wrong, high.refused) == (0.5, 0.0, 1.0)
    assert high.wrong_most == pytest.approx(wilson(0, 2)[1])
    with pytest.raises(ValueError, match="no questions"):
        curve([], [0.5])


def test_best_threshold_by_hand() -> None:
    assert best_threshold(OUTCOMES, 0.1) == 0.7
    assert best_threshold(OUTCOMES, 0.5) == 0.3


def test_wilson_by_hand() -> None:
    # 1 of 10: the textbook interval
    assert wilson(1, 10) == pytest.approx((0.0179, 0.4042), abs=1e-3)
    assert wilson(0, 0) == (0.0, 1.0)


def test_a_setting_is_kept_with_the_index(store: SqliteStore, encoder: Encoder) -> None:
    assert store.setting("threshold") is None
    store.set_setting("threshold", "0.7")
    add_document(store, encoder, Document("a", "a", "Some text."))
    other = SqliteStore(store.folder, encoder_name=encoder.name, dimension=encoder.dimension)
    assert other.setting("threshold") == "0.7"
    other.close()


def test_calibrate_keeps_the_threshold_it_chose(tmp_path: Path) -> None:
    seeds, index = tmp_path / "seeds", tmp_path / "index"
    seeds.mkdir()
    (seeds / "a.txt").write_text("The ferry is called Aurora. It sails at nine. The captain is Ines Vogt.")
    gold = tmp_path / "gold.jsonl"
    rows = [("What is the ferry called?", ["Aurora"]), ("Who is the captain?", ["Ines Vogt"]), ("Who painted it?", [])]
    gold.write_text("\n".join(json.dumps({"question": q, "answers": a}) for q, a in rows))

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(main, [*arguments, "--index", str(index)], env={"QA_SEEDS": str(seeds)})
        assert result.exit_code in (0, 1), result.output
        return result.output

    assert "too few to tell" in run("calibrate", str(gold), "--dry-run")
    kept = run("calibrate", str(gold), "--most-wrong", "0")
    assert "<- chosen" in kept
    assert "kept with the index" in kept
    assert run("ask", "What is the ferry called?").startswith("Aurora")
    assert "The documents don't say." in run("ask", "Who painted it?")
