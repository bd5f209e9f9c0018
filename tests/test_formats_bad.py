"""Files that cannot be read: each is named, with the reason and what to do; none takes the program with it."""

import os
import time
import zipfile
from pathlib import Path

import pytest
from sample_files import MAKERS, make_docx, make_epub

from index.documents import SUFFIXES, find_documents, read_document
from index.errors import DocumentError
from index.formats import archive, extract
from index.formats.limits import MAX_UNPACKED_BYTES
from index.formats.readers import run_reader
from index.formats.table import read_table

CHAPTERS = [("The harbour", ["It opened in 1902.", "Its lighthouse is green."])]


def refusal(path: Path) -> str:
    with pytest.raises(DocumentError) as error:
        read_document(path)
    message = str(error.value)
    assert message.startswith(f"{path.parent}/")
    assert "\n" not in message
    return message.removeprefix(f"{path.parent}/")


@pytest.mark.parametrize("suffix", sorted(SUFFIXES))
def test_an_empty_file(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    path.touch()
    assert refusal(path) == f"a{suffix}: holds no text (0 bytes)"


@pytest.mark.parametrize("suffix", sorted(SUFFIXES))
def test_a_sparse_file_of_2_gigabytes_is_never_opened(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"a{suffix}"
    with path.open("wb") as file:
        os.truncate(file.fileno(), 2_000_000_000)
    monkeypatch.setattr(Path, "open", lambda *args, **options: pytest.fail("it was opened"))
    assert refusal(path).startswith(f"a{suffix}: 2000 MB, the limit is ")


@pytest.mark.parametrize("suffix", sorted(SUFFIXES))
def test_zeros(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(bytes(20_000))
    assert "is not " in refusal(path)


@pytest.mark.parametrize("suffix", sorted(SUFFIXES - {".pdf", ".docx", ".epub"}))
def test_bytes_that_are_no_text(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(bytes(range(1, 256)) * 50)
    assert "is not text" in refusal(path)


@pytest.mark.parametrize("suffix", sorted(SUFFIXES))
def test_white_space_only(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b" \n\t \r\n")
    assert "holds no text" in refusal(path)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "is an old or an encrypted Office file; save it as .docx"),
        (b"{\\rtf1\\ansi Hello.}", "is an RTF file; save it as"),
        (b"\xff\xd8\xff\xe0" + bytes(100), "is a JPEG picture; make its text readable with OCR"),
        (bytes(60) + b"BOOKMOBI" + bytes(100), "is a Kindle book; convert it"),
        (b"\x00\x00\x00\x18ftypmp42" + bytes(100), "is a film"),
        (b"PK\x03\x04 and no more", "is damaged: a ZIP archive that is cut off"),
    ],
)
@pytest.mark.parametrize("suffix", [".txt", ".pdf", ".docx"])
def test_other_formats_are_named(tmp_path: Path, suffix: str, raw: bytes, reason: str) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(raw)
    assert refusal(path).startswith(f"a{suffix}: {reason}")


@pytest.mark.parametrize(
    ("part", "reason"),
    [
        ("xl/workbook.xml", "is an Excel workbook; save the sheet"),
        ("ppt/presentation.xml", "is a PowerPoint presentation; save it as PDF"),
        ("photo.jpg", "is a ZIP archive; unpack it"),
    ],
)
def test_other_archives_are_named(tmp_path: Path, part: str, reason: str) -> None:
    path = tmp_path / "a.docx"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(part, "x")
    assert refusal(path).startswith(f"a.docx: {reason}")


def bomb(path: Path, part: str, start: str) -> Path:
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as file, file.open(part, "w", force_zip64=True) as out:
        out.write(start.encode())
        block = b" " * 10_000_000
        for _ in range(MAX_UNPACKED_BYTES // len(block)):
            out.write(block)
    assert path.stat().st_size < 1_000_000
    return path


def test_a_zip_bomb(tmp_path: Path) -> None:
    path = bomb(tmp_path / "a.docx", "word/document.xml", "<document><body><p>")
    assert refusal(path).startswith("a.docx: unpacks to more than 200 MB, as a zip bomb would")


def test_parts_count_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_epub(tmp_path / "a.epub", [("I", ["word " * 300]), ("II", ["word " * 300])])
    assert run_reader("epub", path).text.count("word") == 600
    monkeypatch.setattr(archive, "MAX_UNPACKED_BYTES", 3500)
    with pytest.raises(DocumentError, match="unpacks to more than"):
        run_reader("epub", path)


def test_entities_are_no_bomb(tmp_path: Path) -> None:
    path = tmp_path / "a.docx"
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    text = f'<!DOCTYPE d [<!ENTITY e0 "lol">{levels}]><d><body><p><r><t>Read me. &e9;</t></r></p></body></d>'
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("word/document.xml", text)
    try:
        assert len(read_document(path).text) < 1000
    except DocumentError as error:
        assert "is damaged" in str(error)


@pytest.mark.parametrize("suffix", [".docx", ".epub", ".pdf"])
def test_a_file_that_was_cut_off(tmp_path: Path, suffix: str) -> None:
    path = MAKERS[suffix](tmp_path / f"a{suffix}", CHAPTERS)
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) // 3])
    assert "is damaged" in refusal(path)


def test_a_damaged_part(tmp_path: Path) -> None:
    path = make_docx(tmp_path / "a.docx", CHAPTERS)
    with zipfile.ZipFile(path) as file:
        start = file.getinfo("word/document.xml").header_offset
    raw = bytearray(path.read_bytes())
    raw[start + 100 : start + 140] = b"\xff" * 40
    path.write_bytes(raw)
    assert "its part word/document.xml cannot be unpacked" in refusal(path)


def test_a_book_with_copy_protection(tmp_path: Path) -> None:
    path = make_epub(tmp_path / "a.epub", CHAPTERS)
    with zipfile.ZipFile(path, "a") as file:
        file.writestr(
            "META-INF/encryption.xml",
            '<encryption xmlns:enc="http://www.w3.org/2001/04/xmlenc#"><enc:EncryptedData><enc:CipherData>'
            '<enc:CipherReference URI="OEBPS/text/chapter%201.xhtml"/>'
            "</enc:CipherData></enc:EncryptedData></encryption>",
        )
    assert "is copy-protected" in refusal(path)


def test_a_page_of_scripts_only(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    path.write_text("<html><head><script>let a = 1</script></head><body><script>b()</script></body></html>")
    assert refusal(path) == "a.html: holds no text"


def test_too_much_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extract, "MAX_CHARACTERS", 100)
    with pytest.raises(DocumentError, match="holds more than 100 characters of text; split the file"):
        read_table(b"a,b\n" + b"word,word\n" * 50)


def test_a_grown_file_is_not_read_to_its_end(tmp_path: Path) -> None:
    from index.formats.readers import read_bytes

    path = tmp_path / "a.txt"
    path.write_bytes(b"x" * 100)
    with pytest.raises(DocumentError, match="is larger than"):
        read_bytes(path, 99)


def test_permission_denied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def deny(*args: object, **options: object) -> None:
        raise PermissionError(13, "Permission denied")

    path = MAKERS[".pdf"](tmp_path / "a.pdf", CHAPTERS)
    monkeypatch.setattr(Path, "open", deny)
    assert refusal(path) == "a.pdf: cannot be read (Permission denied)"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="permissions do not bind root")
