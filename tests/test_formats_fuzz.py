"""Whatever is in a file, a document keeps its promises or the file is refused by name. FORMATS_EXAMPLES=500: longer."""

import csv
import os
import random
import zipfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sample_files import MAKERS, Chapter

from index.documents import SUFFIXES, read_document
from index.errors import DocumentError
from index.passages import sentence_spans
from index.types import Document

EXAMPLES = int(os.environ.get("FORMATS_EXAMPLES", "12"))
FUZZ = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
SAMPLE = [("The harbour", ["It opened in 1902. Boats leave at noon."] * 3), ("The bakery", ["It sells rye bread."] * 3)]

# Latin letters only: all that the standard fonts of a PDF have. Other formats take the others as well.
LATIN = st.text("abcdefghijklmnopqrstuvwxyzäöüßéèçñøåABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÉÑØ", min_size=1, max_size=14)
ANY = st.one_of(
    LATIN, st.text("абвгдежз αβγδε 東京都港 हिन्दी עברית 𝒜𝓑 😀", min_size=1, max_size=8).map(lambda t: t.strip() or "x")
)


def chapters_of(words: st.SearchStrategy[str]) -> st.SearchStrategy[list[Chapter]]:
    marks = st.sampled_from([".", "!", "?", ", he said.", " (1902).", ": “so”."])
    sentence = st.builds(
        lambda ws, mark: " ".join(ws).capitalize() + mark, st.lists(words, min_size=3, max_size=25), marks
    )
    paragraph = st.lists(sentence, min_size=1, max_size=6).map(" ".join)
    heading = st.lists(words, min_size=1, max_size=6).map(lambda ws: " ".join(ws).capitalize())
    return st.lists(st.tuples(heading, st.lists(paragraph, min_size=1, max_size=5)), min_size=1, max_size=4)


def check(document: Document) -> None:
    """What holds of every document."""
    text = document.text
    starts = [section.start for section in document.sections]
    assert text.strip()
    assert document.title
    assert starts == sorted(set(starts))
    assert all(0 <= start < len(text) for start in starts)
    fields = [text, document.title, document.name, document.author, document.date]
    labels = [section.label for section in document.sections]
    assert all(label and label == " ".join(label.split()) for label in labels)
    for field in [*fields, *labels]:
        if field is not None:
            field.encode("utf-8")  # no lone surrogates
            assert all(
                c >= " " and not "\x7f" <= c <= "\x9f" and c not in "\ufffe\uffff" for c in field if c not in "\n\t"
            )
    assert len(document.title) <= 81
    for number, section in enumerate(document.sections):
        end = starts[number + 1] if number + 1 < len(starts) else len(text)
        assert document.place(section.start) == document.place(end - 1) == section.label
    assert starts == [] or starts[0] == 0 or document.place(starts[0] - 1) is None
    for start, end in sentence_spans(text):
        assert text[start:end] == text[start:end].strip() != ""


