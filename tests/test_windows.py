import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.windows import TokenRange, read_ranges, token_range


def test_a_short_document_is_read_whole() -> None:
    assert read_ranges(90, [(0, 50), (40, 90)], [1], most=100) == [TokenRange(0, 90)]


def test_a_passage_grows_by_its_neighbours() -> None:
    passages = [(0, 40), (40, 80), (80, 120), (120, 160), (160, 200)]
    assert read_ranges(200, passages, [2], most=120) == [TokenRange(40, 160)]
    assert read_ranges(200, passages, [0], most=120) == [TokenRange(0, 120)]
    assert read_ranges(200, passages, [4], most=120) == [TokenRange(80, 200)]


def test_a_passage_that_is_read_already_opens_no_window() -> None:
    passages = [(0, 40), (40, 80), (80, 120), (120, 160), (160, 200)]
    assert read_ranges(200, passages, [2, 1, 3], most=120) == [TokenRange(40, 160)]
    assert len(read_ranges(200, passages, [0, 4, 1], most=120)) == 2


def test_the_first_window_holds_as_much_as_it_can_of_what_was_found() -> None:
    passages = [(0, 40), (40, 80), (80, 120), (120, 160), (160, 200)]
    assert read_ranges(200, passages, [2, 4], most=120)[0] == TokenRange(80, 200)
    assert read_ranges(200, passages, [2, 0], most=120)[0] == TokenRange(0, 120)
    assert read_ranges(200, passages, [2, 0, 4, 3], most=120)[0] == TokenRange(80, 200)


@given(st.lists(st.integers(1, 60), min_size=1, max_size=20), st.data(), st.integers(1, 200))
def test_windows_fit_and_hold_what_was_found(sizes: list[int], data: st.DataObject, most: int) -> None:
    edges = np.cumsum([0, *sizes]).tolist()
    passages = list(itertools.pairwise(edges))
    ranked = data.draw(st.lists(st.sampled_from(range(len(passages))), min_size=1, unique=True))
    ranges = read_ranges(edges[-1], passages, ranked, most=most)
    assert all(0 <= r.first < r.last <= edges[-1] and r.last - r.first <= max(most, 1) for r in ranges)
    for number in ranked:
        first, last = passages[number]
        if last - first <= most:
            assert any(r.first <= first and last <= r.last for r in ranges)
    assert len(ranges) == len(set(ranges))


def test_token_range_takes_the_tokens_that_touch() -> None:
    offsets = np.array([(0, 3), (4, 7), (7, 8), (9, 12)])
    assert token_range(offsets, 4, 8) == (1, 3)
    assert token_range(offsets, 0, 12) == (0, 4)
    assert token_range(offsets, 8, 9) == (3, 3)


def test_nothing_found_reads_nothing_and_nonsense_is_refused() -> None:
    assert read_ranges(10, [(0, 10)], [], most=5) == []
    with pytest.raises(ValueError, match="at least 1"):
        read_ranges(10, [(0, 10)], [0], most=0)