def test_permission_denied_by_the_system(tmp_path: Path) -> None:
    path = MAKERS[".txt"](tmp_path / "a.txt", CHAPTERS)
    path.chmod(0)
    assert refusal(path) == "a.txt: cannot be read (Permission denied)"


def test_what_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "x.pdf").mkdir()
    assert refusal(tmp_path / "x.pdf") == "x.pdf: is a folder, not a file; add it as a folder"
    os.mkfifo(tmp_path / "x.txt")  # opening it would wait for ever
    assert refusal(tmp_path / "x.txt").startswith("x.txt: is no regular file")


def test_names_are_printed_escaped(tmp_path: Path) -> None:
    path = tmp_path / "two\nlines\x1b[31m.pdf"
    path.write_bytes(b"%PDF-1.4\n")
    with pytest.raises(DocumentError) as error:
        read_document(path)
    assert r"two\nlines\x1b[31m.pdf: is damaged" in str(error.value)


def test_odd_names_of_good_files(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9\nx.docx"))
    try:
        make_docx(tmp_path / "a.docx", CHAPTERS).rename(path)
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    document = read_document(path)
    assert document.name == "caf\\udce9\nx.docx"
    document.name.encode()
    assert document.title == "The harbour"


def test_links_are_not_followed_out_or_round(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    inside = tmp_path / "inside"
    for folder in (outside, inside / "sub"):
        folder.mkdir(parents=True)
        MAKERS[".txt"](folder / "a.txt", CHAPTERS)
    (inside / "link.txt").symlink_to(outside / "a.txt")
    (inside / "same.txt").symlink_to(inside / "sub" / "a.txt")
    (inside / "loop.txt").symlink_to(inside / "loop.txt")
    (inside / "nowhere.md").symlink_to(inside / "gone.md")
    (inside / "picture.png").symlink_to(outside / "picture.png")
    (inside / "sub" / "up").symlink_to(inside)
    (inside / "out").symlink_to(outside)
    (inside / "x.pdf").mkdir()
    MAKERS[".md"](inside / "x.pdf" / "b.md", CHAPTERS)
    os.mkfifo(inside / "pipe.txt")
    skipped: list[DocumentError] = []
    found = [path.relative_to(inside).as_posix() for path in find_documents(inside, skipped.append)]
    assert found == ["same.txt", "sub/a.txt", "x.pdf/b.md"]
    reasons = {str(error).removeprefix(f"{inside}/").split(":")[0]: str(error) for error in skipped}
    assert sorted(reasons) == ["link.txt", "loop.txt", "nowhere.md", "out", "pipe.txt", "sub/up"]
    assert "leads outside the folder" in reasons["link.txt"]
    assert "back to itself" in reasons["loop.txt"]
    assert "link to a folder" in reasons["sub/up"]
    assert list(find_documents(inside)) == [inside / name for name in found]


def test_a_folder_that_cannot_be_listed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.iterdir

    def deny(self: Path) -> object:
        if self.name == "locked":
            raise PermissionError(13, "Permission denied")
        return real(self)

    (tmp_path / "locked").mkdir()
    MAKERS[".txt"](tmp_path / "a.txt", CHAPTERS)
    monkeypatch.setattr(Path, "iterdir", deny)
    skipped: list[DocumentError] = []
    assert [path.name for path in find_documents(tmp_path, skipped.append)] == ["a.txt"]
    assert [str(error) for error in skipped] == [
        f"{tmp_path}/locked: cannot be listed (Permission denied); allow reading it"
    ]


def test_what_is_nested_deeply_is_read_or_refused_but_not_lost(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    path.write_text("<body>" + "".join(f"<font>word{n} <b> more" for n in range(600)))
    assert "word599" in read_document(path).text
    path.write_text("<div>" * 20_000 + "the end")
    assert "is nested too deeply" in refusal(path)


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("comments.txt", b"<!---->" * 580),
        ("voices.vtt", b"WEBVTT\n\n00:00.000 --> 00:01.000\n" + b"<v " * 20_000),
        ("brackets.md", b"[" * 20_000),
        ("quotes.csv", b'"' * 100_001),
    ],
)
def test_no_pattern_takes_for_ever(tmp_path: Path, name: str, raw: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(raw)
    started = time.monotonic()
    read_document(path)
    assert time.monotonic() - started < 90  # quadratic work would take far longer
