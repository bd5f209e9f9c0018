import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.followups import is_fragment, leans_back, readings
from qa.types import Turn

DIALOGUES = Path(__file__).parent.parent / "training" / "data" / "news_val.jsonl.gz"
WERNER = Turn("who plays Werner?", "Louis Hofmann")


@pytest.mark.parametrize(
    ("turn", "question", "meant"),
    [
        (WERNER, "what else was he in?", "what else was Louis Hofmann in?"),
        (WERNER, "and Marie Laure?", "who plays Marie Laure?"),
        (WERNER, "what about the blind girl?", "who plays the blind girl?"),
        (WERNER, "what is his age", "what is Louis Hofmann's age"),
        (Turn("Who is the mayor?", "Ada Quill"), "who elected her?", "who elected Ada Quill?"),
        (Turn("Who is the mayor?", "Ada Quill"), "what is her party called?", "what is Ada Quill's party called?"),
        (Turn("When did the bridge open?", "1932"), "who designed it?", "who designed the bridge?"),
        (Turn("Where was the truce signed?", "Lunde"), "who lived there?", "who lived at Lunde?"),
        (
            Turn("Who presents Cold Ledger?", "Maureen Adley"),
            "since when?",
            "since when presents Cold Ledger Maureen Adley?",
        ),
        (Turn("How long did the strike last?", None), "why?", "why long did the strike last?"),
    ],
)
def test_a_follow_up_is_completed(turn: Turn, question: str, meant: str) -> None:
    assert meant in readings(question, [turn])


@pytest.mark.parametrize(
    "question",
    [
        "who directed the series?",
        "Where did Ada Quill leave her car?",
        "How many children were there in the family?",
        "What is the name of the dog that found the boy?",
        "And who won the second prize?",
        "Why did the council leave the clock as it was?",
        "which species of owl hunts by day",
        "who wrote the songs?",
        "",
    ],
)
def test_a_question_that_stands_alone_is_left_alone(question: str) -> None:
    assert readings(question, [WERNER]) == []
    assert not leans_back(question)


def test_without_a_history_there_is_nothing_to_lean_on() -> None:
    assert readings("what else was he in?", []) == []


def test_a_kind_of_thing_pointed_at_is_what_was_spoken_of() -> None:
    turn = Turn("What was her first feature?", "Winter Post")
    assert "what prize did Winter Post win?" in readings("what prize did that film win?", [turn])
    assert readings("who owns the dog that found him at sea?", []) == []


@pytest.mark.parametrize("question", ["is it true that the bridge opened?", "what does it cost to see the shield?"])
def test_an_empty_it_stands_for_nothing(question: str) -> None:
    assert readings(question, [Turn("who built the bridge?", "Ada Quill")]) == []


def test_no_pronoun_stands_for_an_amount_or_a_verb() -> None:
    proposed = readings("And when did he pick up the salt?", [Turn("When did Gandhi set out?", "12 March 1930")])
    assert proposed == ["And when did Gandhi pick up the salt?"]


def test_things_are_no_people() -> None:
    proposed = readings("where can I watch it?", [Turn("who directs The Long Night?", "Ada Quill")])
    assert proposed == ["where can I watch The Long Night?"]


def test_written_dialogues_traps_stay_and_follow_ups_are_seen() -> None:
    """On held-out dialogues: questions that stand alone are hardly ever touched, most others get a proposal."""
    with gzip.open(DIALOGUES, "rt", encoding="utf-8") as file:
        dialogues = [dialogue for line in file for dialogue in json.loads(line)["dialogues"]]

    def proposed(dialogue: dict[str, object]) -> bool:
        history = [Turn(turn["q"], turn["a"]) for turn in dialogue["history"]]  # type: ignore[attr-defined]
        return bool(readings(str(dialogue["q"]), history))

    traps = [dialogue for dialogue in dialogues if dialogue["q"] == dialogue["resolved"]]
    others = [dialogue for dialogue in dialogues if dialogue["q"] != dialogue["resolved"]]
    assert len(traps) > 60
    assert sum(map(proposed, traps)) <= 0.05 * len(traps)
    assert sum(map(proposed, others)) >= 0.8 * len(others)


@given(st.text(max_size=80), st.text(max_size=80), st.none() | st.text(max_size=40))
def test_any_text_is_borne(question: str, before: str, answer: str | None) -> None:
    proposed = readings(question, [Turn(before, answer)])
    assert len(proposed) <= 6
    assert len(set(proposed)) == len(proposed)


@pytest.mark.parametrize(
    ("question", "fragment"),
    [
        ("and Marie Laure?", True),
        ("what about the second film?", True),
        ("and where?", True),
        ("who plays her?", False),
        ("is it true that a sequel is planned", False),
        ("and how did he get there?", False),
        ("what else was he in?", False),
    ],
)
def test_fragments_are_told_from_whole_questions(question: str, fragment: bool) -> None:
    assert is_fragment(question) is fragment
