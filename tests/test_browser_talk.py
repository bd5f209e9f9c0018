"""A conversation over time, in a real browser: kept, opened again, saved, judged, corrected; by keyboard alone."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from browsing import ANSWER_MS, UNANSWERABLE, Open, ask, question_box, serving
from playwright.sync_api import Page, expect

from qa.evaluation import read_gold
from ui.feedback import FILE_NAME, gold_rows


def press_until_focused(page: Page, key: str, name: str) -> None:
    for _ in range(60):
        page.keyboard.press(key)
        told = "(e => e.getAttribute('aria-label') || e.innerText || e.title || e.value)(document.activeElement)"
        if (page.evaluate(told) or "").strip().startswith(name):
            return
    pytest.fail(f"{name!r} is not reached with {key}")


def test_a_reload_brings_the_conversation_back_and_it_goes_on(server: str, open_page: Open) -> None:
    page = open_page(server)
    ask(page, UNANSWERABLE)
    ask(page, "who plays Werner?")
    page.reload()
    expect(page.locator(".qa-question")).to_have_text([UNANSWERABLE, "who plays Werner?"], timeout=ANSWER_MS)
    expect(page.locator(".qa-refusal")).to_have_count(1)
    page.locator(".qa-answer .qa-text").click()
    expect(page.locator("#sources .qa-best mark")).to_have_text("Louis Hofmann")
    page.get_by_role("button", name="New", exact=True).click()
    expect(page.locator(".qa-question")).to_have_count(0)
    page.reload()
    expect(question_box(page)).to_be_visible()
    page.wait_for_timeout(700)
    expect(page.locator(".qa-question")).to_have_count(0)  # it was put away
    page.get_by_role("button", name="Earlier").click()
    page.get_by_role("dialog").get_by_role("button", name=f"{UNANSWERABLE} 2 questions").click()
    expect(page.locator(".qa-question")).to_have_count(2)
    ask(page, "and Marie Laure?")  # what was said before is known
    expect(page.locator(".qa-read-as").last).to_contain_text("Marie Laure")
    page.get_by_role("button", name="Earlier").click()
    page.get_by_role("button", name=f"Forget “{UNANSWERABLE}”").click()
    expect(page.get_by_role("dialog")).to_contain_text("None yet")
    assert page.evaluate("localStorage.length") == 0


def test_a_conversation_is_saved_as_markdown_that_is_only_text(
    fake_server: Callable[..., str], open_page: Open, tmp_path: Path
) -> None:
    hostile = "<img src=x onerror=alert(1)> ![x](http://example.com/x.png) [y](javascript:alert(2)) # z"
    page = open_page(fake_server(f"return found(question, {hostile + ' and Ann won.'!r}, 'Ann')"))
    page.get_by_role("button", name="Export").click()
    expect(page.get_by_role("status").filter(has_text="no conversation")).to_be_visible()
    ask(page, "who <b>won</b>?")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Export").click()
    waiting.value.save_as(tmp_path / "talk.md")
    text = (tmp_path / "talk.md").read_text(encoding="utf-8")
    assert waiting.value.suggested_filename == "conversation.md"
    assert text.startswith("# Conversation\n\n## who \\<b\\>won\\</b\\>?\n")
    assert "**Ann** (90 % sure)" in text and "characters" in text
    from markdown_it import MarkdownIt

    tokens = [inner for token in MarkdownIt().parse(text) for inner in [token, *(token.children or [])]]
    assert not {"image", "link_open", "html_inline", "html_block"} & {token.type for token in tokens}


def test_what_was_kept_cannot_run(server: str, open_page: Open) -> None:
    page = open_page(server)
    ask(page, "who plays Werner?")
    page.evaluate(
        """() => { for (const key of Object.keys(localStorage)) {
            const evil = '<img src=x onerror=alert(1)><script>alert(2)</scr' + 'ipt>';
            const talk = JSON.parse(localStorage[key]);
            talk.exchanges.push({...talk.exchanges[0], id: evil}, 7, {...talk.exchanges[0], id: 'b', question: evil});
            localStorage[key] = JSON.stringify(talk); } }"""
    )
    page.reload()
    expect(page.locator(".qa-question")).to_have_count(2, timeout=ANSWER_MS)  # what makes no sense is left out
    expect(page.locator(".qa-question").last).to_contain_text("<img src=x onerror=alert(1)>")
    page.get_by_role("button", name="Earlier").click()
    expect(page.locator(".qa-talk")).to_have_count(1)


def test_thumbs_are_noted_and_make_a_gold_file(built_index: Path, open_page: Open, tmp_path: Path) -> None:
    index = tmp_path / "index"
    shutil.copytree(built_index, index)
    with serving(["-m", "ui.cli", "serve", "--port", "0"], QA_INDEX=str(index)) as (address, _):
        page = open_page(address)
        ask(page, "who plays Werner?")
        page.get_by_role("button", name="This is right").click()
        expect(page.get_by_role("button", name="This is right: you said so")).to_be_visible()
        ask(page, "When does it come out?")
        page.get_by_role("button", name="This is wrong").last.click()
        page.get_by_label("What would have been right?").fill("in November")
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="This is wrong: you said so")).to_be_visible()
        ask(page, UNANSWERABLE)
        page.get_by_role("button", name="This is right").last.click()
        expect(page.get_by_role("button", name="This is right: you said so")).to_have_count(2)
        page.reload()
        expect(page.get_by_role("button", name="This is right: you said so")).to_have_count(2, timeout=ANSWER_MS)
        page.context.close()
    rows = list(gold_rows(index / FILE_NAME))
    assert [(row["question"], row["answers"]) for row in rows] == [
        ("who plays Werner?", ["Louis Hofmann"]), ("When does it come out?", ["in November"]), (UNANSWERABLE, []),
    ]  # fmt: skip
    gold = tmp_path / "gold.jsonl"
    gold.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert len(read_gold(gold)) == 3


def test_a_misread_question_is_put_right_and_asked_again(fake_server: Callable[..., str], open_page: Open) -> None:
    reading = "'what else was Ann in?' if question == 'what else was she in?' else None"
    page = open_page(fake_server(f"return found(question, 'Ann was in Rome. Bea was in Oslo.', 'Rome', {reading})"))
    ask(page, "what else was she in?")
    expect(page.locator(".qa-reading")).to_have_text("what else was Ann in?")
    page.get_by_role("button", name="Edit").click()
    expect(question_box(page)).to_be_focused()
    expect(question_box(page)).to_have_value("what else was Ann in?")
    ask(page, question_box(page).input_value().replace("Ann", "Bea"))
    expect(page.locator(".qa-question").last).to_have_text("what else was Bea in?")
    expect(page.locator(".qa-answer").last.locator(".qa-read-as")).to_have_count(0)


CONFLICT = (
    "return found(question, 'It opened in 1902.', '1902', name='one.txt', title='One', alternatives=["
    "Candidate('1911', 0.8, stands('two.txt', 'Two', 'It opened in 1911.', '1911')),"
    "Candidate('It', 0.1, stands('one.txt', 'One', 'It opened in 1902.', 'It'))])"
)


def test_a_conflict_is_shown_and_each_number_leads_to_its_source(
    fake_server: Callable[..., str], open_page: Open
) -> None:
    page = open_page(fake_server(CONFLICT))
    ask(page, "when?")
    expect(page.locator(".qa-disagree")).to_have_text("The documents disagree.")
    expect(page.locator(".qa-side .qa-text")).to_have_text(["1902", "1911"])
    boxes = [side.bounding_box() for side in page.locator(".qa-side").all()]
    assert all(boxes) and boxes[0]["y"] == boxes[1]["y"]  # type: ignore[index]
    ask(page, "when again?")
    page.locator(".qa-cite").nth(1).click()  # of the first exchange, whose sources come back first
    expect(page.locator("#sources .qa-asked")).to_have_text("when?")
    expect(page.locator("#source-2")).to_be_focused()
    expect(page.locator("#source-2 mark")).to_have_text("1911")
    others = page.locator(".qa-others").last
    expect(others.locator("li")).to_be_hidden()
    others.locator("summary").click()
    page.wait_for_timeout(500)
    expect(others.locator("li")).to_be_visible()  # and stays so, though the click also brings its sources
    expect(page.locator("#sources .qa-asked")).to_have_text("when again?")


def test_the_number_behind_the_words_comes_to_the_pointer(server: str, open_page: Open) -> None:
    page = open_page(server)
    ask(page, "who plays Werner?")
    page.mouse.move(0, 0)
    question_box(page).focus()
    number = page.locator("#conversation .qa-number").first
    expect(number).to_have_css("opacity", "0")
    page.locator(".qa-answer .qa-text").hover()
    expect(number).to_have_css("opacity", "1")
    assert number.locator("xpath=..").get_attribute("title") == number.inner_text().replace(" · ", "") + " sure"


def test_everything_is_reached_with_the_keyboard(server: str, open_page: Open) -> None:
    page = open_page(server)
    question_box(page).fill("who plays Werner?")
    page.keyboard.press("Enter")
    expect(page.locator(".qa-answer")).to_have_count(1, timeout=ANSWER_MS)
    page.locator("#title").click()
    page.keyboard.press("/")
    expect(question_box(page)).to_be_focused()
    expect(question_box(page)).to_have_value("")
    for name in ("Add documents", "What is it about?", "This is right", "Show sources", "New", "Export", "Earlier"):
        press_until_focused(page, "Shift+Tab", name)
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none", name
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Earlier conversations")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_what_screen_readers_are_told(server: str, open_page: Open) -> None:
    page = open_page(server)
    ask(page, "who plays Werner?")
    expect(page.get_by_role("log")).to_have_count(1)
    for control in page.locator("button:visible, input:visible, textarea:visible, a:visible, summary:visible").all():
        name = control.evaluate(
            "e => e.getAttribute('aria-label') || e.innerText || e.title || e.value || e.labels?.[0]?.innerText || ''"
        )
        assert name.strip(), control.evaluate("e => e.outerHTML")
    expect(page.get_by_role("link", name="source 1")).to_have_count(1)
