"""PDF: the page of every sentence, whole paragraphs out of broken lines, and what is said of PDFs without text."""

from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sample_files import draw_pdf, make_pdf

from index.documents import read_document
from index.errors import DocumentError
from index.formats.extract import TextBuilder
from index.formats.paragraphs import write_pages
from index.formats.running import Line

PAGE_LINES = 40
QUICK = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

# no word of one letter: at the start of a line "a." reads as the label of a list item
WORDS = st.sampled_from("harbour the lighthouse of Ada my ship sailing to London in 1902 where bread was sold".split())
SENTENCES = st.lists(st.lists(WORDS, min_size=2, max_size=30).map(" ".join), min_size=1, max_size=150)


def typeset(sentences: list[str], width: float, head: str | None) -> tuple[list[list[tuple[float, float, str]]], list]:
    """Numbered sentences as one paragraph over as many pages as it takes; each sentence with the page it begins on."""
    from reportlab.lib.utils import simpleSplit

    numbered = [f"Sentence <{number}> says {sentence}." for number, sentence in enumerate(sentences)]
    lines = simpleSplit(" ".join(numbered), "Helvetica", 12, width)
    pages: list[list[tuple[float, float, str]]] = []
    expected = []
    for number, line in enumerate(lines):
        if number % PAGE_LINES == 0:
            pages.append([(100.0, 800.0, head)] if head is not None else [])
            pages[-1] += [(300.0, 30.0, str(len(pages)))]
        pages[-1].append((72.0, 750.0 - 14 * (number % PAGE_LINES), line))
    for number, sentence in enumerate(numbered):
        # where it begins: its number may stand on the line after, its first word is what counts
        before = len(" ".join(numbered[:number]).split())
        count = 0
        for position, line in enumerate(lines):
            count += len(line.split())
            if count > before:
                expected.append((sentence, f"p. {position // PAGE_LINES + 1}"))
                break
    return pages, expected


@QUICK
@given(SENTENCES, st.floats(150, 450), st.sampled_from([None, "Annual report", "Report of page"]))
def test_every_sentence_is_whole_and_on_its_page(
    tmp_path: Path, sentences: list[str], width: float, head: str | None
) -> None:
    pages, expected = typeset(sentences, width, head)
    document = read_document(draw_pdf(tmp_path / "a.pdf", pages))
    assert [section.label for section in document.sections] == [f"p. {n + 1}" for n in range(len(pages))]
    if head is not None and len(pages) == 2:
        return  # nothing tells a head from a first line yet
    for sentence, place in expected:
        assert document.place(document.text.index(sentence)) == place
    if head is not None:
        assert document.text.count(head) == 1


def test_a_typeset_report(tmp_path: Path) -> None:
    sentences = [f"Item {n} of the inventory is kept in room {n * 7 % 50} of the house by the sea." for n in range(400)]
    paragraphs = [" ".join(sentences[n : n + 8]) for n in range(0, 400, 8)]
    chapters = [("The first part", paragraphs[:25]), ("The second part", paragraphs[25:])]
    path = make_pdf(tmp_path / "a.pdf", chapters, heads="Inventory 2023", title="The inventory", author="Jo March")
    document = read_document(path)
    assert (document.title, document.author) == ("The inventory", "Jo March")
    assert all(sentence in document.text for sentence in sentences)
    assert document.text.count("Inventory 2023") == 1
    assert "Page 3" not in document.text
    paragraphs_found = document.text.split("\n\n")
    assert sum(paragraph in paragraphs_found for paragraph in paragraphs) >= len(paragraphs) - len(document.sections)
    assert "The second part" in paragraphs_found
    places = [document.place(document.text.index(sentence)) for sentence in sentences]
    numbers = [int(place.removeprefix("p. ")) for place in places if place is not None]
    assert numbers == sorted(numbers)
    assert len(numbers) == len(sentences)


def text_of(tmp_path: Path, *pages: list[tuple[float, float, str]]) -> str:
    return read_document(draw_pdf(tmp_path / "a.pdf", pages)).text


def test_words_broken_at_line_ends_are_joined(tmp_path: Path) -> None:
    lines = [
        "The light-",
        "house is a well-",
        "known sight. A lighthouse-",
        "keeper lives in Baden-",
        "Baden, as all keep-",
    ]
    page = [(72.0, 700.0 - 14 * n, line) for n, line in enumerate(lines)]
    text = text_of(tmp_path, page, [(72.0, 700.0, "ers do. The lighthouse-keeper is old.")])
    assert "The lighthouse is a well-known sight. A lighthouse-keeper lives in Baden-Baden, as all keepers do." in text


def lines_text(*pages: list[Line]) -> str:
    builder = TextBuilder()
    write_pages(pages, builder)
    return builder.extract().text


