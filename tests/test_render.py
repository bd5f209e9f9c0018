"""What a page shows of an answer: exactly the texts, marked where they stand, and nothing in them comes to life."""

import html
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index.types import Document, Hit, Passage, Section
from qa.types import NO_ANSWER, Answer, Candidate, Evidence, Turn
from ui import panel, render
from ui.conversation import Conversation, Message
from ui.escaping import escape
from ui.exchange import OWN, exchange_of, from_json

TAGS = {
    "a",
    "article",
    "bdi",
    "button",
    "details",
    "div",
    "h2",
    "h3",
    "li",
    "mark",
    "p",
    "section",
    "span",
    "summary",
    "ul",
}
HOSTILE = [
    "<script>alert(1)</script>",
    '<img src=x onerror="alert(1)">',
    "\"><svg/onload=alert(1)> ' onmouseover='alert(1)",
    "</bdi></p></section><h1>injected</h1><!-- ",
    "[click](javascript:alert(1)) <javascript:alert(1)> ![x](http://example.com/x.png)",
    "# heading **bold** _italic_ `code` ~~gone~~ | a | b |\n\n---\n\n- list\n\n    block\n\n> quote",
    "$$\\href{javascript:alert(1)}{x}$$ ${alert(1)} {{constructor}} %%%LATEX_BLOCK_0%%% @children",
    "&lt;b&gt; &amp; &#60;i&#62; &nbsp;",
    "https://example.com/?a=1&b=2 www.example.com me@example.com",
    "\u202eturned around\u202c \u2066isolate\u2069 \u200f\u05d0\u05d1 \u061c",
    "x" * 10_000,
]


