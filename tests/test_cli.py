import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ui.cli import main

ROOT = Path(__file__).parent.parent


def run(
    *arguments: str, index: Path | None = None, env: dict[str, str] | None = None, text: str | None = None
) -> Result:
    environment = {"QA_INDEX": str(index)} if index is not None else {}
    return CliRunner().invoke(main, list(arguments), env={**environment, **(env or {})}, input=text)


def test_ask_answers_with_its_source(built_index: Path) -> None:
    result = run("ask", "who", "plays", "Werner?", index=built_index)
    assert result.exit_code == 0
    first, sentence, source = result.output.strip().splitlines()
    assert re.fullmatch(r"Louis Hofmann  \(\d+% sure\)", first)
    assert "Werner Pfennig ([Louis Hofmann]), a young man" in sentence
    assert "000_e6d6c117e4a10c10.txt [" in source


def test_ask_in_a_process_of_its_own(built_index: Path) -> None:
    command = [sys.executable, "-m", "ui.cli", "ask", "--json", "who plays Werner?"]
    environment = {**os.environ, "QA_INDEX": str(built_index)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment)
    assert done.returncode == 0
    assert done.stderr == ""
    answer = json.loads(done.stdout)
    assert answer["answer"] == "Louis Hofmann"
    assert 0 < answer["confidence"] <= 1
    text = (ROOT / "seeds" / answer["evidence"]["document"]).read_text(encoding="utf-8")
    assert text[answer["evidence"]["start"] : answer["evidence"]["end"]] == "Louis Hofmann"


def test_no_answer_is_exit_code_1(built_index: Path) -> None:
    result = run("ask", "--threshold", "1", "who plays Werner?", index=built_index)
    assert result.exit_code == 1
    assert result.output.startswith("The documents don't say.")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ask"], "Missing argument"),
        (["ask", " "], "the question is empty"),
        (["ask", "x" * 50_000], "at most 2,000"),
        (["ask", "--threshold", "7", "who?"], "7"),
        (["eval", "nowhere.jsonl"], "cannot be read"),
        (["eval", "--given", "--open", "x.jsonl"], "exclude each other"),
        (["nonsense"], "No such command"),
        (["build", "--seeds", "/nowhere"], "not a folder"),
        (["build", "--index", "/dev/null/x"], "choose another"),
    ],
)
def test_wrong_usage_is_exit_code_2(built_index: Path, arguments: list[str], message: str) -> None:
    result = run(*arguments, index=built_index)
    assert result.exit_code == 2
    assert message in result.output
    assert "Traceback" not in result.output


def test_a_damaged_index_says_how_to_mend_it(tmp_path: Path) -> None:
    (tmp_path / "index.db").write_bytes(b"this is no database, whatever its name may say")
    result = run("ask", "who?", index=tmp_path)
    assert result.exit_code == 2
    assert "qa build --fresh" in result.output


def test_building_takes_in_only_what_changed(tmp_path: Path, built_index: Path) -> None:
    seeds, index = tmp_path / "seeds", tmp_path / "index"
    seeds.mkdir()
    options = ["build", "--seeds", str(seeds), "--index", str(index)]
    empty = run(*options)
    assert empty.exit_code == 2
    assert "holds no readable text file" in empty.output
    (seeds / "a.txt").write_text("The ferry is called Aurora. It sails at nine.")
    (seeds / "b.txt").write_text("The captain is Ines Vogt.")
    (seeds / "c.txt").write_bytes(b"\x00\x01\x02")
    first = run(*options)
    assert first.exit_code == 0
    assert "2 written, 0 unchanged, 0 removed, 1 left out" in first.output
    assert "c.txt: is not text" in first.output
    (seeds / "b.txt").write_text("The captain is Olga Brandt.")
    (seeds / "a.txt").unlink()
    assert "1 written, 0 unchanged, 1 removed" in run(*options).output
    assert "0 written, 1 unchanged, 0 removed" in run(*options).output
    answered = run("ask", "--threshold", "0", "Who is the captain?", index=index)
    assert answered.output.startswith("Olga Brandt")
    fresh = run(*options, "--fresh")
    assert "1 written" in fresh.output
    assert (index / "index.db.old-1").exists()


def test_a_question_without_an_index_builds_it(tmp_path: Path) -> None:
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    (seeds / "a.txt").write_text("The ferry is called Aurora. It sails at nine.")
    result = run(
        "ask", "--threshold", "0", "What is the ferry called?", index=tmp_path / "i", env={"QA_SEEDS": str(seeds)}
    )
    assert result.exit_code == 0
    assert "Aurora" in result.output


