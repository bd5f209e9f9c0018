"""CSV and TSV: every row a paragraph that says its column names, and a section named by its row number."""

from __future__ import annotations

import csv
import io
from itertools import islice

from index.errors import DocumentError
from index.formats.characters import decode, one_line, without_controls
from index.formats.extract import Extract, TextBuilder
from index.formats.limits import MAX_BYTES, MAX_ROWS

__all__ = ["read_table"]


def read_table(raw: bytes) -> Extract:
    """Rows count from 1, the heading row and empty ones included, as in a spreadsheet.

    Raises:
        DocumentError: it is not text, not a table, or holds too much.
    """
    text = without_controls(decode(raw))
    csv.field_size_limit(MAX_BYTES)
    builder = TextBuilder()
    names: list[str] | None = None
    try:
        for number, row in enumerate(csv.reader(io.StringIO(text), delimiter=_delimiter(text)), start=1):
            if number > MAX_ROWS:
                raise DocumentError(f"holds more than {MAX_ROWS:,} rows; split the file")
            cells = [one_line(cell) for cell in row]
            if not any(cells):
                continue
            builder.section(f"row {number}")
            if names is None:
                names = cells if _is_header(cells) else []
                builder.block(" | ".join(cells))
            elif names:
                padded = names + [""] * (len(cells) - len(names))
                named = zip(padded, cells, strict=False)
                builder.block("; ".join(f"{name}: {cell}" if name else cell for name, cell in named if cell))
            else:
                builder.block(" | ".join(cells))
    except csv.Error as error:
        raise DocumentError(f"is not a table that can be read ({error}); export it again as CSV") from error
    return builder.extract()


def _delimiter(text: str) -> str:
    """The one that cuts the first row, and most of those after it into as many cells; the more the better."""

    def score(delimiter: str) -> tuple[float, int]:
        rows = [len(row) for row in islice(csv.reader(io.StringIO(text[:65536]), delimiter=delimiter), 30) if row]
        width = rows[0] if rows else 1
        return (rows.count(width) / len(rows), width) if width > 1 else (0.0, 0)

    return max((",", ";", "\t", "|"), key=score)


def _is_header(cells: list[str]) -> bool:
    """Names of columns are there, differ, and are no numbers."""
    return all(any(c.isalpha() for c in cell) and len(cell) <= 60 for cell in cells) and len(set(cells)) == len(cells)
