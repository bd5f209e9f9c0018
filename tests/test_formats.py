"""Good files of every format: their sentences, their places, and what they say of themselves."""

import socket
import zipfile
from pathlib import Path

import pytest
from sample_files import MAKERS, make_csv, make_docx, make_epub, make_html, make_subtitles

from index.documents import read_document
from index.formats.dates import iso_date
from index.formats.readers import run_reader
from index.types import Document

CHAPTERS = [
    (
        "The harbour",
        [
            "The harbour opened in 1902, long before the railway came to the town. Its lighthouse is green.",
            "Boats leave at noon & come back at night; the <fast> one takes an hour, and on Sundays none sails at all.",
        ],
    ),
    (
        "The bakery",
        [
            "The bakery is run by Ada Byron. It sells rye bread, and on Fridays also cakes with plums and cinnamon.",
            "The oven is wood-fired. It was built by her grandfather, who had learned the trade in a mill by the sea.",
        ],
    ),
]
SENTENCE = "It sells rye bread"


def place_of(document: Document, words: str) -> str | None:
    assert document.text.count(words) == 1
    start = document.text.index(words)
    assert document.text[start : start + len(words)] == words
    return document.place(start)


def write(tmp_path: Path, name: str, text: str | bytes) -> Document:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_document(path)


@pytest.mark.parametrize(
    ("suffix", "place"),
    [
        (".txt", None),
        (".md", "The bakery"),
        (".html", "The bakery"),
        (".pdf", "p. 2"),
        (".docx", "The bakery"),
        (".epub", "The bakery"),
        (".srt", "00:00:40"),
        (".csv", "row 4"),
    ],
)
def test_every_format_keeps_its_sentences_and_knows_their_place(tmp_path: Path, suffix: str, place: str) -> None:
    chapters = CHAPTERS
    if suffix == ".md":  # where <fast> would be markup
        chapters = [(heading, [text.replace("<fast>", "\\<fast>") for text in texts]) for heading, texts in CHAPTERS]
    document = read_document(MAKERS[suffix](tmp_path / f"a{suffix}", chapters))
    assert place_of(document, SENTENCE) == place
    for heading, paragraphs in CHAPTERS:
        assert heading in document.text
        for paragraph in paragraphs:
            wanted = paragraph.replace("<fast>", "") if suffix == ".srt" else paragraph
            assert " ".join(wanted.split()) in document.text, suffix


@pytest.mark.parametrize("suffix", sorted(MAKERS))
def test_headings_and_paragraphs_stand_apart(tmp_path: Path, suffix: str) -> None:
    text = read_document(MAKERS[suffix](tmp_path / f"a{suffix}", CHAPTERS)).text
    if suffix not in (".csv", ".srt"):
        assert "\n\nThe bakery\n\nThe bakery is run by Ada Byron." in text


def test_a_page_without_its_menus_and_scripts(tmp_path: Path) -> None:
    path = make_html(tmp_path / "a.html", CHAPTERS, title="The town today", author="Jo March")
    document = read_document(path)
    for unwanted in ("Subscribe", "tracked", "rights reserved"):
        assert unwanted not in document.text
    assert (document.title, document.author, document.date) == ("The town today", "Jo March", "2023-09-14")


