"""The whole enumeration a span stands in, and its items at exact places."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.types import Document
from qa.kinds.definitions import definitions_in
from qa.kinds.enumeration import enumeration_at, enumerations_in
from qa.kinds.starters import proposals
from qa.kinds.yesno import verdict


def items(text: str, span: str) -> list[str] | None:
    start = text.index(span)
    one = enumeration_at(text, start, start + len(span), (0, len(text)))
    return None if one is None else [text[a:b] for a, b in one.items]


@pytest.mark.parametrize(
    ("text", "span", "found"),
    [
        ("The cast includes Ada Bell (Loma), Ben Orr, and Cy Moe.", "Ben Orr", ["Ada Bell", "Ben Orr", "Cy Moe"]),
        ("The cast includes Ada Bell (Loma), Ben Orr, and Cy Moe.", "Cy Moe", ["Ada Bell", "Ben Orr", "Cy Moe"]),
        ("It links Easterby and Nor Haven.", "Nor Haven", ["Easterby", "Nor Haven"]),
        ("The plant wins back nickel, cobalt and lithium.", "cobalt and lithium", None),
        ("It comes in slate, oat and plum, they say.", "oat", None),
        ("It sells, among other things: mugs, toys or clothing.", "toys or clothing", ["mugs", "toys", "clothing"]),
        ("Jo Pick (Salt Line, The Last Boat) and Mina Fa came.", "The Last Boat", ["Salt Line", "The Last Boat"]),
        ("Trams:\n- line 3\n- line 7 (night)\n- line 9\n\nEnd.", "line 7", ["line 3", "line 7", "line 9"]),
        ("Residents pay 35 euros a month, half the usual price.", "35 euros a month", None),
        ("Marie, a blind girl, lives in Paris.", "Marie", None),
        ("The lighthouse is green.", "green", None),
    ],
)
def test_items(text: str, span: str, found: list[str] | None) -> None:
    got = items(text, span)
    if found is None:
        assert got is None or set(span.split(" and ")) <= set(got)
    else:
        assert got == found


def test_a_span_that_is_a_list_is_cut() -> None:
    text = "They kept their mosques, their law and their judges for ever."
    assert items(text, "their mosques, their law and their judges") == ["their mosques", "their law", "their judges"]


@given(st.text(alphabet="AbBc ,;()and\n-.“”\"'&1", max_size=80), st.integers(0, 80), st.integers(1, 20))
@settings(max_examples=100, deadline=None)
def test_places_are_exact_whatever_the_text(text: str, start: int, length: int) -> None:
    end = min(len(text), start + length)
    for one in enumerations_in(text, (0, len(text))):
        assert 0 <= one.start < one.end <= len(text)
    one = enumeration_at(text, start, end, (0, len(text))) if start < end else None
    if one is not None:
        assert len(one.items) >= 1
        assert all(one.start <= a <= b <= one.end for a, b in one.items)
        assert list(one.items) == sorted(one.items)


@pytest.mark.parametrize(
    "part", ["Aa ", "Aa, ", "Aa and ", "A of the a ", "ab, ", '"a" ', "A (a) ", "A (", "A\n", "1.1/", "A", "\n- a"]
)
def test_no_text_takes_for_ever(part: str) -> None:
    text = part * (4000 // len(part))
    begin = time.perf_counter()
    enumerations_in(text, (0, len(text)))
    enumeration_at(text, 2000, 2001, (0, len(text)))
    definitions_in(text, "Aa", within=(0, len(text)))
    verdict("Did Aa b " + text[:900], text[:900])
    assert list(proposals(Document("a", "a", text))) is not None
    assert time.perf_counter() - begin < 5
