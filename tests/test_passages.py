import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.passages import embedded_texts, paragraph_around, sentence_spans, split_passages
from index.types import Document, Passage, Section


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


def texts(text: str, words: int, sections: tuple[Section, ...] = (), overlap: int = 0) -> list[str]:
    return [p.text for p in split_passages(text, words=words, overlap=overlap, sections=sections)]


def test_no_passage_reaches_into_the_next_section_but_over_pages() -> None:
    text = "Methods\n\nWe asked. They told.\n\nResults\n\nIt rained."
    headed = (Section(0, "Methods"), Section(text.index("Results"), "Results"))
    assert texts(text, 80, headed) == ["Methods\n\nWe asked. They told.", "Results\n\nIt rained."]
    paged = (Section(0, "p. 1"), Section(text.index("Results"), "p. 2"))
    assert texts(text, 80, paged) == [text]
    timed = (Section(0, "00:00:01"), Section(text.index("Results"), "00:01:10"))
    assert texts(text, 80, timed) == [text]


@given(
    st.text(alphabet="aB. \n|-1\t", max_size=300),
    st.lists(st.tuples(st.integers(0, 300), st.sampled_from(["Methods", "p. 3", "row 2"])), max_size=5),
    st.integers(1, 12),
    st.integers(0, 2),
)
def test_any_sections_keep_passages_whole_and_inside(
    text: str, marks: list[tuple[int, str]], words: int, overlap: int
) -> None:
    sections = tuple(Section(min(start, len(text)), label) for start, label in sorted(marks))
    borders = {section.start for section in sections if section.label == "Methods"}
    passages = split_passages(text, words=words, overlap=overlap, sections=sections)
    covered = set()
    for passage in passages:
        assert passage.text == text[passage.start : passage.end]
        assert not any(passage.start < border < passage.end for border in borders)
        covered.update(range(passage.start, passage.end))
    assert all(text[place].isspace() for place in range(len(text)) if place not in covered)
    for one, other in itertools.pairwise(passages):
        assert one.end < other.end  # every passage brings something new


@pytest.mark.parametrize(
    ("text", "items"),
    [
        (
            "To do:\n- Buy bread. Rye.\n- Call Ada. Twice.\n- Sleep",
            ["- Buy bread. Rye.", "- Call Ada. Twice.", "- Sleep"],
        ),
        ("1. Mix it. Well.\n2. Bake it. Long.", ["1. Mix it. Well.", "2. Bake it. Long."]),
        ("a | b c. D\nd | e f. G", ["a | b c. D", "d | e f. G"]),
        ("x\ty z. W v\nq\tr s. T u", ["x\ty z. W v", "q\tr s. T u"]),
    ],
)
def test_items_and_rows_are_never_cut(text: str, items: list[str]) -> None:
    for words in range(6, 12):
        passages = texts(text, words)
        for item in items:
            assert any(item in passage for passage in passages), (item, passages)


def test_a_row_that_is_a_section_of_its_own_is_whole() -> None:
    rows = ["name: Ada; note: Came. Saw. Won.", "name: Bo; note: Sat. Ate. Left."]
    text = "\n\n".join(rows)
    sections = (Section(0, "row 1"), Section(text.index("name: Bo"), "row 2"))
    assert texts(text, 8, sections) == rows
    assert texts(text, 40, sections) == [text]


def test_an_item_longer_than_a_passage_is_cut_at_its_sentences() -> None:
    text = "- One two three four. Five six seven eight. Nine ten."
    assert texts(text, 5) == ["- One two three four.", "Five six seven eight.", "Nine ten."]


def test_short_titles_and_headings_are_told_to_the_encoder() -> None:
    text = "It is long. It floods.\n\nFish\n\nThere are eels."
    document = Document("a", "Amazon river", text, sections=(Section(24, "Fish"),))
    first, second = Passage(0, 22, text[:22]), Passage(30, 45, text[30:])
    assert embedded_texts(document, [first, second]) == [
        "Amazon river: It is long. It floods.",
        "Amazon river — Fish: There are eels.",
    ]
    whole = Passage(24, 45, text[24:])
    assert embedded_texts(document, [whole]) == ["Amazon river: Fish\n\nThere are eels."]
    for title in ("A headline that says rather more than a name", "It is…", "", "p. 3"):
        assert embedded_texts(Document("a", title, text), [first]) == [text[:22]]
    paged = Document("a", "", text, sections=(Section(0, "p. 1"),))
    assert embedded_texts(paged, [first]) == [text[:22]]


@pytest.mark.parametrize("place", ["Werner", "radio", "Ends here", "Tiny", "2014"])
def test_the_sentences_around_a_place_are_the_same_found_from_its_paragraph_alone(place: str) -> None:
    long = " ".join(f"Sentence number {n} says little." for n in range(200))
    text = f"Title\n\nWerner hears the radio. It was 2014.\n \n\n{long} Ends here.\n\nTiny"
    start = text.index(place)
    end = start + len(place)
    first, last = paragraph_around(text, start, end)
    assert [s for s in sentence_spans(text, first, last) if s[0] < end and start < s[1]] == [
        s for s in sentence_spans(text) if s[0] < end and start < s[1]
    ]
    assert "\n\n" not in text[first:last]
