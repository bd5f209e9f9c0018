"""Fluent answers on the page, in a real browser, written by a stub of a model server over a real socket."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
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
    "Louis Hofmann plays Werner Pfennig [1]. <img src=x onerror=alert(1)> ![x](http://example.com/x.png) "
    "[y](javascript:alert(2)) <script>alert(3)</script> **Louis Hofmann** [1]."
)


@pytest.fixture(scope="module")
def stub() -> Iterator[Stub]:
    slow = GOOD.replace(". ", ". " + "and so on " * 40, 1)
    with stub_server({"good": GOOD, "hostile": HOSTILE, "slow": slow, "silly": "ha " * 40}, pause=0.05) as running:
        yield running


@pytest.fixture(scope="module")
def page_of(built_index: Path, stub: Stub) -> Iterator[dict[str, str]]:
    """Servers by the model that they use, started when they are first asked for."""
    with ExitStack() as running:

        class Servers(dict[str, str]):
            def __missing__(self, model: str) -> str:
                url = stub.url if model != "down" else "http://127.0.0.1:9/v1"
                arguments = ["-m", "ui.cli", "serve", "--port", "0", "--llm-url", url, "--llm-model", model]
                self[model] = running.enter_context(serving(arguments, QA_INDEX=str(built_index)))[0]
                return self[model]

        yield Servers()


def test_the_quote_comes_at_once_and_the_text_streams_under_it(
    page_of: dict[str, str], stub: Stub, open_page: Open
) -> None:
    page = open_page(page_of["good"])
    ask(page, "who plays Werner?")
    answer = page.locator(".qa-answer")
    expect(answer.locator(".qa-said .qa-text")).to_have_text("Louis Hofmann")
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible()  # it is being written
    assert answer.locator(".qa-line").count() < 3
    expect(page.get_by_role("button", name="Stop", exact=True)).to_have_count(0, timeout=ANSWER_MS)
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
    expect(page.locator(".qa-line")).to_have_count(3, timeout=ANSWER_MS)
    page.locator(".qa-line").nth(2).locator(".qa-cite").click()
    expect(page.locator(number)).to_contain_text("Mark Ruffalo")


def test_where_the_documents_do_not_say_no_model_is_asked(page_of: dict[str, str], stub: Stub, open_page: Open) -> None:
    page = open_page(page_of["good"])
    before = len(stub.requests)
    ask(page, UNANSWERABLE)
    ask(page, "hello")
    page.wait_for_timeout(500)
    assert len(stub.requests) == before
    expect(page.locator(".qa-fluent, .qa-fluent-note")).to_have_count(0)


@pytest.mark.parametrize(("model", "why"), [("down", "cannot be reached"), ("silly", "went round in circles")])
def test_the_quote_stands_where_the_model_fails(page_of: dict[str, str], open_page: Open, model: str, why: str) -> None:
    page = open_page(page_of[model])
    ask(page, "who plays Werner?")
    expect(page.locator(".qa-fluent-note")).to_have_text(
        f"{model} {why}. The quote stands by itself.", timeout=ANSWER_MS
    )
    expect(page.locator(".qa-said .qa-text")).to_have_text("Louis Hofmann")
    expect(page.locator(".qa-fluent")).to_have_count(0)
    assert "127.0.0.1:9" not in page.content()  # where the model is, is nobody's business


def test_what_a_model_writes_is_only_text(page_of: dict[str, str], open_page: Open) -> None:
    page = open_page(page_of["hostile"])
    ask(page, "who plays Werner?")
    expect(page.get_by_role("button", name="Stop", exact=True)).to_have_count(0, timeout=ANSWER_MS)
    fluent = page.locator(".qa-fluent")
    expect(fluent).to_contain_text("<img src=x onerror=alert(1)>")
    expect(fluent).to_contain_text("![x](http://example.com/x.png)")
    expect(fluent.locator("img, script, strong")).to_have_count(0)
    assert all(
        href.startswith("#source-")
        for href in fluent.locator("a").evaluate_all("l => l.map(a => a.href.replace(/^[^#]*/, ''))")
    )


def test_stop_and_a_newer_question_end_the_stream(page_of: dict[str, str], stub: Stub, open_page: Open) -> None:
    page = open_page(page_of["slow"])
    stub.hung_up.clear()
    ask(page, "who plays Werner?")
    expect(page.locator(".qa-line")).to_have_count(1, timeout=ANSWER_MS)
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.locator(".qa-fluent")).to_contain_text("Stopped.")
    assert stub.hung_up.wait(10)
    expect(page.locator(".qa-line")).to_have_count(1)  # the whole sentence stays
    stub.hung_up.clear()
    ask(page, "who plays Marie Laure?")
    expect(page.get_by_role("button", name="Stop", exact=True)).to_have_count(1)
    ask(page, "who directed it?")
    assert stub.hung_up.wait(10)
    expect(page.locator(".qa-question")).to_have_count(3)
    expect(page.get_by_role("button", name="Stop", exact=True)).to_have_count(1)
    page.get_by_role("button", name="New", exact=True).click()
    expect(page.locator(".qa-question")).to_have_count(0)
    page.wait_for_timeout(700)
    expect(page.locator(".qa-question")).to_have_count(0)  # nothing of it comes back
    expect(question_box(page)).to_be_visible()
