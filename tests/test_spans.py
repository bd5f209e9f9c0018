import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from qa.spans import Span, best_spans
from qa.types import SpanLogits

logits = st.integers(1, 25).flatmap(
    lambda n: st.tuples(*[arrays(np.float32, n, elements=st.floats(-8, 8, width=16), unique=True)] * 2)
)


def every_span(start: np.ndarray, end: np.ndarray, longest: int) -> list[Span]:
    """The slow way: all spans, best first, each kept unless it overlaps a better one."""
    spans = [
        Span(i, j, float(start[i] + end[j])) for i in range(len(start)) for j in range(i, min(len(start), i + longest))
    ]
    kept: list[Span] = []
    for span in sorted(spans, key=lambda span: -span.score):
        if all(span.last < other.first or other.last < span.first for other in kept):
            kept.append(span)
    return kept


@given(logits, st.integers(1, 30), st.integers(1, 5))
def test_same_scores_as_the_slow_way(pair: tuple[np.ndarray, np.ndarray], longest: int, top: int) -> None:
    start, end = pair
    found = best_spans(SpanLogits(start, end, 0.0), top=top, max_length=longest)
    wanted = every_span(start, end, longest)[:top]
    assert found[0].score == pytest.approx(wanted[0].score)
    for span in found:
        assert span.score == pytest.approx(float(start[span.first] + end[span.last]))
        assert 0 <= span.last - span.first < longest
    places = [set(range(span.first, span.last + 1)) for span in found]
    assert sum(map(len, places)) == len(set().union(*places))
    if len({span.score for span in every_span(start, end, longest)}) == len(every_span(start, end, longest)):
        assert found == wanted


def test_start_and_end_are_chosen_together() -> None:
    # the best start stands after the best end; taken independently they would cross
    start = np.array([0.0, 1.0, 5.0], np.float32)
    end = np.array([4.0, 1.0, 0.0], np.float32)
    assert best_spans(SpanLogits(start, end, 0.0), top=1, max_length=3) == [Span(2, 2, 5.0)]


def test_nothing_to_read_gives_nothing() -> None:
    empty = np.zeros(0, np.float32)
    assert best_spans(SpanLogits(empty, empty, 0.0), top=3, max_length=10) == []


def test_nonsense_sizes_are_refused() -> None:
    one = np.zeros(1, np.float32)
    with pytest.raises(ValueError, match="at least 1"):
        best_spans(SpanLogits(one, one, 0.0), top=0, max_length=1)
