import pytest

from qa.spelling import mend, words_of

DOCUMENTS = words_of(["Werner Pfennig (Louis Hofmann) plays the radio. Pfennig's sister is Jutta. Zoë sings."])
VOCABULARY = {
    "who": 10,
    "plays": 20,
    "the": 1,
    "director": 500,
    "actress": 900,
    "sister": 300,
    "form": 50,
    "rare": 20_000,
}


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("who plasy wenrer pfennig?", "who plays werner pfennig?"),
        ("Who is the direcotr?", "Who is the director?"),
        ("name the actres", "name the actress"),
        ("Jutta Hofman", "Jutta hofmann"),
        ("the sisster", "the sister"),
    ],
)
def test_slips_are_mended(typed: str, meant: str) -> None:
    assert mend(typed, DOCUMENTS, {**VOCABULARY, "is": 2, "name": 30}.get) == meant


@pytest.mark.parametrize(
    "question",
    [
        "who plays Werner Pfennig?",  # all known
        "Zoë and Pfennig’s radio",  # names of the documents, accents and possessives
        "who is Etienne von Rumpel",  # unknown names that are near nothing
        "cat 1984 x2b teh",  # short words and numbers are left alone
        "the raree",  # near a rare word only
        "",
        "日本語 🙂",
    ],
)
def test_the_rest_is_left_alone(question: str) -> None:
    assert (
        mend(question, DOCUMENTS, {**VOCABULARY, "etienne": 9000, "rumpel": 1, "von": 5, "is": 2, "and": 3}.get)
        == question
    )


def test_the_documents_word_wins_over_a_common_one() -> None:
    assert mend("the forn", words_of(["a fern"]), {"form": 1, "the": 2}.get) == "the fern"
