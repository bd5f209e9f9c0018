"""Bytes -> str, and the characters that are not kept: what a database, a terminal or a page would choke on."""

from __future__ import annotations

import re
from pathlib import Path

from index.errors import DocumentError

__all__ = ["decode", "one_line", "printable", "without_controls"]

_CONTROLS: dict[int, str | None] = {
    **dict.fromkeys((*range(0x00, 0x20), *range(0x7F, 0xA0)), " "),
    **dict.fromkeys(range(0xD800, 0xE000), "\ufffd"),  # lone surrogates: no encoding has them
    **dict.fromkeys((0x0B, 0x0C, 0x85, 0x2028, 0x2029), "\n"),  # line and page breaks by other names
    **dict.fromkeys((0xFFFE, 0xFFFF), None),
    0x09: "\t",
    0x0A: "\n",
}
# Invisible inside words, where they would keep a question from finding them: soft hyphens, zero-width spaces, BOMs.
_INVISIBLE: dict[int, None] = dict.fromkeys((0xAD, 0x200B, 0x2060, 0xFEFF))
_DECLARED = re.compile(rb"""(?:charset|encoding)\s*=\s*["']?\s*([A-Za-z0-9_.:-]{2,40})""")
_BINARY = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")


def without_controls(text: str) -> str:
    """`text` with ``\\n`` for line ends and without control characters and lone surrogates."""
    return text.replace("\r\n", "\n").replace("\r", "\n").translate(_CONTROLS)


def one_line(text: str) -> str:
    """`text` on one line: white space evened out, control and invisible characters gone."""
    return " ".join(without_controls(text).translate(_INVISIBLE).split())


def printable(path: Path | str) -> str:
    """A path as messages show it: line breaks, controls and undecodable bytes escaped."""
    text = str(path).encode("utf-8", "backslashreplace").decode()
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def decode(raw: bytes, *, declared: bool = False) -> str:
    """Text in whatever encoding it is: a byte order mark, UTF-8, what the file declares, else the likeliest.

    Args:
        declared: believe a `charset=` or `encoding=` in the first kilobytes, as HTML and XML have it.

    Raises:
        DocumentError: it is not text.
    """
    text = _decoded(raw, declared)
    odd = len(_BINARY.findall(text))
    if "\x00" in text:
        raise DocumentError("is not text (it holds NUL bytes); convert it to plain text first")
    if odd > 8 and odd > len(text) / 100:
        raise DocumentError("is not text (it holds control characters); convert it to plain text first")
    return text


def _decoded(raw: bytes, declared: bool) -> str:
    marks = {b"\xff\xfe\x00\x00": "utf-32", b"\x00\x00\xfe\xff": "utf-32", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
    marked = next((encoding for mark, encoding in marks.items() if raw.startswith(mark)), "utf-8-sig")
    try:
        return raw.decode(marked)
    except UnicodeDecodeError:
        pass
    if b"\x00" in raw:
        raise DocumentError("is not text (it holds NUL bytes); convert it to plain text first")
    match = _DECLARED.search(raw[:4096]) if declared else None
    if match is not None:
        try:
            return raw.decode(match[1].decode("ascii"))
        except (LookupError, UnicodeDecodeError):
            pass  # a wrong declaration is common; guess instead
    from charset_normalizer import from_bytes

    best = from_bytes(raw).best()
    if best is None:
        raise DocumentError("is not text in any encoding known here; save it as UTF-8")
    return str(best)
