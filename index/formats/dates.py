"""Dates as files write them -> ISO 8601, as far as they are known."""

from __future__ import annotations

import re
from datetime import date

__all__ = ["iso_date"]

_DATE = re.compile(r"^(?:D:)?\s*(\d{4})(?:-?(\d{2})(?:-?(\d{2}))?)?(?!\d{1,3}$)")


def iso_date(text: str | None) -> str | None:
    """ "2023-09-14T10:00:00Z", "D:20230914100000" -> "2023-09-14"; "2023-09" and "2023" stay; else None."""
    match = _DATE.match(text.strip()) if text else None
    if match is None:
        return None
    year, month, day = match[1], match[2], match[3]
    try:
        date(int(year), int(month or 1), int(day or 1))
    except ValueError:
        return None
    return "-".join(part for part in (year, month, day) if part is not None)
