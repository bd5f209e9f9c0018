"""The page as people get it: a real server process, a real browser."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from browsing import ANSWER_MS, START_SECONDS, UNANSWERABLE, Open, ask, fake, question_box, runs_over, serving
from playwright.sync_api import Browser, expect

from ui.page import own_page

# -- answers ----------------------------------------------------------------------------------------------------


def test_a_question_gets_its_answer_and_the_sentence_with_the_answer_marked(server: str, open_page: Open) -> None:
    page = open_page(server)
    assert page.title() == "Ask your articles"
    expect(question_box(page)).to_be_focused()
    ask(page, "who plays Werner?")
    expect(page.locator("#conversation .qa-text")).to_have_text("Louis Hofmann")
    expect(question_box(page)).to_have_value("")
    best = page.locator("#sources .qa-best")
    expect(best.locator("mark")).to_have_text("Louis Hofmann")
    expect(best.locator(".qa-sentence")).to_contain_text("the other is Werner Pfennig (Louis Hofmann), a young man")
    expect(best.locator(".qa-place")).to_contain_text("000_e6d6c117e4a10c10.txt")
    expect(page.locator("#conversation .qa-meta").first).to_have_text(re.compile(r"(right|wrong) · >?\d+%$"))
    for box in (best.locator("mark"), page.locator("#conversation .qa-text")):
        expect(box).to_be_in_viewport()


def test_what_the_documents_do_not_say_is_refused_and_looks_different(server: str, open_page: Open) -> None:
    page = open_page(server)
    ask(page, "who plays Werner?")
    ask(page, UNANSWERABLE)
    refusal = page.locator(".message.bot:has(.qa-refusal)")
    expect(refusal).to_contain_text("The documents don't say.")
    expect(page.locator("#sources")).to_contain_text("Closest passages")
    expect(page.locator("#sources .qa-source").first).to_be_visible()
    expect(page.locator("#sources .qa-best")).to_have_count(0)
    style = "element => getComputedStyle(element).borderStyle + getComputedStyle(element).backgroundColor"
    answer = page.locator(".message.bot:has(.qa-answer)")
    assert refusal.evaluate(style) != answer.evaluate(style)


def test_clicking_an_earlier_answer_shows_its_sources(server: str, open_page: Open) -> None:
    page = open_page(f"{server}/?from=elsewhere")
    ask(page, "who plays Werner?")
    ask(page, UNANSWERABLE)
    asked = page.locator("#sources .qa-asked")
    expect(asked).to_have_text(UNANSWERABLE)
    page.locator(".qa-answer").click()
    expect(asked).to_have_text("who plays Werner?")
    expect(page.locator(".qa-focus")).to_contain_text("Louis Hofmann")
    page.get_by_role("link", name="Show the closest passages").press("Enter")  # by keyboard, without losing the page
    expect(asked).to_have_text(UNANSWERABLE)
    page.locator(".qa-question").first.click()
    expect(asked).to_have_text("who plays Werner?")
    expect(page.locator(".qa-answer")).to_have_count(1)


def test_the_newest_answer_is_in_view_wherever_one_had_scrolled_to(server: str, open_page: Open) -> None:
    page = open_page(server, height=520)
    for question in ("who plays Werner?", "When does it come out?", "who is the director?"):
        ask(page, question)
    page.locator(".qa-question").first.click()
    expect(page.locator(".qa-question").first).to_be_in_viewport()
    page.wait_for_timeout(500)
    expect(page.locator(".qa-question").first).to_be_in_viewport()  # looking back is not undone
    ask(page, UNANSWERABLE)
    expect(page.locator(".qa-refusal")).to_be_in_viewport(ratio=1)


def test_example_questions_can_be_clicked(server: str, open_page: Open) -> None:
    page = open_page(server)
    question_box(page).fill("half a ques")
    page.get_by_role("button", name="When does it come out?").click()
    expect(page.locator(".qa-answer .qa-text")).to_have_text("November 2, 2023", timeout=ANSWER_MS)
    expect(page.locator(".qa-question")).to_have_text("When does it come out?")
    expect(question_box(page)).to_have_value("half a ques")


def test_a_new_conversation_is_empty(server: str, open_page: Open) -> None:
    page = open_page(server)
    ask(page, "who plays Werner?")
    page.get_by_role("button", name="New", exact=True).click()
    expect(page.locator(".qa-question")).to_have_count(0)
    expect(page.locator("#sources mark")).to_have_count(0)
    expect(question_box(page)).to_be_focused()
    ask(page, UNANSWERABLE)
    expect(page.locator(".qa-question")).to_have_count(1)


def test_two_people_do_not_see_each_others_conversation(server: str, open_page: Open) -> None:
    one, other = open_page(server), open_page(server)
    ask(one, "who plays Werner?")
    ask(other, UNANSWERABLE)
    ask(one, "When does it come out?")
    expect(one.locator(".qa-question")).to_have_text(["who plays Werner?", "When does it come out?"])
    expect(other.locator(".qa-question")).to_have_text([UNANSWERABLE])
    expect(other.locator("#sources .qa-asked")).to_have_text(UNANSWERABLE)
    expect(other.locator("body")).not_to_contain_text("who plays Werner?")


# -- bad input --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "hostile",
    [
        "<img src=x onerror=alert(1)> <script>alert(2)</script> who plays Werner?",
        "[a](javascript:alert(1)) **bold** `code` $$x$$ ${alert(1)} {{7*7}} %%%LATEX_BLOCK_0%%% # who?",
        "https://example.com/x.png ![x](https://example.com/x.png) who?",
        "\u202eodd\u202c direction \u05d0\u05d1 who \U0001f600?",
        "w" * 1900,
    ],
    ids=lambda text: text[:16],
)
def test_hostile_questions_are_shown_as_text(server: str, open_page: Open, hostile: str) -> None:
    page = open_page(server, width=375, height=700)
    ask(page, hostile)
    shown = hostile if len(hostile) <= 600 else hostile[:600] + " …"
    assert page.locator(".qa-question").inner_text() == shown
    assert page.locator("#sources .qa-asked").inner_text() == shown
    assert page.locator(".qa-question *:not(bdi)").count() == 0
    assert not runs_over(page)


def test_a_hostile_article_is_shown_as_text(fake_server: Callable[[str], str], open_page: Open) -> None:
    answer = "<b onclick=alert(1)>**b**</b>"
    begin = "A. <img src=x onerror=alert(1)> <a href=javascript:alert(2)>x</a> $$y$$"
    text = f"{begin} {answer}\n\n# not a title\n- {'w' * 9000}"
    page = open_page(fake_server(f"return found(question, {text!r}, {answer!r})"), width=375)
    ask(page, "what?")
    expect(page.locator("#conversation .qa-text")).to_have_text(answer)
    expect(page.locator("#sources .qa-best mark")).to_have_text(answer)
    page.locator("#sources .qa-more summary").click()
    expect(page.locator("#sources .qa-passage").last).to_have_text(text.replace("\n\n", ""))
    expect(page.locator("#sources .qa-title").last).to_have_text("*title*")
    expect(page.locator("#sources .qa-place").first).to_contain_text("<i>name</i>.txt")
    page.locator("#sources .qa-best mark").click()
    assert not runs_over(page)


@pytest.mark.parametrize(
    ("question", "message"), [("   ", "empty"), ("?!", "empty"), ("why " * 1000, "at most 2,000 are read")]
)
def test_a_question_that_cannot_be_asked_gets_a_clear_message(
    server: str, open_page: Open, question: str, message: str
) -> None:
    page = open_page(server)
    ask(page, "who plays Werner?")
    ask(page, question)
    expect(page.locator(".qa-problem")).to_contain_text(message)
    expect(question_box(page)).to_have_value(question)  # to be corrected, not typed again
    expect(page.locator(".qa-answer .qa-text")).to_have_text("Louis Hofmann")
    expect(page.locator("#sources .qa-asked")).to_have_text("who plays Werner?")
    expect(page.locator(".qa-focus")).to_contain_text("Louis Hofmann")
    ask(page, UNANSWERABLE)
    expect(page.locator(".qa-refusal")).to_have_count(1)


@pytest.mark.parametrize(
    ("ask_body", "message"),
    [
        ("raise StoreError('the index is damaged; run `qa build --fresh`')", "the index is damaged; run `qa build"),
        ("return 1 / 0", "Something went wrong"),
    ],
)
def test_an_error_behind_the_page_is_told_and_the_question_kept(
    fake_server: Callable[[str], str], open_page: Open, ask_body: str, message: str
) -> None:
    page = open_page(fake_server(ask_body))
    ask(page, "who is it about?")
    expect(page.locator(".qa-problem")).to_contain_text(message)
    expect(page.locator(".qa-problem")).not_to_contain_text("division")
    expect(question_box(page)).to_have_value("who is it about?")


def test_while_an_answer_is_on_its_way_typing_and_clearing_work(
    fake_server: Callable[[str], str], open_page: Open
) -> None:
    page = open_page(fake_server("time.sleep(2); return found(question, 'Ann won.', 'Ann')"))
    question_box(page).fill("who won?")
    question_box(page).press("Enter")
    expect(page.locator(".qa-question")).to_have_text("who won?", timeout=1500)  # before the answer
    expect(page.locator(".qa-waiting")).to_be_visible()
    question_box(page).fill("and who lo")
    expect(page.locator(".qa-answer")).to_have_count(1)
    expect(page.locator(".qa-waiting")).to_have_count(0)
    expect(question_box(page)).to_have_value("and who lo")
    question_box(page).press("Enter")
    expect(page.locator(".qa-question")).to_have_count(2)
    page.get_by_role("button", name="New", exact=True).click()
    expect(page.locator(".qa-question")).to_have_count(0)
    page.wait_for_timeout(2500)
    expect(page.locator(".qa-question")).to_have_count(0)  # its answer does not come after all
    ask(page, "who won?")
    expect(page.locator(".qa-question")).to_have_count(1)


# -- looks ------------------------------------------------------------------------------------------------------


def test_a_phone_scrolls_down_only(server: str, open_page: Open) -> None:
    page = open_page(server, width=375, height=700)
    assert not runs_over(page)
    expect(question_box(page)).to_be_in_viewport()
    ask(page, "who plays Werner?")
    assert not runs_over(page)
    page.get_by_role("link", name="Show sources").click()
    expect(page.locator("#sources .qa-best mark")).to_be_in_viewport()
    page.locator("#sources .qa-more summary").click()
    assert not runs_over(page)


def test_the_layout_stays_where_it_is(server: str, open_page: Open) -> None:
    page = open_page(server)
    places = {name: page.locator(name).bounding_box() for name in ("#conversation", "#question", "#sources", "#clear")}
    for question in ("who plays Werner?", UNANSWERABLE, " "):
        ask(page, question)
        assert {name: page.locator(name).bounding_box() for name in places} == places


def test_dark_and_light_follow_the_system(server: str, open_page: Open) -> None:
    colour = "getComputedStyle(document.body).backgroundColor"
    light = open_page(server).evaluate(colour)
    dark = open_page(server, scheme="dark").evaluate(colour)
    assert sum(map(int, re.findall(r"\d+", light))) > 600 > 200 > sum(map(int, re.findall(r"\d+", dark)))


def test_no_label_reads_markup_aloud(server: str, open_page: Open) -> None:
    page = open_page(server)
    ask(page, "who plays Werner?")
    expect(page.locator("[aria-label*='<']")).to_have_count(0)
    expect(page.get_by_role("heading", name="Sources", exact=True)).to_be_visible()


# -- the server -------------------------------------------------------------------------------------------------


def test_nothing_of_gradios_own_advertising_is_left(server: str, open_page: Open) -> None:
    page = open_page(server)
    expect(page.locator("footer")).to_be_hidden()
    with urllib.request.urlopen(f"{server}/") as reply:
        source = reply.read().decode()
        policy = reply.headers["content-security-policy"]
        assert reply.headers["x-frame-options"] == "DENY"
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert int(reply.headers["content-length"]) == len(source.encode())
    head = re.sub(r"<script\b.*?</script>", "", source, flags=re.DOTALL)
    assert not re.search(r"https?://|gradio\.app|googleapis|cdnjs|manifest", head)
    assert "default-src 'none'" in policy and "unsafe-eval" not in policy
    script_policy = next(part for part in policy.split("; ") if part.startswith("script-src"))
    assert re.fullmatch(r"script-src 'self' 'nonce-[\w-]{20,}'", script_policy)


def test_foreign_parts_of_a_page_are_taken_out_and_scripts_get_the_nonce() -> None:
    page = (
        '<html><head><base href="./"><link rel="preconnect" href="https://fonts.googleapis.com" />'
        '<script src="https://cdnjs.cloudflare.com/iframe-resizer.js" async></script>'
        '<script src=//cdn.example/x.js></script><img src="http://example.com/pixel.gif">'
        '<meta property="og:url" content="https://gradio.app/" /><link rel="manifest" href="/manifest.json" />'
        '<script type="module" src="./assets/index.js"></script></head><body><script>start("//")</script></body></html>'
    )
    own = own_page(page, "N0nce")
    assert not re.search(r"https?:|//c|manifest|<base|preconnect", own)
    assert '<script nonce="N0nce" type="module" src="./assets/index.js"></script>' in own
    assert '<script nonce="N0nce">start("//")</script>' in own
    assert own.count("<script") == own.count('<script nonce="N0nce"')


@pytest.mark.parametrize(
    "path",
    ["docs", "openapi.json", "gradio_api/upload", "gradio_api/file=/etc/passwd", "gradio_api/proxy=https://example.com",
     "monitoring", "gradio_api/runs", "page/../chat.py"],
)  # fmt: skip
def test_routes_that_the_page_does_not_use_are_closed(server: str, path: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{server}/{path}")
    assert caught.value.code == 404
    caught.value.close()


def test_health_is_told(server: str) -> None:
    with urllib.request.urlopen(f"{server}/healthz") as reply:
        assert json.load(reply) == {"status": "ok"}


def test_the_api_answers_and_explains_what_it_cannot_answer(server: str) -> None:
    from gradio_client import Client
    from gradio_client.exceptions import AppError

    client = Client(server, verbose=False)
    answer = client.predict("who plays Werner?", api_name="/answer")
    assert answer["answer"] == "Louis Hofmann"
    assert "Werner Pfennig (Louis Hofmann)" in answer["evidence"]["sentence"]
    refused = client.predict(question=UNANSWERABLE, api_name="/answer")
    assert refused["answer"] is None and refused["passages"]
    with pytest.raises(AppError, match="question is empty"):
        client.predict(" ", api_name="/answer")
    assert list(client.view_api(return_format="dict")["named_endpoints"]) == ["/answer"]


def test_a_taken_port_is_a_clear_error(built_index: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        result = subprocess.run(
            [sys.executable, "-m", "ui.cli", "serve", "--port", str(port)],
            env={**os.environ, "QA_INDEX": str(built_index)},
            capture_output=True,
            text=True,
            timeout=START_SECONDS,
        )
    assert result.returncode == 2
    assert result.stderr.startswith("error: ") and len(result.stderr.splitlines()) == 1
    assert str(port) in result.stderr and "--port" in result.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_quietly_with_a_page_open(browser: Browser, number: signal.Signals) -> None:
    with serving(fake("return None")) as (address, process):
        page = browser.new_page()
        page.goto(address)
        expect(question_box(page)).to_be_visible()
        begun = time.monotonic()
        process.send_signal(number)
        output, _ = process.communicate(timeout=20)
        page.close()
    assert process.returncode == 0
    assert output == ""
    assert time.monotonic() - begun < 10
