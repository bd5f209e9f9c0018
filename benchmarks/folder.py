"""A folder of many real files, good and bad: is every good one answered from, and every bad one named?

python -m benchmarks.folder [--files 1000] [--out benchmarks/results/folder.json]

Writes the articles of training/data into files of eight formats in turn, each with a sentence of its own ("The
lighthouse keeper of Bobalo keeps 213 blue parrots."), on the second page where there are pages, and a dozen bad files
among them. Then `qa sync` takes the folder in and every good file is asked about its sentence, all of which differ by a
name and a number only. `retrieved` is the share of files whose sentence is among the passages of the answer,
`answered_from` that of files whose answer holds the right number, quoted from that very file. Prints JSON.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.machine import machine
from benchmarks.output import publish
from qa import Answerer, Config

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from sample_files import MAKERS, Chapter, draw_pdf

DATA = Path("training/data")
SYLLABLES = [c + v for c in "bdfgklmnprstvz" for v in "aeiou"]


def articles() -> Iterator[tuple[str, str]]:
    """(title, text) of every article there is."""
    for name in ("news_train", "more_train", "news_val"):
        with gzip.open(DATA / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
            for line in file:
                article = json.loads(line)
                yield article["title"], article["text"]


def good_files(folder: Path, count: int) -> list[tuple[Path, str, str]]:
    """(path, question, answer) of `count` files in eight formats, in folders of a hundred."""
    chance = random.Random(3)
    written = list(articles())
    words = chance.sample([a + b + c for a in SYLLABLES for b in SYLLABLES for c in SYLLABLES[::7]], count)
    found = []
    for number, word in enumerate(words):
        title, text = written[number % len(written)]
        if number >= len(written):
            title = f"{title}, second edition"
        paragraphs = text.split("\n\n")
        place, parrots = word.capitalize(), str(201 + 7 * number)
        code = f"The lighthouse keeper of {place} keeps {parrots} blue parrots."
        chapters: list[Chapter] = [(title, paragraphs[:-1] or [title]), ("Imprint", [paragraphs[-1], code])]
        suffix = list(MAKERS)[number % len(MAKERS)]
        path = folder / f"{number // 100:02}" / f"article {number:04}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        question = f"How many blue parrots does the lighthouse keeper of {place} keep?"
        found.append((MAKERS[suffix](path, chapters), question, parrots))
    return found


def bad_files(folder: Path) -> list[Path]:
    """Files that cannot be read, each in a way of its own."""
    from reportlab.lib.pdfencrypt import StandardEncryption

    bad = folder / "bad"
    bad.mkdir()
    (bad / "empty.txt").touch()
    (bad / "zeros.txt").write_bytes(bytes(5000))
    (bad / "picture.txt").write_bytes(b"\x89PNG\r\n\x1a\n" + os.urandom(4000))
    (bad / "scripts.html").write_text("<html><body><script>var a = 'text';</script></body></html>")
    (bad / "two\nlines.md").touch()
    with (bad / "huge.txt").open("wb") as sparse:
        sparse.truncate(2_000_000_000)
    draw_pdf(bad / "locked.pdf", [[(72, 700, "secret")]], encrypt=StandardEncryption("secret"))
    draw_pdf(bad / "scan.pdf", [[]])
    whole = draw_pdf(bad / "cut.pdf", [[(72, 700, "a page")]]).read_bytes()
    (bad / "cut.pdf").write_bytes(whole[:200])
    with zipfile.ZipFile(bad / "bomb.docx", "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("[Content_Types].xml", "<Types/>")
        bomb.writestr("word/document.xml", b" " * 400_000_000)
    (bad / "cut.epub").write_bytes(b"PK\x03\x04" + bytes(40))
    (bad / "loop.txt").symlink_to(bad / "loop.txt")
    (bad / "round").symlink_to(folder)
    (bad / "outside.txt").symlink_to("/etc/hostname")
    return sorted(bad.iterdir())


def run(files: int) -> dict[str, Any]:
    """Write, sync, ask."""
    with tempfile.TemporaryDirectory() as place:
        folder, index = Path(place) / "texts", Path(place) / "index"
        folder.mkdir()
        good, bad = good_files(folder, files), bad_files(folder)
        begin = time.perf_counter()
        command = [sys.executable, "-m", "ui.cli", "sync", str(folder), "--index", str(index)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - begin
        told = done.stdout + done.stderr
        unnamed = [path.name for path in bad if path.name.replace("\n", "\\n") not in told]
        answerer = Answerer.open(Config(index=index))
        missed, places, retrieved = [], [], 0
        for path, question, word in good:
            answer = answerer.ask(question)
            evidence = answer.evidence
            retrieved += any(
                word in hit.passage.text and hit.document.name.endswith(path.name) for hit in answer.passages
            )
            if evidence is None or word not in str(answer) or not evidence.document.name.endswith(path.name):
                missed.append(f"{path.name}: {answer.text}")
            elif path.suffix == ".pdf":
                places.append(evidence.document.place(evidence.start))
        documents, passages = answerer.store.counts()
        answerer.close()
    return {
        "machine": machine(),
        "good_files": len(good),
        "bad_files": len(bad),
        "documents": documents,
        "passages": passages,
        "sync_s": round(seconds, 1),
        "retrieved": round(retrieved / len(good), 4),
        "answered_from": round(1 - len(missed) / len(good), 4),
        "missed": missed[:20],
        "bad_files_not_named": unnamed,
        "pages_of_answers_in_pdf": {str(place): places.count(place) for place in sorted(set(places), key=str)},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    publish(run(options.files), options.out)


if __name__ == "__main__":
    main()
