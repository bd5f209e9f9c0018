"""Dates in a text, normalised so that "2 November 2023", "Nov. 2, 2023" and "2023-11-02" compare as the same day."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Date", "agree", "dates_in"]

_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_MONTH = (
    r"(?P<month{0}>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|"
    r"oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_YEAR = r"(?P<year{0}>1\d{{3}}|20\d{{2}})"
_DAY = r"(?P<day{0}>[12]\d|3[01]|0?[1-9])(?:st|nd|rd|th)?"
_FORMS = (
    r"(?P<year1>1\d{3}|20\d{2})-(?P<month1>0[1-9]|1[0-2])(?:-(?P<day1>0[1-9]|[12]\d|3[01]))?",
    _DAY.format(2) + r"\s+(?:of\s+)?" + _MONTH.format(2) + r"(?:,?\s+" + _YEAR.format(2) + ")?",
    _MONTH.format(3) + r"\s+" + _DAY.format(3) + r"(?!\d)(?:,?\s+" + _YEAR.format(3) + ")?",
    _MONTH.format(4) + r",?\s+" + _YEAR.format(4),
    _YEAR.format(5),
)
_DATE = re.compile(rf"(?<![\w.,/-])(?:{'|'.join(_FORMS)})(?![\w/]|-\w|[.,]\d)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Date:
    """A date as far as it is told; `text[start:end]` is where it stands."""

    year: int | None
    month: int | None
    day: int | None
    start: int
    end: int


def dates_in(text: str) -> list[Date]:
    """The dates and years in `text`, in order. "3/4/2020" is left out: it means two days, depending on who writes."""
    found = []
    for match in _DATE.finditer(text):
        told = {name.rstrip("12345"): value for name, value in match.groupdict().items() if value is not None}
        month = told.get("month")
        found.append(
            Date(
                int(told["year"]) if "year" in told else None,
                None if month is None else int(month) if month.isdigit() else 1 + _MONTHS.index(month[:3].lower()),
                int(told["day"]) if "day" in told else None,
                *match.span(),
            )
        )
    return found


def agree(one: Date, other: Date) -> bool | None:
    """Whether what both dates tell is the same; None when they tell different things (a year, and a day of March)."""
    pairs = [(one.year, other.year), (one.month, other.month), (one.day, other.day)]
    told = [(a, b) for a, b in pairs if a is not None and b is not None]
    return all(a == b for a, b in told) if told else None
