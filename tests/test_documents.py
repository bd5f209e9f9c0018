import os
from pathlib import Path

import pytest

from index.documents import find_documents, read_document, title_of
from index.errors import DocumentError
from index.formats.limits import MAX_BYTES


def test_text_is_kept_but_for_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("\ufeffZoë\r\nwrote\rit\t “here”.\n".encode())
    assert read_document(path).text == "Zoë\nwrote\nit\t “here”.\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    text = "Der Bürgermeister eröffnete die Brücke über die Spree. Über fünfzig Gäste kamen, trotz des Schnees.\n" * 5
    path = tmp_path / "a.txt"
    path.write_bytes(text.encode(encoding))
    assert read_document(path).text == text


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "holds no text"),
        (b" \n\t", "holds no text"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "is a PNG picture"),
        (b"ab\x00cd", "NUL"),
    ],
)
def test_what_is_not_text_is_named(tmp_path: Path, raw: bytes, reason: str) -> None:
    path = tmp_path / "odd.txt"
    path.write_bytes(raw)
    with pytest.raises(DocumentError, match=reason) as error:
        read_document(path)
    assert "odd.txt" in str(error.value)


def test_a_huge_file_is_refused_without_reading_it(tmp_path: Path) -> None:
    path = tmp_path / "huge.txt"
    with path.open("wb") as file:
        os.truncate(file.fileno(), 2 * MAX_BYTES)
    with pytest.raises(DocumentError, match="the limit is"):
        read_document(path)


def test_a_file_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"gone\.txt: cannot be read"):
        read_document(tmp_path / "gone.txt")


def test_find_takes_text_files_only(tmp_path: Path) -> None:
    for name in [
        "b.txt",
        "a.md",
        "sub/c.TXT",
        "README.md",
        "sub/README.md",
        "picture.png",
        ".hidden.txt",
        ".git/x.txt",
    ]:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("text")
    found = [path.relative_to(tmp_path).as_posix() for path in find_documents(tmp_path)]
    assert sorted(found) == ["a.md", "b.txt", "sub/README.md", "sub/c.TXT"]


def test_find_needs_a_folder(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="not a folder"):
        list(find_documents(tmp_path / "nowhere"))


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("# The lighthouse\n\nIt is green.", "The lighthouse"),
        ("\n\n---\nA day at sea\ntext", "A day at sea"),
        ("date 2024-05-01 Mayor opens bridge\n\ntext", "Mayor opens bridge"),
        ("12345\n67", "file name"),
    ],
)
def test_titles(text: str, title: str) -> None:
    assert title_of(text, "file name") == title


def test_a_long_first_line_is_cut_between_words() -> None:
    title = title_of("word " * 100, "x")
    assert len(title) <= 81
    assert title.endswith("word…")
