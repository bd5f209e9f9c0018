import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.passages import sentence_spans, split_passages


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text)]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("It rains. It pours.", ["It rains.", "It pours."]),
        ("Dr. Ada Lovelace met Mr. Babbage. They spoke.", ["Dr. Ada Lovelace met Mr. Babbage.", "They spoke."]),
        ("J. R. R. Tolkien wrote it. Twice!", ["J. R. R. Tolkien wrote it.", "Twice!"]),
        ("“It was hard.” He left.", ["“It was hard.”", "He left."]),
        ("Pi is 3.14 or so. Yes?", ["Pi is 3.14 or so.", "Yes?"]),
        ("A heading\n\nThe text under it", ["A heading", "The text under it"]),
        ("It ends at 5 p.m. on Monday.", ["It ends at 5 p.m. on Monday."]),
        ("", []),
        (" \n\n ", []),
    ],
)
def test_sentences(text: str, wanted: list[str]) -> None:
    assert sentences(text) == wanted


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=600), st.integers(1, 20), st.integers(0, 3))
def test_passages_cover_everything_and_are_exact(text: str, words: int, overlap: int) -> None:
    passages = split_passages(text, words=words, overlap=overlap)
    covered = set()
    for passage in passages:
        assert passage.text == text[passage.start : passage.end]
        assert len(passage.text.split()) <= words
        covered.update(range(passage.start, passage.end))
    assert all(text[place].isspace() for place in range(len(text)) if place not in covered)
    assert [p.start for p in passages] == sorted({p.start for p in passages})


def test_neighbours_share_a_sentence_but_never_repeat_a_passage() -> None:
    text = " ".join(f"Sentence number {number} stands here." for number in range(30))
    passages = split_passages(text, words=15, overlap=1)
    assert len(passages) > 10
    for one, other in itertools.pairwise(passages):
        assert one.start < other.start < one.end < other.end
    assert all(len(p.text.split()) == 15 for p in passages[:-1])


def test_a_word_without_end_is_cut() -> None:
    passages = split_passages("x" * 10_000, words=80)
    assert max(len(p.text) for p in passages) <= 80 * 80 * 12
    assert sum(len(p.text) for p in passages) >= 10_000


def test_nonsense_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        split_passages("text", words=0)
    with pytest.raises(ValueError, match="at least 0"):
        split_passages("text", overlap=-1)
