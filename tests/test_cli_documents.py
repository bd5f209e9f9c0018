"""Commands that fill an index, look at it, and see what changed."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import index.encoder
from ui.cli import main

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv("QA_INDEX", raising=False)


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "ferry.txt").write_text("The ferry is called Aurora. It sails at nine.")
    (folder / "captain.txt").write_text("The captain is Ines Vogt.")
    return folder


def run(*arguments: object, text: str | None = None) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], input=text)


def work(command: str, *arguments: object, text: str | None = None) -> Result:
    return run(command, "--collection", "work", *arguments, text=text)


def test_from_adding_to_removing(notes: Path, tmp_path: Path) -> None:
    plan = work("add", "--dry-run", notes)
    assert plan.exit_code == 0
    assert "+ ferry.txt  (new)" in plan.output
    assert "2 new, 0 changed, 0 to remove, 0 unchanged; nothing was done" in plan.output
    assert work("list").exit_code == 2  # nothing was made
    (notes / "bad\n.txt").write_bytes(b"\x00")
    added = work("add", notes)
    assert added.exit_code == 1
    assert "2 written, 0 unchanged, 0 removed, 1 left out" in added.output
    assert "bad\\n.txt: is not text" in added.output
    (notes / "bad\n.txt").unlink()
    assert work("ask", "--threshold", "0", "Who is the captain?").output.startswith("Ines Vogt")
    listed = json.loads(work("list", "--json").output)
    assert [(row["name"], row["passages"]) for row in listed] == [("captain.txt", 1), ("ferry.txt", 1)]
    assert "2 document(s)" in work("list").output
    assert "work: 2 documents, 2 passages" in run("collections").output
    assert json.loads(run("collections", "--json").output)[0]["name"] == "work"
    assert work("remove", "x*").exit_code == 1
    assert "1 to remove; nothing was done" in work("remove", "--dry-run", "f*").output
    assert work("remove", "f*", text="n\n").exit_code == 1
    assert "1 removed" in work("remove", "f*", text="y\n").output
    assert work("remove", "--yes", "captain.txt").exit_code == 0
    assert "0 document(s)" in work("list").output


def test_following_a_folder(notes: Path) -> None:
    assert work("sync", notes).exit_code == 0
    (notes / "ferry.txt").unlink()
    (notes / "captain.txt").write_text("The captain is Olga Brandt.")
    plan = work("sync", notes, "--dry-run").output
    assert "~ captain.txt  (changed)\n- ferry.txt  (to remove)\n" in plan
    assert "1 written, 0 unchanged, 1 removed" in work("sync", notes).output
    (notes / "captain.txt").unlink()
    # an empty folder may be one that is not mounted
    assert "remove all 1 that came from it?" in work("sync", notes, text="n\n").output
    assert len(json.loads(work("list", "--json").output)) == 1
    assert "1 removed" in work("sync", notes, "--yes").output


def test_the_default_collection_holds_the_seeds_too(
    notes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    (seeds / "ferry.txt").write_text("The bell is bronze.")
    monkeypatch.setenv("QA_SEEDS", str(seeds))
    assert "3 written" in run("add", notes).output
    assert [row["name"] for row in json.loads(run("list", "--json").output)] == [
        "captain.txt",
        "ferry.txt",
        "notes/ferry.txt",
    ]
    assert "0 written, 1 unchanged, 0 removed" in run("build").output  # and does not take what was added away
    assert run("list", "--collection", "default").output == run("list").output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["add", "/nowhere/at-all"], "there is no such file or folder"),
        (["add"], "Missing argument"),
        (["sync", "/nowhere/at-all"], "does not exist"),
        (["sync", "--dry-run", "--watch", "."], "exclude each other"),
        (["list", "--collection", "a b"], "cannot name a collection"),
        (["list", "--collection", "x", "--index", "y"], "exclude each other"),
        (["build", "--collection", "x"], "is a collection"),
        (["ask", "--collection", "x", "who?"], "there is no index"),
        (["remove", "--collection", "x", "y"], "no index at"),
        (["export", "--collection", "x", "y"], "no index at"),
        (["import", "--collection", "x", "/nowhere"], "cannot be read"),
        (["diff", "/nowhere"], "cannot be read"),
        (["build", "--encoder", "guess"], "is not one of"),
    ],
)
def test_wrong_usage_is_told(arguments: list[str], message: str) -> None:
    result = run(*arguments) if arguments[0] != "add" else work(*arguments)
    assert result.exit_code == (1 if arguments == ["add", "/nowhere/at-all"] else 2)
    assert message in result.output
    assert "Traceback" not in result.output


def test_a_copy_of_a_collection(notes: Path, tmp_path: Path) -> None:
    work("add", notes)
    assert "2 document(s)" in work("export", tmp_path / "copy.jsonl").output
    assert run("import", "--collection", "copy", tmp_path / "copy.jsonl").exit_code == 0
    assert run("list", "--collection", "copy").output == work("list").output
    assert work("export", "-").output == (tmp_path / "copy.jsonl").read_text()
    assert work("export", "/nowhere/at-all").exit_code == 2


def test_answers_that_changed(notes: Path, tmp_path: Path) -> None:
    work("add", notes)
    (tmp_path / "questions").write_text("Who is the captain?\nWhat is the ferry called?\n")
    kept = tmp_path / "kept.jsonl"
    assert "2 question(s), 2 answered" in work("diff", tmp_path / "questions", "--save", kept).output
    same = work("diff", kept)
    assert (same.exit_code, "0 of 2 changed" in same.output) == (0, True)
    (notes / "captain.txt").write_text("The captain is Olga Brandt.")
    work("sync", notes)
    changed = work("diff", kept)
    assert changed.exit_code == 1
    assert "another answer: Who is the captain?" in changed.output
    assert "before: Ines Vogt" in changed.output
    assert "now:    Olga Brandt" in changed.output
    result = work("diff", kept, "--json").output
    assert json.loads(result[result.index("[\n") :])[0]["what"] == "another answer"


def test_questions_without_an_answer(notes: Path) -> None:
    work("add", notes)
    assert work("ask", "--threshold", "1", "What does a ticket cost?").exit_code == 1
    work("ask", "--threshold", "1", "How much is a ticket?")
    work("ask", "--threshold", "0", "Who is the captain?")
    told = work("report")
    assert "   2  How much is a ticket?" in told.output
    assert "2 question(s) without an answer, in 1 group(s)" in told.output
    assert json.loads(work("report", "--json").output)[0]["asked"] == 2
    assert work("report", "--clear").exit_code == 0
    assert "0 question(s)" in work("report").output


def test_the_encoder_can_be_chosen(notes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Chosen(Exception):
        pass

    def make() -> None:
        raise Chosen

    monkeypatch.setattr(index.encoder, "SentenceTransformerEncoder", make)
    options = ["build", "--seeds", notes, "--index", tmp_path / "i", "--encoder"]
    assert isinstance(run(*options, "sentence-transformers").exception, Chosen)
    assert run(*options, "onnx").exit_code == 0


def test_the_page_on_documents_says_what_works(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "documents.md").read_text(encoding="utf-8")
    commands = re.findall(r"^\$ qa (\w+)", page, re.MULTILINE)
    assert len(commands) > 10
    assert set(commands) <= set(main.commands)
    (snippet,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "a.txt").write_text("The ferry is called Aurora.")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", snippet], capture_output=True, text=True, cwd=tmp_path, env=environment
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1:] == ["The captain is Ines Vogt.", "Ines Vogt"]


def start(*arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "ui.cli", *map(str, arguments)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def test_building_imports_no_torch(notes: Path) -> None:
    code = (
        "import sys; from index import Index\n"
        f"with Index.open({str(notes.parent / 'i')!r}, create=True) as index: index.add({str(notes)!r})\n"
        "print(*{'torch', 'sentence_transformers', 'transformers', 'gradio'} & set(sys.modules), len(index.path.name))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "1\n"


def test_ctrl_c_stops_at_once_and_the_next_run_goes_on(tmp_path: Path) -> None:
    folder, place = tmp_path / "many", tmp_path / "i"
    folder.mkdir()
    for number in range(400):
        text = " ".join(f"Line {line} of the text with number {number} stands in this place." for line in range(40))
        (folder / f"{number:03}.txt").write_text(text)
    with start("add", folder, "--index", place) as process:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            time.sleep(0.2)
            listed = run("list", "--index", place, "--json") if (place / "index.db").exists() else None
            if listed is not None and listed.exit_code == 0 and len(json.loads(listed.output)) >= 5:
                break
        begin = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 130
        assert time.monotonic() - begin < 10
        assert process.stdout is not None
        assert "interrupted; what was finished is kept" in process.stdout.read()
    done = len(json.loads(run("list", "--index", place, "--json").output))
    assert 5 <= done < 400
    plan = run("add", folder, "--index", place, "--dry-run").output
    assert f"{400 - done} new, 0 changed, 0 to remove, {done} unchanged" in plan


def test_watching_a_folder(notes: Path, tmp_path: Path) -> None:
    place = tmp_path / "i"

    def names() -> list[str]:
        return [row["name"] for row in json.loads(run("list", "--index", place, "--json").output)]

    def wait_for(wanted: list[str]) -> None:
        deadline = time.monotonic() + 20
        while names() != wanted and time.monotonic() < deadline:
            time.sleep(0.3)
        assert names() == wanted

    with start("sync", notes, "--index", place, "--watch") as process:
        assert process.stdout is not None
        try:
            while "following" not in (line := process.stdout.readline()):
                assert line
            (notes / "bell.txt").write_text("The bell is bronze.")
            (notes / "picture.png").write_bytes(b"1")
            wait_for(["bell.txt", "captain.txt", "ferry.txt"])
            (notes / "ferry.txt").unlink()
            wait_for(["bell.txt", "captain.txt"])
            (notes / ".qaignore").write_text("bell*\n")
            wait_for(["captain.txt"])
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=20) == 130
        assert process.stdout.read().count("removed,") >= 3
