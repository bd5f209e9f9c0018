"""Which kind a question is taken for; whatever is not clearly of a kind goes the normal way."""

import time

import pytest

from qa.kinds import kind_of


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("who else is in it?", "list"),
        ("Which two films did she make before?", "list"),
        ("name the bridges", "list"),
        ("list all the ferries", "list"),
        ("Who are the main characters?", "list"),
        ("Tell me the ingredients of the soup.", "list"),
        ("Which metals does the plant win back?", "list"),
        ("how many actors are named in it?", "count"),
        ("did the novel win a prize?", "yesno"),
        ("Is the lighthouse green?", "yesno"),
        ("isn't the oven wood-fired?", "yesno"),
        ("who is Ada Bell?", "definition"),
        ("Tell me who Ada Bell is.", "definition"),
        ("what is a ryokan", "definition"),
        ("What does zugzwang mean?", "definition"),
        ("define utilisation", "definition"),
        ("what is it about?", "about"),
        ("What is The Causeway about?", "about"),
        ("Tell me the plot in short.", "about"),
        ("what's the storyline of Rust", "about"),
        ("plot?", "about"),
        ("who hatched the plot?", "span"),
        ("what plot did Ada buy", "span"),
        ("summarise", "summary"),
        ("Can you summarize this article?", "summary"),
        ("give me a short summary of the report", "summary"),
        ("Hi!", "greeting"),
        ("good morning", "greeting"),
        ("ok thanks a lot!", "thanks"),
        ("bye", "goodbye"),
        ("what can I ask?", "help"),
        ("What questions can I ask here?", "help"),
    ],
)
def test_kinds(question: str, kind: str) -> None:
    assert kind_of(question).name == kind


@pytest.mark.parametrize(
    "question",
    [
        "who plays Werner?",
        "who is the director?",
        "who is her husband?",
        "Who is Pål Dahl's teacher?",
        "who was the first mayor",
        "What is the capital of Australia?",
        "What was Rory Kincaid in before?",
        "What is Mo Castellari known for?",
        "Could you tell me who won the race?",
        "Do you know which character is in charge?",
        "were was the deal concluded",
        "Which series is the witch from?",
        "What does the ferry cost?",
        "How many teachers has the school?",
        "how many episodes are there",
        "are they brothers or what are they",
        "when does it come out?",
        "hello, who plays Werner?",
        "What did the thanks say?",
        "Which actor voices the countess?",
        "Will Smith character?",
        "",
        "?",
    ],
)
def test_what_is_not_clearly_of_a_kind_is_plain(question: str) -> None:
    assert kind_of(question).name == "span"


def test_what_a_list_asks_for() -> None:
    kind = kind_of("Who else is in the cast besides Ada Bell and Ben Orr?")
    assert (kind.besides, kind.more, kind.explicit) == ("Ada Bell and Ben Orr", True, True)
    assert kind_of("Which three cities does it link?").number == 3
    assert kind_of("How many actors are named in the article?").reworded == "Which actors are named in the article?"


def test_a_subject_is_found() -> None:
    assert kind_of("what's a graph neural network?").subject == "graph neural network"
    assert kind_of("What is this article about?").subject is None
    assert kind_of("summarise The Glass Postman please").subject == "The Glass Postman"


def test_it_takes_no_time() -> None:
    begin = time.perf_counter()
    for number in range(200):
        kind_of(f"Which actor plays the keeper of lighthouse {number} in the last act?")
    assert (time.perf_counter() - begin) / 200 < 0.002
    kind_of("what " * 400)
    assert time.perf_counter() - begin < 2
