"""Plain text: kept as it is but for line ends and control characters."""

from __future__ import annotations

from index.errors import DocumentError
from index.formats.characters import decode, without_controls
from index.formats.extract import Extract
from index.formats.limits import MAX_CHARACTERS

__all__ = ["read_text"]


def read_text(raw: bytes) -> Extract:
    """Raises DocumentError when it is not text, or too long."""
    text = without_controls(decode(raw))
    if len(text) > MAX_CHARACTERS:
        raise DocumentError(f"holds more than {MAX_CHARACTERS:,} characters of text; split the file")
    return Extract(text)