def test_empty_seeds_are_told_and_filled_later(tmp_path: Path) -> None:
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    environment = {"QA_SEEDS": str(seeds)}
    question = ["ask", "--threshold", "0", "What is the ferry called?"]
    empty = run(*question, index=tmp_path / "i", env=environment)
    assert empty.exit_code == 2
    assert "holds no readable text file" in empty.output
    (seeds / "noise.txt").write_bytes(b"\x00\x01")
    assert "noise.txt: is not text" in run(*question, index=tmp_path / "i", env=environment).output
    (seeds / "a.txt").write_text("The ferry is called Aurora.")
    assert "Aurora  (" in run(*question, index=tmp_path / "i", env=environment).output


def test_a_home_that_cannot_be_written_is_no_obstacle(tmp_path: Path) -> None:
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    (seeds / "a.txt").write_text("The ferry is called Aurora.")
    environment = {**os.environ, "XDG_DATA_HOME": "/dev/null/home", "QA_SEEDS": str(seeds)}
    environment.pop("QA_INDEX", None)
    command = [sys.executable, "-m", "ui.cli", "ask", "--threshold", "0", "What is the ferry called?"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment)
    assert "Aurora" in done.stdout
    assert "cannot make the index folder /dev/null/home" in done.stderr


def test_eval_on_the_index_and_on_given_contexts(built_index: Path, tmp_path: Path) -> None:
    gold = tmp_path / "gold.jsonl"
    rows = [
        {
            "id": "a",
            "question": "When was the bridge opened?",
            "answers": ["1932"],
            "context": "The bridge opened in 1932.",
        },
        {
            "id": "b",
            "question": "Who runs the bakery?",
            "answers": [{"text": "Ada"}],
            "context": "The bakery is run by Ada.",
        },
    ]
    gold.write_text("\n".join(map(json.dumps, rows)))
    for setting in ("--given", "--open"):
        result = run(
            "eval", str(gold), setting, "--json", "--threshold", "0", "--predictions", str(tmp_path / "p.json")
        )
        figures = json.loads(result.output[result.output.index("{") :])
        assert figures["questions"] == 2
        assert figures["has_answer"]["right"] == 100.0
        assert figures["hit_at_k"] == (100.0 if setting == "--open" else None)
        assert set(json.loads((tmp_path / "p.json").read_text())) == {"a", "b"}
    missing = tmp_path / "bare.jsonl"
    missing.write_text(json.dumps({"question": "who?", "answers": []}))
    assert "has no context" in run("eval", str(missing), "--given").output
    table = run("eval", "tests/gold/all_the_light.jsonl", "--limit", "5", "--misses", index=built_index)
    assert table.exit_code == 0
    assert "exact match" in table.output


def test_the_terminal_chat(built_index: Path) -> None:
    result = run("chat", index=built_index, text="who plays Werner?\n?!\n\n")
    assert result.exit_code == 0
    assert "Louis Hofmann" in result.output
    assert "the question is empty" in result.output


def test_doctor_finds_all_well_and_what_is_not(built_index: Path, tmp_path: Path) -> None:
    well = run("doctor", index=built_index)
    assert well.exit_code == 0
    assert well.output.count("ok ") == 4
    ill = run("doctor", index=tmp_path)
    assert ill.exit_code == 2
    assert "run `qa build`" in ill.output


def test_doctor_blocks_the_network() -> None:
    import socket

    from ui.doctor import network_blocked

    with network_blocked(), pytest.raises(OSError, match="the network is blocked"):
        socket.create_connection(("127.0.0.1", 9))
    with pytest.raises(ConnectionError):
        socket.create_connection(("127.0.0.1", 9))


@pytest.mark.parametrize("command", ["", *main.commands])
def test_help_shows_examples(command: str) -> None:
    result = run(*command.split(), "--help")
    assert result.exit_code == 0
    assert "Example" in result.output
    examples = [line.strip() for line in result.output.splitlines() if line.strip().startswith("qa ")]
    assert all(example.split()[1] in main.commands for example in examples)


def test_readers_that_there_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QA_READERS", "large")
    done = CliRunner().invoke(main, ["ask", "who plays Werner?"])
    assert done.exit_code == 2
    assert "QA_READERS must be small or cascade, got 'large'" in done.output
