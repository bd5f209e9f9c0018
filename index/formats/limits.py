"""How much of a file is read, so that no file, whatever it is, takes the machine with it."""

from __future__ import annotations

__all__ = [
    "MAX_BYTES",
    "MAX_CHARACTERS",
    "MAX_HTML_BYTES",
    "MAX_MEMORY",
    "MAX_PACKED_BYTES",
    "MAX_PAGES",
    "MAX_ROWS",
    "MAX_SECONDS",
    "MAX_UNPACKED_BYTES",
]

MAX_BYTES = 50_000_000  # plain text, Markdown, subtitles, tables
MAX_HTML_BYTES = 20_000_000  # where trafilatura stops, too
MAX_PACKED_BYTES = 500_000_000  # PDF, DOCX, EPUB: mostly pictures, which are never loaded
MAX_UNPACKED_BYTES = 200_000_000  # what is unpacked of one DOCX or EPUB, all parts together
MAX_PAGES = 10_000
MAX_ROWS = 200_000
MAX_CHARACTERS = 20_000_000  # text taken from one file; the Bible has four million
MAX_SECONDS = 120  # one file's parser, then its process is ended
MAX_MEMORY = 3_000_000_000  # address space of the process the parsers run in
