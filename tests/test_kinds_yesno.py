"""Yes and no only where a sentence says so in the question's own words; dates and numbers compared by value."""

import pytest

from qa.kinds.dates import agree, dates_in
from qa.kinds.lemmas import lemma
from qa.kinds.yesno import verdict


@pytest.mark.parametrize(
    ("question", "sentence", "right"),
    [
        ("Did the novel win a prize?", "It is based on the prize-winning novel.", True),
        ("Does Levy direct the series?", "Levy directs the series in Hungary.", True),
        ("Did Ada Bell direct the play?", "Ada Bell directed the play.", True),
        ("Did Ada direct the play?", "Ada Bell did not direct the play.", False),
        ("Is the lighthouse green?", "The lighthouse is not green.", False),
        ("Did the harbour open in 1902?", "The harbour opened in 1902.", True),
        ("Did the harbour open in 1903?", "The harbour opened in 1902.", False),
        ("Did the bridge open on 2 May 1931?", "The bridge opened on May 2, 1931, in the rain.", True),
        ("Did the bridge open in May 1931?", "The bridge opened on 2 May 1931.", True),
        ("Did the bridge open in June 1931?", "The bridge opened on 2 May 1931.", False),
        ("Has the school nine teachers?", "The school has nine teachers.", True),
        ("Has the school six teachers?", "The school has nine teachers.", False),
        ("Will the shop close on Monday?", "The shop will close on Monday.", True),
    ],
)
def test_what_a_sentence_decides(question: str, sentence: str, right: bool) -> None:
    assert verdict(question, sentence) is right


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("Did Ben win?", "Ada beat Ben and won."),
        ("Did Ben win the cup?", "Ben's sister won the cup."),
        ("Did Ben win the cup?", "Ada, who met Ben, won the cup."),
        ("Did Ben win the cup?", "Ben nearly won the cup."),
        ("Did Ben win the cup?", "Ben hoped to win the cup."),
        ("Did Ben win the cup?", "Ben will win the cup."),
        ("Did Ben win the cup?", "If Ben wins the cup, he retires."),
        ("Did Ben win the cup?", "“Ben won the cup,” she lied."),
        ("Did the dog bite the man?", "The man bit the dog."),
        ("Did the cup go to Ben?", "Did the cup go to Ben?"),
        ("Didn't Ben win the cup?", "Ben won the cup."),
        ("Did Ben win the cup?", "Ben did not say that Ada never won the cup."),
        ("Did the bridge open on 2 May 1931?", "The bridge opened in 1931."),
        ("Did the bridge open in 1931?", "The bridge, begun in 1928, opened in 1931."),
        ("Is it green?", "The lighthouse is green."),
    ],
)
def test_what_is_not_safe_is_left_open(question: str, sentence: str) -> None:
    assert verdict(question, sentence) is None


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("on 2 November 2023", (2023, 11, 2)),
        ("Nov. 2, 2023", (2023, 11, 2)),
        ("2023-11-02", (2023, 11, 2)),
        ("the 2nd of November", (None, 11, 2)),
        ("November 2023", (2023, 11, None)),
        ("in 1902.", (1902, None, None)),
    ],
)
def test_dates(text: str, date: tuple[int | None, int | None, int | None]) -> None:
    (found,) = dates_in(text)
    assert (found.year, found.month, found.day) == date
    assert text[found.start : found.end] in text


@pytest.mark.parametrize("text", ["3/4/2020", "12,1902", "room 902", "v1.1902", "32 May", ""])
def test_no_dates(text: str) -> None:
    assert [d for d in dates_in(text) if d.day is not None or d.month is not None] == []


def test_dates_agree_as_far_as_both_tell() -> None:
    day, month, year, other = (dates_in(t)[0] for t in ("2 May 1931", "May 1931", "1931", "3 June"))
    assert agree(day, month) and agree(day, year)
    assert agree(day, other) is False
    assert agree(year, other) is None


def test_lemmas_meet() -> None:
    for forms in (
        "win won wins winning",
        "film filmed filming films",
        "direct directed directs",
        "carry carried carries",
    ):
        assert len({lemma(form) for form in forms.split()}) == 1, forms
    assert lemma("prize") != lemma("price")