def test_reading_a_page_touches_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **options: object) -> None:
        raise AssertionError("the network was touched")

    path = make_html(tmp_path / "a.html", CHAPTERS)
    links = "<link rel=canonical href='http://example.org/a'><img src='http://example.org/a.png'>"
    path.write_text(path.read_text().replace("<article>", f"<article>{links}"))
    for name in ("connect", "bind", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert SENTENCE in run_reader("html", path).text


def test_a_page_without_main_text_is_read_whole(tmp_path: Path) -> None:
    page = "<title>Opening hours</title><nav>Home</nav><div>Closed on Mondays</div><div hidden>secret</div>"
    document = write(tmp_path, "a.html", page)
    assert (document.title, document.text) == ("Opening hours", "Closed on Mondays")


@pytest.mark.parametrize("declared", ["windows-1251", "koi8-r", "shift_jis"])
def test_the_encoding_that_a_page_declares(tmp_path: Path, declared: str) -> None:
    words = "東京は日本の首都です。" if declared == "shift_jis" else "Маяк в гавани зелёный."
    page = f"<html><head><meta charset='{declared}'></head><body><p>{words}</p></body></html>"
    assert write(tmp_path, "a.html", page.encode(declared)).text == words


def test_markdown_reads_without_its_marks(tmp_path: Path) -> None:
    document = write(
        tmp_path,
        "a.md",
        "---\ntitle: 'Notes on boats'\nauthor: Jo March\ndate: 2024-05-01\n---\n"
        "Before any heading.\n\n# Boats\n\nThe *Mary* [sails](http://x.org) at\n`noon`, **daily**.\n\n"
        "- first\n- second\n  1. inner\n\n| Trip | Price |\n|---|---|\n| Island | 5 € |\n\n"
        "```python\na = 1\n  b = 2\n```\n"
        "\n## Prices\n\n> Nothing\n> is free.\n<!-- not this -->\n",
    )
    assert document.text == (
        "Before any heading.\n\nBoats\n\nThe Mary sails at noon, daily.\n\n- first\n- second\n- inner\n\n"
        "Trip | Price\nIsland | 5 €\n\na = 1\n  b = 2\n\nPrices\n\nNothing is free."
    )
    assert (document.title, document.author, document.date) == ("Notes on boats", "Jo March", "2024-05-01")
    assert place_of(document, "Before any") is None
    assert place_of(document, "Island") == "Boats"
    assert place_of(document, "Nothing is free") == "Prices"


def test_word_documents(tmp_path: Path) -> None:
    import docx

    made = docx.Document()
    made.add_heading("Boats", 0)
    made.add_paragraph("All boats at a glance.")
    made.add_heading("Prices", 2)
    table = made.add_table(rows=0, cols=2)
    for row in (("Trip", "Price"), ("Island", "5 €")):
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.text = text
    for item in ("first", "second"):
        made.add_paragraph(item, style="List Bullet")
    made.add_paragraph("one line\nanother line\tafter a tab")
    made.core_properties.title, made.core_properties.author = "Report 7", "Jo March"
    made.save(str(tmp_path / "a.docx"))
    document = read_document(tmp_path / "a.docx")
    assert document.text == (
        "Boats\n\nAll boats at a glance.\n\nPrices\n\nTrip | Price\nIsland | 5 €\n\n- first\n- second\n\n"
        "one line\nanother line after a tab"
    )
    assert (document.title, document.author) == ("Report 7", "Jo March")
    assert place_of(document, "Island") == "Prices"


@pytest.mark.parametrize("version", [2, 3])
def test_books_by_chapter(tmp_path: Path, version: int) -> None:
    path = make_epub(tmp_path / "a.epub", CHAPTERS, "Two houses", "Jo March", version)
    document = read_document(path)
    assert (document.title, document.author, document.date) == ("Two houses", "Jo March", "2019-05-02")
    assert [section.label for section in document.sections] == ["The harbour", "The bakery"]
    assert "Contents" not in document.text


def test_a_heading_within_a_chapter_is_named_with_it(tmp_path: Path) -> None:
    from index.formats.extract import TextBuilder
    from index.formats.markup import parse_xhtml, write_markup

    builder = TextBuilder()
    page = "<html><body><h1>I</h1><p>A &mdash; b.</p><h2>Boats</h2><p>C.</p><h1 id='x'>II</h1><p>D.</p></body></html>"
    write_markup(parse_xhtml(page), builder, chapters={"": "Part one", "x": "Part two"})
    extract = builder.extract()
    assert extract.text == "I\n\nA — b.\n\nBoats\n\nC.\n\nII\n\nD."
    assert [section.label for section in extract.sections] == ["Part one", "Part one › Boats", "Part two"]


def test_subtitles_are_running_text(tmp_path: Path) -> None:
    document = write(
        tmp_path,
        "film.vtt",
        "WEBVTT\n\nNOTE a remark\n\n1\n00:01.000 --> 00:03.000 align:start\n<v Ada>The lighthouse\n<i>is</i> green,\n\n"
        "00:03.500 --> 00:05.000\nand the boats &amp; the harbour are not.\n\n01:02:03.000 --> 01:02:05.000\n- Why?\n",
    )
    assert document.text == ("Ada: The lighthouse is green, and the boats & the harbour are not.\n\n- Why?")
    assert place_of(document, "lighthouse") == "00:00:01"
    assert place_of(document, "boats") == "00:00:03"
    assert place_of(document, "Why") == "01:02:03"
    assert document.title == "film"


def test_rolling_captions_are_not_repeated(tmp_path: Path) -> None:
    document = write(
        tmp_path,
        "a.vtt",
        "WEBVTT\n\n00:01.000 --> 00:03.000\nthe harbour<00:00:02.000><c> opened</c>\n\n"
        "00:03.000 --> 00:05.000\nthe harbour opened\nin<00:00:04.000><c> 1902</c>\n",
    )
    assert document.text == "the harbour opened in 1902"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_tables_say_their_columns(tmp_path: Path, delimiter: str) -> None:
    rows = [["Name", "Born", "Town"], ["Ada", "1815", "London"], [], ["Jo", "", "Concord"]]
    document = write(tmp_path, "people.csv", "\n".join(delimiter.join(row) for row in rows))
    start = "Name | Born | Town\n\n"
    assert document.text == start + "Name: Ada; Born: 1815; Town: London\n\nName: Jo; Town: Concord"
    assert place_of(document, "Concord") == "row 4"
    assert document.title == "people"


def test_a_table_of_numbers_has_no_header(tmp_path: Path) -> None:
    assert write(tmp_path, "a.csv", "1,2\n3,4\n").text == "1 | 2\n\n3 | 4"


@pytest.mark.parametrize("suffix", [".txt", ".pdf", ".md", ".docx"])
def test_a_wrong_suffix_does_not_matter(tmp_path: Path, suffix: str) -> None:
    for maker, true_suffix in ((make_docx, ".docx"), (make_epub, ".epub"), (MAKERS[".pdf"], ".pdf"), (make_html, "")):
        path = tmp_path / f"a{true_suffix}{suffix}"
        maker(path, CHAPTERS)
        document = read_document(path)
        assert place_of(document, SENTENCE) == ("p. 2" if true_suffix == ".pdf" else "The bakery")
    subtitles = make_subtitles(tmp_path / "b.txt", CHAPTERS)
    assert place_of(read_document(subtitles), SENTENCE) == "00:00:40"
    assert write(tmp_path, f"plain{suffix}", "Only words.").text == "Only words."


def test_a_table_of_wide_cells(tmp_path: Path) -> None:
    path = make_csv(tmp_path / "a.csv", [("Long", ["word " * 100_000])])
    assert len(read_document(path).text) > 499_999


def test_word_documents_as_word_writes_them(tmp_path: Path) -> None:
    def p(text: str, style: str = "") -> str:
        return f'<w:p><w:pPr><w:pStyle w:val="{style}"/></w:pPr>{text}</w:p>'

    def r(text: str) -> str:
        return f"<w:r><w:t>{text}</w:t></w:r>"

    space = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:mc="urn:mc"'
    box = f"<w:r><mc:AlternateContent><mc:Choice><w:txbxContent>{p(r('In a box.'))}</w:txbxContent></mc:Choice>"
    box += f"<mc:Fallback><w:txbxContent>{p(r('In a box.'))}</w:txbxContent></mc:Fallback></mc:AlternateContent></w:r>"
    inner = f"<w:tbl><w:tr><w:tc>{p(r('inner'))}</w:tc></w:tr></w:tbl>"
    body = (
        p(r("Überblick"), "berschrift1")
        + p(r("It was ") + f"<w:del>{r('never ')}</w:del><w:ins>{r('always ')}</w:ins>" + r("so.") + box)
        + f"<w:sdt><w:sdtContent>{p(r('In a field.'))}</w:sdtContent></w:sdt>"
        + f"<w:tbl><w:tr><w:tc>{p(r('a'))}{p(r('b'))}</w:tc><w:tc>{p(r('c'))}{inner}</w:tc></w:tr></w:tbl>"
    )
    styles = (
        '<w:style w:styleId="base"><w:name w:val="heading 1"/></w:style>'
        '<w:style w:styleId="berschrift1"><w:name w:val="Meine"/><w:basedOn w:val="base"/></w:style>'
    )
    with zipfile.ZipFile(tmp_path / "a.docx", "w") as file:
        file.writestr("word/document.xml", f"<w:document {space}><w:body>{body}</w:body></w:document>")
        file.writestr("word/styles.xml", f"<w:styles {space}>{styles}</w:styles>")
        footnotes = f"<w:footnotes {space}><w:footnote>{p(r('A note.'))}</w:footnote></w:footnotes>"
        file.writestr("word/footnotes.xml", footnotes)
    document = read_document(tmp_path / "a.docx")
    assert document.text == "Überblick\n\nIt was always so.\n\nIn a box.\n\nIn a field.\n\na b | c inner\n\nA note."
    assert [section.label for section in document.sections] == ["Überblick", "Footnotes"]


@pytest.mark.parametrize(
    ("written", "iso"),
    [
        ("2023-09-14T10:00:00Z", "2023-09-14"),
        ("D:20230914101500+02'00'", "2023-09-14"),
        ("2023-09", "2023-09"),
        ("2023", "2023"),
        ("2023-13-40", None),
        ("14 September", None),
        ("", None),
        (None, None),
    ],
)
def test_dates(written: str | None, iso: str | None) -> None:
    assert iso_date(written) == iso
