"""How fast files of each format are read, and whether all their sentences arrive.

python -m benchmarks.formats [--sentences 10000] [--out benchmarks/results/formats.json]

Prints JSON. Writes one file of each format with the same numbered sentences, reads it once after a small one of its
kind (so that the parser is loaded), and gives megabytes of text per second, and pages for PDF. `small_file_ms` is
the mean of fifty files of twenty sentences.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.machine import machine
from benchmarks.output import publish
from index import read_document

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from sample_files import MAKERS, Chapter

WORDS = "harbour lighthouse ship storm winter letter bakery bread green railway town opened sailed wrote found".split()


def chapters_of(sentences: int) -> list[Chapter]:
    """Ten sentences a paragraph, two hundred a chapter; every sentence holds its number."""
    chance = random.Random(7)
    said = [f"Sentence {n} tells of the {' '.join(chance.choices(WORDS, k=12))}." for n in range(sentences)]
    paragraphs = [" ".join(said[n : n + 10]) for n in range(0, sentences, 10)]
    return [(f"Chapter {n // 20 + 1}", paragraphs[n : n + 20]) for n in range(0, len(paragraphs), 20)]


def measure(suffix: str, folder: Path, sentences: int) -> dict[str, float]:
    """Reading rate of one format."""
    small = [MAKERS[suffix](folder / f"small{n}{suffix}", chapters_of(20)) for n in range(51)]
    read_document(small[-1])
    begin = time.perf_counter()
    for path in small[:-1]:
        read_document(path)
    each = (time.perf_counter() - begin) / 50
    path = MAKERS[suffix](folder / f"large{suffix}", chapters_of(sentences))
    begin = time.perf_counter()
    document = read_document(path)
    seconds = time.perf_counter() - begin
    found = sum(f"Sentence {n} tells " in document.text for n in range(sentences))
    figures = {
        "file_mb": round(path.stat().st_size / 1e6, 2),
        "text_mb": round(len(document.text) / 1e6, 2),
        "seconds": round(seconds, 2),
        "text_mb_per_second": round(len(document.text) / 1e6 / seconds, 2),
        "small_file_ms": round(1000 * each, 1),
        "sentences_found": found / sentences,
    }
    if suffix == ".pdf":
        pages = int((document.place(len(document.text) - 1) or "p. 0").removeprefix("p. "))
        figures |= {"pages": pages, "pages_per_second": round(pages / seconds)}
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sentences", type=int, default=10_000)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        formats = {suffix: measure(suffix, Path(folder), options.sentences) for suffix in MAKERS}
    publish({"machine": machine(), "sentences": options.sentences, "formats": formats}, options.out)


if __name__ == "__main__":
    main()
