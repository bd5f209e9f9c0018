import pytest

from qa.cover import cover, stems, topic_of

RANKS = {"it": 2009, "in": 1999, "plays": 4000, "film": 3100, "captain": 5000, "captains": 9000, "ferry": 9000}.get


def test_inflections_meet() -> None:
    found = stems("He played the captain while filming in the bay.")
    assert cover(topic_of("who plays the captains in the film", RANKS), found) == 1.0


def test_the_missing_name_weighs_most() -> None:
    text = stems("The captain plays cards.")
    known, unknown = topic_of("who plays the captain", RANKS), topic_of("who plays Etienne", RANKS)
    assert cover(known, text) == 1.0
    assert cover(unknown, text) < 0.5
    assert unknown["etienne"] == pytest.approx(1.0, abs=0.02)
    assert unknown["etienne"] > unknown["plays"]


def test_a_question_without_a_topic_is_covered() -> None:
    assert topic_of("who is that and why?", RANKS) == {}
    assert cover({}, set()) == 1.0
    assert cover(topic_of("ferry", RANKS), set()) == 0.0
