"""What the tests of the page share: real server processes, a real browser, and a watch on what a page does."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import ConsoleMessage, Dialog, Locator, Page, Request, expect

FLAGS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
START_SECONDS = 120
ANSWER_MS = 30_000
UNANSWERABLE = "What is the capital of Australia?"
Open = Callable[..., Page]

# A server whose answers are under the test's control; `{ask}` is the body of its answerer's `ask`.
FAKE_SERVER = """
import sys, time
from index.errors import StoreError
from index.types import Document, Hit, Passage, Section
from qa.types import Answer, Candidate, Evidence
from ui.options import Options
from ui.server import serve

class Store:
    def counts(self):
        return 1, 1

class Fake:
    store = Store()
    def ask(self, question, history=()):
        {ask}

def stands(name, title, text, answer, sections=()):
    document = Document(name, title, text, 0, sections)
    start = text.index(answer)
    return Evidence(document, start, start + len(answer), text, 0, len(text))

def found(question, text, answer, read_as=None, alternatives=(), name="<i>name</i>.txt", title="*title*", sections=()):
    evidence = stands(name, title, text, answer, sections)
    hits = (Hit(Passage(0, len(text), text), evidence.document, 1, 1, 1, 1),)
    return Answer(question, read_as or question, answer, 0.9, evidence, hits, tuple(alternatives))

options = Options(port=0, {options})
serve(Fake(), options, on_ready=lambda address: print(address, flush=True))
"""


def fake(ask: str, options: str = "") -> list[str]:
    """The arguments of a Python that serves FAKE_SERVER."""
    return ["-c", FAKE_SERVER.replace("{ask}", ask).replace("{options}", options)]


def chromium() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        path = shutil.which(name)
        if path is not None:
            return path
    pytest.fail("these tests drive a real browser and found none; install one, such as: apt-get install chromium")


@contextmanager
def serving(arguments: list[str], **environment: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A server process and the address that it printed."""
    process = subprocess.Popen(
        [sys.executable, *arguments],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        said: list[str] = []
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line)
            address = re.search(r"http://\S+", line)
            if address is not None:
                yield address[0], process
                return
        pytest.fail(f"the server ended without an address: {''.join(said)}")
    finally:
        process.kill()
        process.wait()


@dataclass
class Watched:
    """What a page did that it must not do."""

    host: str
    problems: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        page.on("request", self.request)
        page.on("console", self.console)
        page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        page.on("dialog", self.dialog)

    def request(self, request: Request) -> None:
        if not request.url.startswith((self.host, "data:", f"blob:{self.host}")):
            self.problems.append(f"asked {request.url}")

    def dialog(self, dialog: Dialog) -> None:
        self.problems.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def console(self, message: ConsoleMessage) -> None:
        # that a request was turned away is told there, too; the page has to say so in its own words
        turned_away = "the server responded with a status of 4" in message.text
        # and that a stream of events ends with its page or its server, which is no wonder
        turned_away = turned_away or "ERR_INCOMPLETE_CHUNKED_ENCODING" in message.text
        if message.type in ("error", "warning") and not turned_away:
            self.problems.append(f"{message.type}: {message.text}")


def question_box(page: Page) -> Locator:
    return page.get_by_label("Your question")


def ask(page: Page, question: str) -> None:
    """Type a question, send it with Enter and wait until it is dealt with."""
    replies = page.locator(".qa-answer, .qa-refusal, .qa-problem")
    before = replies.count()
    question_box(page).fill(question)
    question_box(page).press("Enter")
    expect(replies).to_have_count(before + 1, timeout=ANSWER_MS)


def runs_over(page: Page) -> bool:
    return bool(page.evaluate("document.scrollingElement.scrollWidth > window.innerWidth"))