class Shown(HTMLParser):
    """Well-formed HTML: its visible text, the text inside each tag and class, and all attributes."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self.inside: dict[str, list[str]] = {}
        self.attributes: list[tuple[str, str | None]] = []
        self.tags: set[str] = set()
        self._open: list[tuple[str, list[tuple[str, int]]]] = []
        self.feed(source)
        self.close()
        if self._open:
            raise AssertionError(f"never closed: {self._open}")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [tag, *(name for key, value in attrs if key == "class" for name in (value or "").split())]
        places = []
        for name in names:
            self.inside.setdefault(name, []).append("")
            places.append((name, len(self.inside[name]) - 1))
        self._open.append((tag, places))
        self.tags.add(tag)
        self.attributes += attrs
        if names[-1] == "qa-break":
            self.handle_data("\n\n")

    def handle_endtag(self, tag: str) -> None:
        opened, _ = self._open.pop()
        assert opened == tag, f"<{opened}> closed by </{tag}>"

    def handle_data(self, data: str) -> None:
        self.text += data
        for _, places in self._open:
            for name, number in places:
                self.inside[name][number] += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data!r}")


def words(text: str) -> str:
    return " ".join(text.split())


def evidence_of(document: Document, answer: str, *, occurrence: int = 0, sentence: str | None = None) -> Evidence:
    start = [m.start() for m in re.finditer(re.escape(answer), document.text)][occurrence]
    sentence = document.text if sentence is None else sentence
    sentence_start = document.text.index(sentence)
    return Evidence(document, start, start + len(answer), sentence, sentence_start, sentence_start + len(sentence))


def hit(document: Document, start: int, end: int) -> Hit:
    return Hit(Passage(start, end, document.text[start:end]), document, 1.0, 0.5, 1, 1)


def answer_of(
    evidence: Evidence | None,
    hits: Sequence[Hit] = (),
    *,
    confidence: float = 0.8,
    question: str = "who?",
    read_as: str | None = None,
    alternatives: Sequence[Candidate] = (),
) -> Answer:
    text = None if evidence is None else evidence.document.text[evidence.start : evidence.end]
    return Answer(question, read_as or question, text, confidence, evidence, tuple(hits), tuple(alternatives))


def answer_bubble(answer: Answer) -> str:
    return render.answer_bubble(exchange_of("id", answer))


def sources_panel(answer: Answer) -> str:
    return panel.sources_panel(exchange_of("id", answer), answer.passages, answer.evidence)


# -- escaping ---------------------------------------------------------------------------------------------------


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff")))
def test_escaped_text_reads_back_as_it_was(text: str) -> None:
    escaped = escape(text)
    assert html.unescape(escaped) == text
    # what HTML, Markdown, LaTeX and templates react to is there as entities only
    assert not re.search(r"[<>\"'`*_$%{}\[\]()!|~\\=:/@\n]", escaped)


def test_what_html_cannot_hold_becomes_the_replacement_character() -> None:
    assert html.unescape(escape("a\x00b\x1bc\ud800d\x85e")) == "a\ufffdb\ufffdc\ufffdd\ufffde"
    escape("\udfff").encode("utf-8")  # a lone surrogate would break the reply


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda text: repr(text[:24]))
def test_hostile_text_is_shown_and_does_nothing(hostile: str) -> None:
    document = Document(name=hostile, title=hostile, text=f"Before. {hostile} after.")
    evidence = evidence_of(document, hostile)
    hits = [hit(document, 0, len(document.text)), hit(document, 8, len(document.text))]
    answer = answer_of(evidence, hits, question=hostile, alternatives=[Candidate(hostile, 0.4, evidence)])
    refusal = answer_of(None, hits, question=hostile, alternatives=[Candidate(hostile, 0.4, evidence)])
    for source in [
        render.question_bubble(hostile),
        render.problem_bubble(hostile),
        answer_bubble(answer),
        sources_panel(answer),
        sources_panel(refusal),
    ]:
        shown = Shown(source)
        assert shown.tags <= TAGS
        known = {"class", "href", "dir", "id", "title", "type", "name", "value", "tabindex"}
        assert {name for name, _ in shown.attributes} <= known
        for name, value in shown.attributes:
            if name in ("href", "id", "title", "value"):
                assert re.fullmatch(r"#?[a-z]+[\w-]*( up| down)?|[<>]?\d+% sure|[A-Z][a-z\d ]+", value or "")
        assert "\n" not in source  # or what follows would be read as Markdown
        assert words(hostile)[:500] in words(shown.text)
    assert words(Shown(answer_bubble(answer)).inside["qa-text"][0]) == words(hostile)
    assert words(Shown(sources_panel(answer)).inside["mark"][0]) == words(hostile)


def test_each_text_has_its_own_writing_direction() -> None:
    document = Document("name\u202e", "title\u202e", "text\u202e")
    shown = Shown(sources_panel(answer_of(evidence_of(document, "text"), [hit(document, 0, 5)], question="q\u202e")))
    assert shown.inside["bdi"] == ["q\u202e", "title\u202e", "name\u202e"]
    assert shown.inside["qa-passage"] == ["text\u202e"]  # a block of its own


# -- what is marked ---------------------------------------------------------------------------------------------


def test_the_answer_is_marked_where_it_stands_not_where_the_same_word_stands_first() -> None:
    document = Document("a.txt", "A", "Ann met Bob. Then Ann left. Ann slept.")
    evidence = evidence_of(document, "Ann", occurrence=1, sentence="Then Ann left.")
    source = panel.marked(document, 0, len(document.text), evidence)
    assert (
        source.replace("&#46;", ".")
        == 'Ann met Bob. <span class="qa-sentence">Then <mark>Ann</mark> left.</span> Ann slept.'
    )


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("😀 Ana 😀😀 and 𝔘𝔫𝔦 Ana.", "𝔘𝔫𝔦"),
        ("Zoe\u0308 saw Zo\u00eb.", "Zo\u00eb"),
        ("👩\u200d👩\u200d👧 family of 👩\u200d🚀.", "👩\u200d🚀"),
        ("北京 is not 東京。", "東京"),
        ("<b>A & B</b> <i>C</i>", "A & B"),
    ],
)
def test_offsets_count_characters_of_any_plane_and_not_of_the_html(text: str, answer: str) -> None:
    document = Document("a.txt", "A", text)
    shown = Shown(panel.marked(document, 0, len(text), evidence_of(document, answer)))
    assert shown.inside["mark"] == [answer]
    assert shown.text == text


def test_every_stretch_of_a_text_shows_exactly_its_characters_and_its_part_of_the_answer() -> None:
    document = Document("a.txt", "A", "One 😀. Two <Bo>. 3!")
    evidence = evidence_of(document, "<Bo>", sentence="Two <Bo>.")
    for start in range(len(document.text) + 1):
        for end in range(start, len(document.text) + 1):
            shown = Shown(panel.marked(document, start, end, evidence))
            inside = range(max(start, evidence.start), min(end, evidence.end))
            around = range(max(start, evidence.sentence_start), min(end, evidence.sentence_end))
            assert shown.text == document.text[start:end]
            assert shown.inside.get("mark", [""]) == ["".join(document.text[i] for i in inside)]
            assert shown.inside.get("qa-sentence", [""]) == ["".join(document.text[i] for i in around)]


def test_passages_that_share_a_sentence_both_show_the_answer_in_it() -> None:
    sentences = ["Ann came first.", "Bob came second.", "Cid came third."]
    document = Document("a.txt", "A", " ".join(sentences))
    first, second = hit(document, 0, 32), hit(document, 16, len(document.text))
    assert first.passage.text.endswith("second.") and second.passage.text.startswith("Bob")
    evidence = evidence_of(document, "Bob", sentence=sentences[1])
    shown = Shown(sources_panel(answer_of(evidence, [first, second])))
    assert shown.inside["mark"] == ["Bob", "Bob"]
    assert shown.inside["qa-passage"] == [first.passage.text, second.passage.text]
    assert shown.inside["qa-best"][0].count(first.passage.text) == 1
    assert shown.inside["summary"] == ["Show what stands after it", "1 more passage found"]


def test_a_passage_that_cuts_the_answers_sentence_is_widened_to_all_of_it() -> None:
    document = Document("a.txt", "A", "Ann saw Bob in the old house. More.")
    evidence = evidence_of(document, "Bob", sentence="Ann saw Bob in the old house.")
    shown = Shown(sources_panel(answer_of(evidence, [hit(document, 4, 14)])))
    assert shown.inside["qa-passage"] == ["Ann saw Bob in the old house."]


def test_without_a_passage_that_holds_it_the_sentence_is_shown() -> None:
    document = Document("a.txt", "A", "Ann left. Bob stayed. Cid ran.")
    evidence = evidence_of(document, "Cid", sentence="Cid ran.")
    shown = Shown(sources_panel(answer_of(evidence, [hit(document, 0, 9)])))
    assert shown.inside["qa-best"][0].count("Cid ran.") == 1
    assert shown.inside["mark"] == ["Cid"]


def test_the_same_place_in_another_document_is_not_marked() -> None:
    one, other = Document("one.txt", "One", "Ann won."), Document("other.txt", "Other", "Bob lost.")
    shown = Shown(sources_panel(answer_of(evidence_of(one, "Ann"), [hit(other, 0, 9), hit(one, 0, 8)])))
    assert shown.inside["mark"] == ["Ann"]
    assert shown.inside["qa-title"] == ["1One", "Other"]


def test_paragraphs_stay_apart_and_single_line_breaks_do_not_show() -> None:
    document = Document("a.txt", "A", "Hard\nwrapped.\n \n\nNext \r\n\r\none.")
    shown = Shown(panel.marked(document, 0, len(document.text), None))
    assert shown.text == "Hard wrapped.\n\nNext\n\none."


# -- answers, refusals, confidence ------------------------------------------------------------------------------


@pytest.fixture
def article() -> Document:
    return Document("a.txt", "The title", "Ann won the cup. Bob lost. Cid slept. Dan ran. Eve sang.")


def test_an_answer_shows_title_confidence_and_exact_place(article: Document) -> None:
    answer = answer_of(
        evidence_of(article, "Ann", sentence="Ann won the cup."), [hit(article, 0, 16)], confidence=0.934
    )
    bubble, sources = Shown(answer_bubble(answer)), Shown(sources_panel(answer))
    assert bubble.inside["qa-text"] == ["Ann"]
    assert "very likely right · 93%" in bubble.text
    assert "The title" in bubble.text
    assert "a.txt · characters 0–3" in sources.text and "very likely right · 93%" in sources.text


def test_a_refusal_looks_different_and_shows_the_closest_passages(article: Document) -> None:
    hits = [hit(article, 0, 16), hit(article, 17, 26), hit(article, 27, 37), hit(article, 38, 46)]
    refusal = answer_of(None, hits, confidence=0.01, question="who danced?")
    bubble, sources = answer_bubble(refusal), Shown(sources_panel(refusal))
    assert Shown(bubble).inside["qa-refusal"][0].startswith(NO_ANSWER)
    assert "qa-answer" not in bubble and "qa-confidence" not in bubble
    assert sources.inside["qa-section"] == ["Closest passages"]
    assert sources.inside["qa-passage"] == ["Ann won the cup.", "Bob lost.", "Cid slept.", "Dan ran."]
    assert sources.inside["qa-more"][0].startswith("1 more passage found")
    assert "mark" not in sources.tags and "qa-best" not in sources.inside


def test_a_refusal_without_passages_says_so() -> None:
    refusal = answer_of(None)
    assert "Nothing in the documents is near this question." in Shown(sources_panel(refusal)).text


def test_candidates_are_shown_apart_from_the_answer_and_not_when_hopeless(article: Document) -> None:
    candidates = [
        Candidate("Bob", 0.3, evidence_of(article, "Bob", sentence="Bob lost.")),
        Candidate("Cid", 0.01, evidence_of(article, "Cid", sentence="Cid slept.")),
    ]
    ann = evidence_of(article, "Ann", sentence="Ann won the cup.")
    answer = answer_of(ann, [hit(article, 0, 16)], alternatives=candidates)
    sources = Shown(sources_panel(answer))
    assert sources.inside["qa-section"] == ["Other possible answers"]
    assert sources.inside["qa-candidate"] == ["Bob"]
    assert sources.inside["mark"] == ["Ann", "Bob"]
    assert sources.inside["qa-badge"] == ["1", "2"]
    assert Shown(answer_bubble(answer)).inside["qa-others"] == [
        "1 other possible answerBobsource 2 more likely wrong than right · 30%"
    ]
    withheld = Shown(sources_panel(answer_of(None, [hit(article, 0, 16)], alternatives=candidates)))
    assert withheld.inside["qa-section"] == ["Closest passages", "Too unsure to be given as an answer"]


def test_the_same_answer_found_again_is_no_other_answer(article: Document) -> None:
    ann = evidence_of(article, "Ann", sentence="Ann won the cup.")
    again = Candidate("the Ann", 0.5, ann)
    assert "qa-others" not in answer_bubble(answer_of(ann, [hit(article, 0, 16)], alternatives=[again]))


def conflicting(said: str, confidence: float, name: str = "b.txt") -> Answer:
    article = Document("a.txt", "A", "The bridge opened in 1902.")
    other = Document(name, "B", f"The bridge opened {said}.")
    candidate = Candidate(said, confidence, evidence_of(other, said))
    return answer_of(evidence_of(article, "1902"), [hit(article, 0, 26)], confidence=0.7, alternatives=[candidate])


def test_two_documents_that_say_different_things_stand_side_by_side() -> None:
    bubble = Shown(answer_bubble(conflicting("in 1911", 0.6)))
    assert bubble.inside["qa-disagree"] == ["The documents disagree."]
    assert bubble.inside["qa-text"] == ["1902", "in 1911"]
    assert bubble.inside["qa-from"] == ["A", "B"]
    assert bubble.inside["qa-cite"] == ["source 1", "source 2"]


@pytest.mark.parametrize(
    "answer",
    [conflicting("in 1902", 0.6), conflicting("in 1911", 0.2), conflicting("in 1911", 0.6, name="a.txt")],
    ids=["the same in more words", "much less sure", "the same document"],
)
def test_what_is_no_conflict(answer: Answer) -> None:
    assert "qa-conflict" not in answer_bubble(answer)


def test_a_source_with_pages_is_cited_by_page() -> None:
    document = Document("report.pdf", "The report", "One. Two wins. Six.", 0, (Section(0, "p. 1"), Section(5, "p. 2")))
    answer = answer_of(evidence_of(document, "wins", sentence="Two wins."), [hit(document, 5, 14)])
    assert Shown(answer_bubble(answer)).inside["qa-from"] == ["report.pdf, p. 2"]
    assert Shown(sources_panel(answer)).inside["qa-place"][0] == "report.pdf, p. 2 · characters 9–13"


def test_ones_own_document_is_told_from_the_collections() -> None:
    for name, badges in [("a.txt", []), (OWN + "a.txt", ["your document"])]:
        document = Document(name, "A", "Ann won.")
        answer = answer_of(evidence_of(document, "Ann"), [hit(document, 0, 8)])
        assert Shown(answer_bubble(answer)).inside.get("qa-own", []) == badges
        assert Shown(sources_panel(answer)).inside.get("qa-own", []) == badges
        assert Shown(sources_panel(answer)).inside["qa-place"][0].endswith("a.txt · characters 0–3")
        assert OWN not in Shown(sources_panel(answer)).text


def test_what_stands_around_a_passage_is_there_on_demand() -> None:
    words = [f"w{number}" for number in range(600)]
    document = Document("a.txt", "A", " ".join(words))
    start = document.text.index("w300")
    evidence = Evidence(document, start, start + 4, "w300", start, start + 4)
    sources = Shown(sources_panel(answer_of(evidence)))
    before, after = sources.inside["qa-neighbour"]
    assert before.startswith("… w") and before.endswith(" w299")
    assert after.startswith("w301 w") and after.endswith(" …")
    assert set(before.split()[1:]) | set(after.split()[:-1]) <= set(words)  # no word is cut
    short = Document("b.txt", "B", "Ann won.")
    assert "qa-around" not in sources_panel(answer_of(evidence_of(short, "Ann")))


@pytest.mark.parametrize(
    ("probability", "percent", "in_words"),
    [
        (0.0, "<1%", "more likely wrong than right"),
        (0.009, "<1%", "more likely wrong than right"),
        (0.01, "1%", "more likely wrong than right"),
        (0.494, "49%", "more likely wrong than right"),
        (0.4951, "50%", "more likely right than wrong"),
        (0.5, "50%", "more likely right than wrong"),
        (0.66, "66%", "likely right"),
        (0.9, "90%", "very likely right"),
        (0.99, "99%", "very likely right"),
        (0.9999, ">99%", "very likely right"),
        (1.0, ">99%", "very likely right"),
    ],
)
def test_confidence_in_words_and_percent(probability: float, percent: str, in_words: str) -> None:
    assert render.percent(probability) == percent
    assert render.confidence_words(probability) == in_words


def test_a_question_too_long_to_be_one_is_cut() -> None:
    shown = Shown(render.question_bubble("why " * 1000)).text
    assert len(shown) < 700 and shown.endswith("…")


def test_the_panel_before_the_first_answer_explains_itself() -> None:
    assert "passage" in Shown(panel.empty_panel()).text


# -- a conversation ---------------------------------------------------------------------------------------------


def exchange(number: int) -> tuple[Message, Message]:
    sources = f"sources {number}"
    document = Document("a.txt", "A", f"Ann won {number}.")
    found = answer_of(evidence_of(document, f"{number}"), question=f"question {number}")
    kept = exchange_of(f"id{number}", found)
    return Message("user", f"question {number}", sources), Message("assistant", f"answer {number}", sources, kept)


def test_a_question_or_its_answer_has_the_sources_of_both() -> None:
    talk = Conversation().plus(*exchange(1)).plus(*exchange(2)).plus(Message("assistant", "the question is empty"))
    assert [talk.sources_of(n) for n in range(-1, 6)] == [
        None, "sources 1", "sources 1", "sources 2", "sources 2", None, None,
    ]  # fmt: skip
    assert talk.turns == (Turn("question 1", "1"), Turn("question 2", "2"))


def test_a_conversation_forgets_its_oldest_messages() -> None:
    talk = Conversation()
    for number in range(101):
        talk = talk.plus(*exchange(number))
    assert len(talk.messages) == 200
    assert talk.messages[0].html == "question 1" and talk.messages[-1].html == "answer 100"
    assert talk.sources_of(199) == "sources 100"
    for number in (0, 1):  # of an old exchange they are made again
        assert Shown(talk.sources_of(number) or "").inside["qa-asked"] == ["question 1"]


def test_a_verdict_changes_its_exchange_alone() -> None:
    talk = Conversation().plus(*exchange(1)).plus(*exchange(2))
    first = talk.exchange("id1")
    assert first is not None and talk.exchange("id3") is None
    changed = talk.with_exchange(replace(first, verdict="up"), "new")
    assert [message.html for message in changed.messages] == ["question 1", "new", "question 2", "answer 2"]
    assert changed.exchange("id1") == replace(first, verdict="up")


def test_a_question_not_read_as_typed_says_how_it_was_read() -> None:
    document = Document("d.txt", "Title", "Ada runs the bakery.")
    evidence = evidence_of(document, "Ada")
    for found in (evidence, None):
        bubble = answer_bubble(answer_of(found, question="who rnus it", read_as="who runs <b>it</b>"))
        assert "understood as:" in bubble
        assert "who runs &lt;b&gt;it" in bubble
        assert "understood as:" not in answer_bubble(answer_of(found))


# -- what a browser keeps -----------------------------------------------------------------------------------------


def test_what_a_browser_kept_is_shown_as_before() -> None:
    for hostile in HOSTILE:
        document = Document(hostile, hostile, f"Before. {hostile} after.", 0, (Section(0, hostile),))
        evidence = evidence_of(document, hostile)
        others = [Candidate("after", 0.4, evidence_of(document, "after"))]
        for answer in (answer_of(evidence, question=hostile, alternatives=others), answer_of(None, question=hostile)):
            kept = exchange_of("id", answer)
            again = from_json(json.loads(json.dumps(kept.to_json())))
            assert render.answer_bubble(again) == render.answer_bubble(kept)
            assert Shown(panel.sources_panel(again)).tags <= TAGS


FIELDS = st.sampled_from(["id", "question", "read_as", "answer", "confidence", "quotes", "cited", "verdict"])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.recursive(
        st.none() | st.floats() | st.text(max_size=5),
        lambda x: st.lists(x, max_size=3) | st.dictionaries(FIELDS, x, max_size=8),
        max_leaves=12,
    )
)
def test_what_no_browser_kept_is_an_error_that_says_so(value: object) -> None:
    with pytest.raises(ValueError):
        from_json(value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"id": "<b>"}, "id"),
        ({"verdict": "maybe"}, "verdict"),
        ({"confidence": 7}, "between 0 and 1"),
        ({"cited": 9}, "quotes"),
        ({"answer": ["x"]}, "expected a text"),
        ({"quotes": [{"text": "ab", "place": None, "start": 0, "answer": [0, 3]}]}, "no stretch"),
    ],
)
def test_a_kept_exchange_that_was_changed_is_not_believed(change: dict[str, object], message: str) -> None:
    document = Document("a.txt", "A", "Ann won.")
    kept = exchange_of("id", answer_of(evidence_of(document, "Ann"))).to_json()
    with pytest.raises(ValueError, match=message):
        from_json({**kept, **change})
