"""Documents that say the same of different names: asked about one of them, the answer comes from that one."""

from __future__ import annotations

from pathlib import Path

from qa import Answerer, Config
from qa.cover import names_of
from qa.evaluation import Gold, index_contexts

NAMES = "Kiguna Tamovo Sazepi Fifuru Mupuna Tenite Rimufu Kesivo Tutodi Rikike Gagote Dudopi Sepaba Suvite".split()
AROUND = "The coast has many lights. Boats pass at night, and gulls sleep on the rocks below. "


def told(name: str, number: int) -> Gold:
    text = f"{AROUND if number % 2 else ''}The lighthouse keeper of {name} keeps {230 + 7 * number} blue parrots."
    question = f"How many blue parrots does the lighthouse keeper of {name} keep?"
    return Gold(name, question, (str(230 + 7 * number),), text, "howmany")


def test_the_document_that_holds_the_name_answers(tmp_path: Path) -> None:
    golds = [told(name, number) for number, name in enumerate(NAMES)]
    answerer: Answerer = index_contexts(Config(index=tmp_path / "index"), golds)
    answers = {gold.id: answerer.ask(gold.question) for gold in golds}
    right = sum(answers[gold.id].text in gold.answers for gold in golds)
    wrong = sum(answers[gold.id].text is not None for gold in golds) - right
    answerer.close()
    assert right >= len(golds) - 3
    assert wrong <= 2


def test_names_are_the_words_of_no_vocabulary() -> None:
    known = {"who": 10, "keeps": 900, "the": 1, "lighthouse": 9000}.get
    assert names_of("Who keeps the lighthouse of Kiguna's x?", known) == {"kiguna"}
