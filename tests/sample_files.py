"""Files of every format with known contents, made with the programs people make them with where there is one."""

from __future__ import annotations

import html
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

# A chapter is its heading and its paragraphs.
Chapter = tuple[str, Sequence[str]]


def make_pdf(path: Path, chapters: Sequence[Chapter], *, heads: str | None = None, **options: object) -> Path:
    """Every chapter starts on a new page; paragraphs are wrapped, and justified where they are odd."""
    from reportlab.lib.enums import TA_JUSTIFY
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.pdfgen.canvas import Canvas
    from reportlab.platypus import PageBreak, Paragraph, SimpleDocTemplate

    styles = getSampleStyleSheet()
    justified = styles["BodyText"].clone("justified", alignment=TA_JUSTIFY)
    flow: list[object] = []
    for heading, paragraphs in chapters:
        flow += [PageBreak()] if flow else []
        flow.append(Paragraph(html.escape(heading), styles["Heading1"]))
        for number, text in enumerate(paragraphs):
            flow.append(Paragraph(html.escape(text), justified if number % 2 else styles["BodyText"]))

    def furniture(canvas: Canvas, document: object) -> None:
        if heads is not None:
            canvas.drawString(200, 800, heads)
            canvas.drawString(290, 30, f"Page {canvas.getPageNumber()}")

    SimpleDocTemplate(str(path), **options).build(flow, onFirstPage=furniture, onLaterPages=furniture)
    return path


def draw_pdf(path: Path, pages: Sequence[Sequence[tuple[float, float, str]]], encrypt: object = None) -> Path:
    """Lines set one by one: (x, y, text) in points from the lower left corner."""
    from reportlab.pdfgen.canvas import Canvas

    canvas = Canvas(str(path), encrypt=encrypt)
    for lines in pages:
        for x, y, text in lines:
            canvas.drawString(x, y, text)
        canvas.showPage()
    canvas.save()
    return path


def make_docx(path: Path, chapters: Sequence[Chapter], title: str = "", author: str = "") -> Path:
    import docx

    document = docx.Document()
    for heading, paragraphs in chapters:
        document.add_heading(heading, 1)
        for text in paragraphs:
            document.add_paragraph(text)
    document.core_properties.title = title
    document.core_properties.author = author
    document.save(str(path))
    return path


def make_html(path: Path, chapters: Sequence[Chapter], title: str = "", author: str = "") -> Path:
    body = "".join(
        f"<h2>{html.escape(heading)}</h2>" + "".join(f"<p>{html.escape(text)}</p>\n" for text in paragraphs)
        for heading, paragraphs in chapters
    )
    menu = "".join(f"<li><a href='/{word}'>{word}</a></li>" for word in ("Home", "Subscribe", "Contact"))
    path.write_text(
        f"<!DOCTYPE html><html><head><title>{html.escape(title)}</title>"
        f"<meta name='author' content='{html.escape(author)}'><meta property='article:published_time' "
        f"content='2023-09-14T08:00:00Z'><script>var tracked = 'by a script';</script></head><body><nav><ul>{menu}"
        f"</ul></nav><main><article>{body}</article></main><footer>All rights reserved.</footer></body></html>",
        encoding="utf-8",
    )
    return path


def make_markdown(path: Path, chapters: Sequence[Chapter]) -> Path:
    path.write_text("\n\n".join("\n\n".join([f"# {heading}", *texts]) for heading, texts in chapters), "utf-8")
    return path


def make_epub(
    path: Path, chapters: Sequence[Chapter], title: str = "A book", author: str = "An author", version: int = 3
) -> Path:
    """One page a chapter; the contents in a nav document (EPUB 3) or an NCX file (EPUB 2)."""
    pages = {f"chapter {n}.xhtml": chapter for n, chapter in enumerate(chapters, start=1)}
    items = "".join(
        f'<item id="c{n}" href="text/{name.replace(" ", "%20")}" media-type="application/xhtml+xml"/>'
        for n, name in enumerate(pages)
    )
    spine = "".join(f'<itemref idref="c{n}"/>' for n in range(len(pages)))
    links = [(name.replace(" ", "%20"), html.escape(heading)) for name, (heading, _) in pages.items()]
    if version == 3:
        items += '<item id="nav" href="nav.xhtml" properties="nav" media-type="application/xhtml+xml"/>'
        listed = "".join(f'<li><a href="text/{href}">{label}</a></li>' for href, label in links)
        contents = ("nav.xhtml", f'<nav epub:type="toc"><h1>Contents</h1><ol>{listed}</ol></nav>')
    else:
        items += '<item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/>'
        points = "".join(
            f'<navPoint><navLabel><text>{label}</text></navLabel><content src="text/{href}"/></navPoint>'
            for href, label in links
        )
        contents = ("toc.ncx", f'<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/"><navMap>{points}</navMap></ncx>')
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("mimetype", "application/epub+zip", zipfile.ZIP_STORED)
        book.writestr(
            "META-INF/container.xml",
            '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
            '<rootfile full-path="OEBPS/book.opf"/></rootfiles></container>',
        )
        book.writestr(
            "OEBPS/book.opf",
            '<package xmlns="http://www.idpf.org/2007/opf"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">'
            f"<dc:title>{html.escape(title)}</dc:title><dc:creator>{html.escape(author)}</dc:creator>"
            f"<dc:date>2019-05-02</dc:date></metadata><manifest>{items}</manifest><spine>{spine}</spine></package>",
        )
        book.writestr(f"OEBPS/{contents[0]}", contents[1] if version == 2 else _xhtml(contents[1]))
        for name, (heading, paragraphs) in pages.items():
            text = "".join(f"<p>{html.escape(paragraph)}</p>" for paragraph in paragraphs)
            book.writestr(f"OEBPS/text/{name}", _xhtml(f"<h1>{html.escape(heading)}</h1>{text}"))
    return path


def _xhtml(body: str) -> str:
    return (
        '<?xml version="1.0" encoding="utf-8"?><html xmlns="http://www.w3.org/1999/xhtml" '
        f'xmlns:epub="http://www.idpf.org/2007/ops"><head><title/></head><body>{body}</body></html>'
    )


def make_subtitles(path: Path, chapters: Sequence[Chapter]) -> Path:
    """A cue every ten seconds, from the start of the film; headings are spoken."""
    said = [text for heading, paragraphs in chapters for text in (heading, *paragraphs)]
    cues = []
    for n, text in enumerate(said):
        start, end = (f"{t // 3600:02}:{t // 60 % 60:02}:{t % 60:02},000" for t in (10 * n, 10 * n + 5))
        cues.append(f"{n + 1}\n{start} --> {end}\n{text}\n")
    path.write_text("\n".join(cues), "utf-8")
    return path


def make_csv(path: Path, chapters: Sequence[Chapter]) -> Path:
    import csv

    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["Chapter", "Text"])
        for heading, paragraphs in chapters:
            writer.writerows([heading, text] for text in paragraphs)
    return path


def make_text(path: Path, chapters: Sequence[Chapter]) -> Path:
    path.write_text("\n\n".join("\n\n".join([heading, *paragraphs]) for heading, paragraphs in chapters), "utf-8")
    return path


MAKERS: dict[str, Callable[[Path, Sequence[Chapter]], Path]] = {
    ".txt": make_text,
    ".md": make_markdown,
    ".html": make_html,
    ".pdf": make_pdf,
    ".docx": make_docx,
    ".epub": make_epub,
    ".srt": make_subtitles,
    ".csv": make_csv,
}