def squeezed(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("suffix", sorted(MAKERS))
@FUZZ
@given(st.data())
def test_every_sentence_of_a_good_file_is_there(tmp_path: Path, suffix: str, data: st.DataObject) -> None:
    chapters = data.draw(chapters_of(LATIN if suffix == ".pdf" else ANY))
    if suffix == ".html":  # of two paragraphs that are the same, trafilatura drops one
        chapters = [(h, [f"{n}.{k}: {text}" for k, text in enumerate(texts)]) for n, (h, texts) in enumerate(chapters)]
    document = read_document(MAKERS[suffix](tmp_path / f"a{suffix}", chapters), "given/name")
    check(document)
    assert document.name == "given/name"
    text = squeezed(document.text)
    position = 0
    for heading, paragraphs in chapters:
        for wanted in (heading, *paragraphs):
            if suffix != ".csv" or wanted is not heading:
                found = text.find(squeezed(wanted), position)
                assert found >= 0, f"{wanted!r} is not in {text[position : position + 300]!r}"
                position = found if suffix == ".csv" else found + len(squeezed(wanted))


@pytest.mark.parametrize("suffix", [".md", ".html", ".docx", ".epub"])
@FUZZ
@given(st.data())
def test_a_paragraph_stands_under_its_heading(tmp_path: Path, suffix: str, data: st.DataObject) -> None:
    chapters = [
        (f"Part {n} {heading}"[:60], [f"Paragraph {n}.{k} begins. {text}" for k, text in enumerate(texts)])
        for n, (heading, texts) in enumerate(data.draw(chapters_of(LATIN)))
    ]
    document = read_document(MAKERS[suffix](tmp_path / f"a{suffix}", chapters))
    for n, (heading, texts) in enumerate(chapters):
        for k in range(len(texts)):
            assert document.place(document.text.index(f"Paragraph {n}.{k} ")) == squeezed(heading)


def read_or_refuse(path: Path) -> None:
    try:
        document = read_document(path)
    except DocumentError as error:
        assert str(error).startswith(f"{path}: ")
        assert "failed (" not in str(error), "a parser's own exception reached a person"
        assert "crashed" not in str(error)
    else:
        check(document)


@pytest.mark.parametrize("suffix", sorted(SUFFIXES))
@FUZZ
@given(raw=st.one_of(st.binary(max_size=300), st.text(max_size=300).map(str.encode)))
def test_any_bytes(tmp_path: Path, suffix: str, raw: bytes) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(raw)
    read_or_refuse(path)


PIECES = {
    ".md": [
        "# ",
        "\n\n",
        "- ",
        "1. ",
        "`",
        "```\n",
        "|",
        "|---|\n",
        "<div>",
        "</p>",
        "&#0;",
        "&#xD800;",
        "[a](b)",
        "*",
        "---\n",
    ],
    ".html": [
        "<p>",
        "</p>",
        "<table>",
        "<tr>",
        "<td>",
        "<li>",
        "<h1>",
        "<pre>",
        "<br>",
        "<!--",
        "&#1;",
        "&nbsp;",
        "<svg/>",
    ],
    ".srt": [
        "1\n",
        "00:00:01,000 --> 00:00:02,000\n",
        "99:99:99,9 --> 0:0:0,0\n",
        "\n\n",
        "<i>",
        "{\\an8}",
        "- ",
        "-->",
    ],
    ".csv": [",", ";", '"', "\n", "\r\n", "\t", "|", "\x0b"],
}


@pytest.mark.parametrize("suffix", sorted(PIECES))
@FUZZ
@given(st.data())
def test_any_markup(tmp_path: Path, suffix: str, data: st.DataObject) -> None:
    pieces = st.one_of(st.sampled_from(PIECES[suffix]), st.text(max_size=8))
    path = tmp_path / f"a{suffix}"
    path.write_bytes("".join(data.draw(st.lists(pieces, max_size=60))).encode())
    read_or_refuse(path)


@pytest.mark.parametrize("suffix", [".pdf", ".docx", ".epub"])
@FUZZ
@given(seed=st.integers(0, 2**32))
def test_damaged_files(tmp_path: Path, suffix: str, seed: int) -> None:
    chance = random.Random(seed)
    raw = bytearray(good(tmp_path, suffix))
    for _ in range(chance.randint(1, 20)):
        where = chance.randrange(len(raw))
        raw[where : where + chance.randint(0, 9)] = chance.randbytes(chance.randint(0, 9))
    path = tmp_path / f"a{suffix}"
    path.write_bytes(raw[: chance.randint(len(raw) // 2, len(raw))] if chance.random() < 0.3 else raw)
    read_or_refuse(path)


@pytest.mark.parametrize("suffix", [".docx", ".epub"])
@FUZZ
@given(seed=st.integers(0, 2**32))
def test_damaged_parts_of_whole_archives(tmp_path: Path, suffix: str, seed: int) -> None:
    chance = random.Random(seed)
    path = tmp_path / f"a{suffix}"
    with zipfile.ZipFile(BytesIO(good(tmp_path, suffix))) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            raw = bytearray(old.read(name))
            for _ in range(chance.randint(0, 3) if raw and name.endswith(("ml", "opf", "rels")) else 0):
                where = chance.randrange(len(raw))
                raw[where : where + chance.randint(0, 9)] = chance.choice(
                    [b"", b"<", b"</p>", b"\x00", b"&x;", b">", b'"']
                )
            new.writestr(name, bytes(raw))
    read_or_refuse(path)


def good(folder: Path, suffix: str) -> bytes:
    path = folder / f"good{suffix}"
    if not path.exists():
        MAKERS[suffix](path, SAMPLE)
    return path.read_bytes()


@FUZZ
@given(st.lists(st.lists(st.text('ab1,;"\n |', max_size=6), min_size=2, max_size=4), min_size=2, max_size=8))
def test_rows_are_numbered_as_in_a_spreadsheet(tmp_path: Path, rows: Sequence[list[str]]) -> None:
    rows = [["first", "second", "third", "fourth"], *([f"cell {n}", *row[1:]] for n, row in enumerate(rows, start=2))]
    path = tmp_path / "a.csv"
    with path.open("w", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows(rows)
    document = read_document(path)
    check(document)
    for n in range(2, len(rows) + 1):
        assert document.place(document.text.index(f"cell {n}")) == f"row {n}"
