"""Fluent answers on the page, in a real browser, written by a stub of a model server over a real socket."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import ANSWER_MS, UNANSWERABLE, Open, ask, question_box, serving
from llm_stub import Stub, stub_server
from playwright.sync_api import expect

GOOD = (
    "Louis Hofmann plays Werner Pfennig [1]. Werner Pfennig was born in Zollverein in 1928 [1]. "
    "Mark Ruffalo is in the cast [6]."
)
HOSTILE = (
    "Louis Hofmann plays Werner Pfennig [1].\n<img src=x onerror=alert(1)> ![x](http://example.com/x.png) "
    "[y](javascript:alert(2)) <script>alert(3)</script> **Louis Hofmann** [1]."
)
SLOW = GOOD.replace(". ", ". And " + " ".join(f"so on {n}" for n in range(150)) + ". ", 1)


@pytest.fixture(scope="module", autouse=True)
def patience() -> Iterator[None]:
    expect.set_options(timeout=ANSWER_MS)
    yield
    expect.set_options(timeout=5_000)  # Playwright's own


@pytest.fixture(scope="module")
def stub() -> Iterator[Stub]:
    scripts = {"good": GOOD, "hostile": HOSTILE, "slow": SLOW, "silly": "ha " * 40}
    with stub_server(scripts, pause=0.04) as running:
        running.by_question = {
            "who plays Marie": "slow",
            "who plays Werner Pfennig": "hostile",
            "who wrote the novel": "silly",
            "who is the director": "silent",
        }
        yield running


@pytest.fixture(scope="module")
def address(built_index: Path, stub: Stub) -> Iterator[str]:
    arguments = ["-m", "ui.cli", "serve", "--port", "0", "--llm-url", stub.url, "--llm-model", "good"]
    with serving(arguments, QA_INDEX=str(built_index)) as (address, _):
        yield address


def test_the_quote_comes_at_once_and_the_text_streams_under_it(address: str, stub: Stub, open_page: Open) -> None:
    page = open_page(address)
    stub.pause = 0.25  # several seconds in all
    ask(page, "who plays Werner?")
    answer = page.locator(".qa-answer")
    expect(answer.locator(".qa-said .qa-text")).to_have_text("Louis Hofmann")
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible()  # it is being written
    assert answer.locator(".qa-line").count() < 3
    stub.pause = 0.04
    expect(page.get_by_role("button", name="Stop", exact=True)).to_have_count(0)
    expect(answer.locator(".qa-fluent-by")).to_contain_text("Written by good, a language model")
    lines = answer.locator(".qa-line")
    expect(lines).to_have_count(3)
    expect(lines.nth(0)).not_to_have_class(re.compile("doubted"))
    expect(lines.nth(1)).to_have_class(re.compile("doubted"))
    expect(lines.nth(1).locator(".qa-doubt")).to_contain_text("unsupported: the passage it cites does not say")
    expect(lines.nth(2)).not_to_have_class(re.compile("doubted"))
    # a passage that is no quote has a number of its own, and its citation leads there
    cite = lines.nth(2).locator(".qa-cite")
    number = cite.get_attribute("href")
    assert number is not None
    cite.click()
    expect(page.locator(number)).to_contain_text("Mark Ruffalo")
    expect(page.locator(number)).to_be_focused()
    expect(lines.nth(0).locator(".qa-cite")).to_have_attribute("href", "#source-1")
    assert "Ruffalo" in stub.prompt
    page.reload()  # it is kept with the conversation, with the passages it cites
    expect(page.locator(".qa-line")).to_have_count(3)
    page.locator(".qa-line").nth(2).locator(".qa-cite").click()
    expect(page.locator(number)).to_contain_text("Mark Ruffalo")


def test_where_the_documents_do_not_say_no_model_is_asked(address: str, stub: Stub, open_page: Open) -> None:
    page = open_page(address)
    before = len(stub.requests)
    ask(page, UNANSWERABLE)
    ask(page, "hello")
    page.wait_for_timeout(500)
    assert len(stub.requests) == before
    expect(page.locator(".qa-fluent, .qa-fluent-note")).to_have_count(0)
    assert page.locator(".qa-answer, .qa-refusal, .qa-problem").count() == 2  # and what was said stays


def test_what_a_model_writes_is_only_text(address: str, open_page: Open) -> None:
    page = open_page(address)
    ask(page, "who plays Werner Pfennig?")
    expect(page.get_by_role("button", name="Stop", exact=True)).to_have_count(0)
    fluent = page.locator(".qa-fluent")
    expect(fluent).to_contain_text("<img src=x onerror=alert(1)>")
    expect(fluent).to_contain_text("![x](http://example.com/x.png)")
    expect(fluent.locator("img, script, strong")).to_have_count(0)
    links = fluent.locator("a").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    assert links and all(link.startswith("#source-") for link in links)


def test_stop_and_a_newer_question_end_the_stream(address: str, stub: Stub, open_page: Open) -> None:
    page = open_page(address)
    stop = page.get_by_role("button", name="Stop", exact=True)
    stub.hung_up.clear()
    ask(page, "who plays Marie Laure?")
    expect(page.locator(".qa-line")).to_have_count(1)
    stop.click()
    expect(page.locator(".qa-fluent")).to_contain_text("Stopped.")
    assert stub.hung_up.wait(30)
    expect(page.locator(".qa-line")).to_have_count(1)  # the whole sentence stays
    stub.hung_up.clear()
    ask(page, "who plays Marie Laure LeBlanc?")
    expect(stop).to_have_count(1)
    ask(page, "who plays Werner?")
    assert stub.hung_up.wait(30)
    expect(page.locator(".qa-question")).to_have_count(3)
    expect(page.locator(".qa-line").last).to_contain_text("Mark Ruffalo")  # the newer one's
    expect(stop).to_have_count(0)
    ask(page, "who plays Marie Laure?")
    expect(stop).to_have_count(1)
    page.get_by_role("button", name="New", exact=True).click()
    expect(page.locator(".qa-question")).to_have_count(0)
    page.wait_for_timeout(700)
    expect(page.locator(".qa-question")).to_have_count(0)  # nothing of it comes back
    expect(question_box(page)).to_be_visible()


def test_a_model_that_says_nothing_is_stopped_too(address: str, stub: Stub, open_page: Open) -> None:
    page = open_page(address)
    stub.hung_up.clear()
    ask(page, "who is the director?")
    expect(page.locator(".qa-fluent-begun")).to_have_text("good is writing …")
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.locator(".qa-fluent-note")).to_have_text("good was stopped.")
    assert stub.hung_up.wait(30)
    expect(page.locator(".qa-said .qa-text")).to_have_text("Shawn Levy")


def test_the_quote_stands_where_the_model_fails(address: str, stub: Stub, open_page: Open) -> None:
    page = open_page(address)
    note = page.locator(".qa-fluent-note")
    ask(page, "who wrote the novel?")
    expect(note).to_have_text("good went round in circles. The quote stands by itself.")
    stub.close()
    ask(page, "who plays Werner?")
    expect(note.last).to_have_text("good cannot be reached. The quote stands by itself.")
    expect(page.locator(".qa-said .qa-text").last).to_have_text("Louis Hofmann")
    expect(page.locator(".qa-fluent")).to_have_count(0)
    assert stub.url not in page.content()  # where the model is, is nobody's business