def test_paragraphs_by_gap_indent_size_and_short_lines() -> None:
    full = [
        Line("The first line is as wide as the column is", 72, 400, 700, 12),
        Line("and so is this, which ends a sentence here.", 72, 400, 686, 12),
    ]
    gap = Line("After a gap comes a new paragraph, you see,", 72, 400, 650, 12)
    indented = Line("Or after an indent, which is smaller in fact", 90, 400, 672, 12)
    heading = Line("A heading in large letters", 72, 300, 672, 16)
    following = Line("Or when the line before had room for more", 72, 400, 658, 12)
    short = Line("a short end.", 72, 150, 672, 12)
    assert lines_text([*full, gap]).count("\n\n") == 1
    assert lines_text([*full, indented]).count("\n\n") == 1
    assert lines_text([*full, heading]).count("\n\n") == 1
    assert lines_text([*full, short, following]).count("\n\n") == 1
    assert lines_text(full).count("\n") == 0


def test_columns_are_read_one_after_the_other() -> None:
    left = [Line(f"left {n} goes on to the end of", 72, 280, 700 - 14 * n, 12) for n in range(5)]
    right = [Line(f"right {n} goes on to the end of", 310, 520, 700 - 14 * n, 12) for n in range(5)]
    assert lines_text([*left, *right]) == " ".join(line.text for line in (*left, *right))


def test_what_repeats_within_a_text_is_kept() -> None:
    pages = [
        [Line(f"Page {n} of the text", 72, 300, 700, 12), Line("Yes.", 72, 100, 500 + 20 * n, 12)] for n in range(4)
    ]
    assert lines_text(*pages).count("Yes.") == 4


def test_a_scan_is_told_as_one(tmp_path: Path) -> None:
    from PIL import Image
    from reportlab.lib.utils import ImageReader
    from reportlab.pdfgen.canvas import Canvas

    path = tmp_path / "scan.pdf"
    canvas = Canvas(str(path))
    picture = BytesIO()
    Image.new("L", (200, 300), 200).save(picture, "PNG")
    for _ in range(2):
        canvas.drawImage(ImageReader(picture), 0, 0, 400, 600)
        canvas.showPage()
    canvas.save()
    with pytest.raises(DocumentError, match=r"scan\.pdf: holds no text on its 2 page\(s\), only pictures.*OCR"):
        read_document(path)


def test_an_encrypted_one_is_told_as_one(tmp_path: Path) -> None:
    from reportlab.lib.pdfencrypt import StandardEncryption

    locked = draw_pdf(tmp_path / "locked.pdf", [[(72, 700, "Nobody reads this.")]], StandardEncryption("secret"))
    with pytest.raises(DocumentError, match=r"locked\.pdf: is encrypted; save it without a password"):
        read_document(locked)
    # only printing is forbidden here: everybody may read
    open_to_all = StandardEncryption("", ownerPassword="owner", canPrint=0)
    page = [[(72.0, 700.0, "Everybody reads this.")]]
    assert read_document(draw_pdf(tmp_path / "b.pdf", page, open_to_all)).text == "Everybody reads this."


def test_a_broken_cross_reference_is_mended(tmp_path: Path) -> None:
    path = draw_pdf(tmp_path / "a.pdf", [[(72.0, 700.0, "Still there.")]])
    raw = path.read_bytes()
    table, trailer = raw.rindex(b"\nxref"), raw.rindex(b"trailer")
    path.write_bytes(raw[:table] + b"\nxref\n0 9\ngarbage\n" + raw[trailer:].replace(b"startxref\n", b"startxref\n9"))
    assert read_document(path).text == "Still there."


@pytest.mark.parametrize("rest", [b"", b"\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Type /Catalog", b"x" * 5000])
def test_a_wreck_is_told_as_one(tmp_path: Path, rest: bytes) -> None:
    path = tmp_path / "wreck.pdf"
    path.write_bytes(b"%PDF-1.7\n" + rest)
    with pytest.raises(DocumentError, match=r"wreck\.pdf: is damaged beyond what PDFium can repair"):
        read_document(path)


def test_placeholders_are_no_titles(tmp_path: Path) -> None:
    document = read_document(draw_pdf(tmp_path / "a.pdf", [[(72.0, 700.0, "The real title")]]))  # reportlab: "untitled"
    assert (document.title, document.author) == ("The real title", None)


def test_japanese_lines_are_joined_without_spaces() -> None:
    lines = [Line("東京は日本の首都であり、世界最大", 72, 400, 700, 12), Line("級の都市である。", 72, 250, 686, 12)]
    assert lines_text(lines) == "東京は日本の首都であり、世界最大級の都市である。"
