"""The parsers' process: bounded in time and memory, replaced when it dies, silent, and gone when its user is."""

import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import psutil
import pytest
from sample_files import make_html, make_pdf

from index.documents import read_document
from index.errors import DocumentError
from index.formats.guard import Guard
from index.formats.worker import answer

ROOT = Path(__file__).parent.parent
CHAPTERS = [("The harbour", ["It opened in 1902.", "Its lighthouse is green."])]


def guard_of(code: str, seconds: float = 30) -> Guard:
    return Guard(seconds=seconds, command=[sys.executable, "-c", code])


def test_a_parser_that_hangs_is_ended(tmp_path: Path) -> None:
    guard = guard_of("import time; time.sleep(60)", seconds=0.5)
    started = time.monotonic()
    with pytest.raises(DocumentError, match=r"takes longer than 0\.5 s to read"):
        guard.read("pdf", tmp_path / "a.pdf")
    assert time.monotonic() - started < 10


def test_a_parser_that_crashes_is_told(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="crashed the program that reads it"):
        guard_of("import os; input(); os.abort()").read("pdf", tmp_path / "a.pdf")


def test_memory_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "a.docx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        file.writestr("word/document.xml", b" " * 190_000_000)
    guard = Guard(memory=450_000_000)
    try:
        # where memory ends in the middle of C code, the parser may crash instead
        with pytest.raises(DocumentError, match=r"takes more than 0\.5 GB of memory|crashed"):
            guard.read("docx", path)
        small = make_html(tmp_path / "b.html", CHAPTERS)
        assert "lighthouse" in guard.read("html", small).text
    finally:
        guard.close()


def test_one_process_serves_many_files_and_is_replaced_when_it_dies(tmp_path: Path) -> None:
    path = make_pdf(tmp_path / "a.pdf", CHAPTERS)
    guard = Guard()
    try:
        guard.read("pdf", path)
        first = guard._process
        guard.read("pdf", path)
        assert guard._process is first
        assert first is not None
        os.kill(first.pid, signal.SIGKILL)
        assert "lighthouse" in guard.read("pdf", path).text
        assert guard._process is not first
    finally:
        guard.close()


def test_a_parsers_own_bug_is_an_error_of_that_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import index.formats.pdf

    def fail(path: Path) -> None:
        raise ZeroDivisionError("division\nby zero")

    monkeypatch.setattr(index.formats.pdf, "read_pdf", fail)
    assert answer("pdf", tmp_path / "a.pdf") == {
        "error": "its pdf parser failed (ZeroDivisionError: division by zero); export it again or save it as text"
    }


def test_nothing_is_printed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(b"%PDF-1.4 and nothing that makes sense")
    page = tmp_path / "b.html"
    page.write_text("<html><body><script>x</script></body></html>")
    for bad in (path, page):
        with pytest.raises(DocumentError):
            read_document(bad)
    assert capfd.readouterr() == ("", "")


def test_reading_imports_no_parser_here(tmp_path: Path) -> None:
    path = make_pdf(tmp_path / "a.pdf", CHAPTERS)
    heavy = {"trafilatura", "pypdfium2", "lxml", "markdown_it", "charset_normalizer"}
    code = (
        "import sys; from pathlib import Path; from index import read_document;"
        f"document = read_document(Path({str(path)!r}));"
        f"print(document.place(0), *sorted({heavy!r} & set(sys.modules)))"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert printed.strip() == "p. 1"


def test_a_module_in_the_current_folder_is_not_run(tmp_path: Path) -> None:
    path = make_html(tmp_path / "a.html", CHAPTERS)
    (tmp_path / "trafilatura.py").write_text("raise SystemExit")
    code = (
        "import sys, os; sys.path.insert(0, sys.argv[1]); from pathlib import Path; from index import read_document;"
        "os.chdir(sys.argv[2]); print(len(read_document(Path('a.html')).text) > 20)"
    )
    command = [sys.executable, "-I", "-c", code, str(ROOT), str(tmp_path)]
    assert path.exists()
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "True\n"


@pytest.mark.parametrize("ending", ["exit", "kill"])
def test_the_process_ends_with_its_user(tmp_path: Path, ending: str) -> None:
    path = make_pdf(tmp_path / "a.pdf", CHAPTERS)
    code = (
        "import os, signal, json; from pathlib import Path; from index.formats.guard import _guard;"
        f"_guard.read('pdf', Path({str(path)!r})); print(json.dumps(_guard._process.pid), flush=True);"
        + ("os.kill(os.getpid(), signal.SIGKILL)" if ending == "kill" else "")
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == (-signal.SIGKILL if ending == "kill" else 0)
    child = json.loads(done.stdout)
    for _ in range(100):
        if not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE:
            return
        time.sleep(0.05)
    pytest.fail("the parsers' process outlived its user")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_has_a_reader_of_its_own(tmp_path: Path) -> None:
    path = make_pdf(tmp_path / "a.pdf", CHAPTERS)
    code = (
        "import os, sys; from pathlib import Path; from index import read_document;"
        f"path = Path({str(path)!r}); before = read_document(path); child = os.fork();"
        "same = all(read_document(path) == before for _ in range(20));"
        "sys.exit(not same) if child == 0 else sys.exit(os.waitpid(child, 0)[1] or not same)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=60).returncode == 0
