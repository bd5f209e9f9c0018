"""Kinds of question through the whole of an Answerer; plain ones come out as they always did."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from index.build import add_document
from index.encoder import OnnxEncoder
from index.store import SqliteStore
from index.types import Document, Encoder
from qa import Answerer, Config
from qa.confidence import Calibration
from qa.evaluation import read_gold
from qa.kinds import kind_of
from qa.kinds.central import central_sentences
from qa.kinds.definitions import definitions_in
from qa.kinds.plot import is_work, what_is_told
from qa.types import Answer, Reader, Turn
from ui.exchange import exchange_of
from ui.render import answer_bubble

GOLD = Path(__file__).parent / "gold" / "all_the_light.jsonl"
FERRY = (
    "The Ferryman is a film by Mara Holt. It stars Ada Bell (Loma), Ben Orr (Rust), Cy Moe and Dee Fox. "
    "Ada Bell plays Runa, a deaf baker who rows across the strait at night. Mara Holt directed the film in Norway. "
    "The film opens on 3 May 2019. The prize-winning novel is by Tor Lund. The dog does not speak in the film."
)
SOUP = (
    "Sour soup is a broth of rye that is eaten in spring. The cook stirs the soup for two hours before it is eaten. "
    "Rye, garlic and marjoram give the soup its sour taste. Many families eat the sour soup with eggs at Easter."
)


@pytest.fixture(scope="module")
def article(built_index: Path) -> Iterator[Answerer]:
    answerer = Answerer.open(Config(index=built_index))
    yield answerer
    answerer.close()


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answerer]:
    folder = tmp_path_factory.mktemp("two")
    encoder = OnnxEncoder(threads=1)
    store = SqliteStore(folder, encoder_name=encoder.name, dimension=encoder.dimension, create=True)
    add_document(store, encoder, Document("ferry.txt", "The Ferryman", FERRY))
    add_document(store, encoder, Document("soup.txt", "Sour soup", SOUP))
    store.close()
    answerer = Answerer.open(Config(index=folder))
    yield answerer
    answerer.close()


def quotes(answer: Answer) -> list[str]:
    if answer.evidence is not None:
        assert answer.text == answer.evidence.document.text[answer.evidence.start : answer.evidence.end]
    for item in answer.items:
        assert item.sentence == item.document.text[item.sentence_start : item.sentence_end]
    return [item.document.text[item.start : item.end] for item in answer.items]


def test_plain_questions_are_answered_as_before(article: Answerer) -> None:
    questions = [gold.question for gold in read_gold(GOLD) if kind_of(gold.question).name == "span"]
    assert len(questions) >= 170
    for question in questions[::16]:
        found = article.find(question)
        before = article.decide(question, found.read_as, found.hits, found.judged)
        assert article.ask(question) == before
        assert (before.kind, before.items, before.verdict, before.note) == ("span", (), None, None)


def test_a_list_is_given_whole(article: Answerer, two: Answerer) -> None:
    cast = ["Mark Ruffalo", "Hugh Laurie", "Lars Eidinger", "Marion Bailey", "Andrea Deck"]
    assert quotes(article.ask("who else is in it?", [Turn("who plays Werner?", "Louis Hofmann")])) == cast
    stars = two.ask("Who else is in The Ferryman besides Ada Bell?")
    assert stars.kind == "list"
    assert quotes(stars) == ["Ben Orr", "Cy Moe", "Dee Fox"]
    assert stars.to_dict()["items"][0]["text"] == "Ben Orr"


def test_a_list_of_what_is_not_there_is_refused(article: Answerer) -> None:
    for question in ("List the rivers of Peru.", "Who else is in Dune?", "Name the moons of Jupiter."):
        assert article.ask(question).items == (), question


def test_definitions(article: Answerer, two: Answerer) -> None:
    assert (article.ask("who even is werner").text or "").startswith("a young man forced to join the Nazis")
    assert article.ask("who is the director?").text == "Shawn Levy"
    assert two.ask("Who is Runa?").text == "a deaf baker who rows across the strait at night"


@pytest.mark.parametrize(
    ("text", "subject", "clause"),
    [
        ("Tobias, a moth who delivers letters, is ill.", "Tobias", "a moth who delivers letters"),
        ("Tobias (Jan Mo), a moth, is ill.", "Tobias", "a moth"),
        ("A moraine is a ridge of rubble pushed up by ice.", "moraine", "a ridge of rubble pushed up by ice"),
        ("Here zugzwang means a bad turn.", "zugzwang", "a bad turn"),
        ("We met the picture editor Ada Bell.", "Ada Bell", "the picture editor"),
        ("It was penned by Cold Ledger and Rust creator, Ada Bell.", "Ada Bell", "Cold Ledger and Rust creator"),
        ("In Oslo, Low Tide star Bell rests.", "Bell", "Low Tide star"),
    ],
)
def test_clauses_that_define(text: str, subject: str, clause: str) -> None:
    assert clause in [text[a:b] for a, b in definitions_in(text, subject, within=(0, len(text)))]


def test_no_clause_where_none_defines() -> None:
    text = "Tobias's sister, a nun, met Tobias at noon. It was an experience for director Tobias."
    assert definitions_in(text, "Tobias", within=(0, len(text))) == []


def test_yes_no_and_neither(two: Answerer) -> None:
    yes = two.ask("Did Mara Holt direct the film?")
    assert (yes.verdict, yes.text) == (True, "Mara Holt directed the film in Norway.")
    said = two.ask("Is it true that Mara Holt directed the film?")
    assert (said.verdict, said.text) == (True, yes.text)
    assert two.ask("Does the film open on 4 May 2019?").verdict is False
    assert two.ask("Does the dog speak in the film?").verdict is False
    open_question = two.ask("Did Ada Bell direct the film?")
    assert open_question.verdict is None
    for nothing in (two.ask("do cats dream"), two.ask("Is Sweden in the euro?")):
        assert nothing.text is None
        assert nothing.verdict is None


def test_a_summary_is_of_the_document_named(two: Answerer) -> None:
    soup = two.ask("summarise Sour soup")
    assert {item.document.name for item in soup.items} == {"soup.txt"}
    starts = [item.start for item in soup.items]
    assert len(starts) == 3
    assert starts == sorted(set(starts))
    assert all(quote.endswith(".") for quote in quotes(soup))
    both = two.ask("summarise")
    assert {item.document.name for item in both.items} == {"ferry.txt", "soup.txt"}
    assert both.note == "One sentence from each of 2 of 2 documents."
    assert two.ask("What is Hamlet about?").text is None
    assert two.ask("summarise the plot of Hamlet").items == ()


@pytest.mark.parametrize(
    ("text", "subject", "told"),
    [
        ("It is new. The series tells the tale of two deaf twins.", None, "the tale of two deaf twins"),
        ("Rust follows a baker across the frozen strait.", "Rust", "a baker across the frozen strait"),
        ("Rust, set in Norway, centres on a baker who steals.", "Rust", "a baker who steals"),
        ("Her debut novel is about a ferry with no crew.", None, "a ferry with no crew"),
        ("The film opens in May. Levy told reporters about the weather in May.", None, None),
        ("Rust opens in May. Ada follows her brother to the harbour.", "Rust", None),
        ("The film follows Rust.", None, None),
    ],
)
def test_what_a_work_tells(text: str, subject: str | None, told: str | None) -> None:
    topic = None if subject is None else {subject.lower(): 1.0}
    span = what_is_told(text, topic)
    assert (None if span is None else text[slice(*span)]) == told


def test_nouns_that_name_no_work() -> None:
    assert all(map(is_work, ["the film", "this new novel", "the video game", "his memoir", "series"]))
    assert not any(map(is_work, ["The Salt Ladder", "the mayor", "The Story of O", "film music"]))


def test_what_it_is_about(article: Answerer, two: Answerer) -> None:
    for question in (
        "Tell me the plot in short.",
        "what's the series about?",
        "What is All the Light We Cannot See about?",
    ):
        answer = article.ask(question)
        assert answer.kind == "about"
        assert "stories of" in (answer.text or "")
        quotes(answer)
    assert two.ask("what is the plot of Hamlet?").text is None


def test_central_sentences_do_not_repeat(store: SqliteStore, encoder: Encoder) -> None:
    same = "The harbour has a tall green lighthouse on it. "
    text = same * 3 + "The bakery by the harbour sells dark rye bread. " + same
    add_document(store, encoder, Document("a", "a", text))
    (document,) = store.documents().values()
    vectors = store.vectors_of(document.id)
    assert vectors.shape == (len(store.passages_of(document.id)), encoder.dimension)
    found = central_sentences(encoder, document, store.passages_of(document.id), vectors, count=2)
    assert len({document.text[one.start : one.end] for one in found}) == 2


def test_talk_has_fixed_replies(store: SqliteStore, encoder: Encoder, reader: Reader) -> None:
    calibration = Calibration(bias=0.0, weights=(1.0, 0.0, 0.0, 0.0, 0.0, 0.0), threshold=0.5)
    answerer = Answerer(store, encoder, reader, calibration)
    hello = answerer.ask("hello!")
    assert (hello.kind, hello.text, hello.evidence) == ("greeting", None, None)
    assert str(hello) == hello.note
    assert "Hello" in answer_bubble(exchange_of("x", hello))
    assert answerer.ask("thank you very much").kind == "thanks"
    nothing = answerer.ask("what can I ask?")
    assert nothing.suggestions == ()
    assert nothing.note is not None


def test_what_can_be_asked_is_answered(two: Answerer) -> None:
    suggested = two.ask("what can I ask?").suggestions
    assert suggested
    assert two.suggestions() is two.suggestions()  # found once for each state of the index
    assert all(two.ask(question).text is not None for question in suggested)


def test_parts_are_shown_escaped(two: Answerer) -> None:
    answer = two.ask("Who else is in The Ferryman besides Ada Bell?")
    assert "<li><bdi>Ben Orr</bdi></li>" in answer_bubble(exchange_of("x", answer))
    assert '<strong class="qa-verdict">No</strong>' in answer_bubble(
        exchange_of("x", dataclasses.replace(answer, verdict=False))
    )
    assert "<script>" not in answer_bubble(exchange_of("x", dataclasses.replace(answer, note="<script>")))
