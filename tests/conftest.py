"""Shared parts: a small deterministic encoder and reader that mean something, toy documents, and the real index."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from index.store import SqliteStore
from index.types import Document
from qa import Config, build
from qa.types import SpanLogits, Tokens

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

WORD = re.compile(r"\w+")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests with a browser come last: Playwright keeps a loop running in this thread, and others need their own."""
    items.sort(key=lambda item: bool({"browser", "open_page"} & set(getattr(item, "fixturenames", ()))))


class WordEncoder:
    """Texts that share words are near: a sum of one fixed random direction per word."""

    name = "words"
    dimension = 64

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        for row, text in enumerate(texts):
            for word in set(WORD.findall(text.lower())):
                seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:4], "little")
                vectors[row] += np.random.default_rng(seed).standard_normal(self.dimension)
            vectors[row] /= np.linalg.norm(vectors[row]) or 1.0
        return vectors


class WordReader:
    """Answers "X?" with the word after the last word of the question, where that stands in the window."""

    name = "words"
    max_tokens = 40
    special_tokens = 3

    def rank(self, word: str) -> int | None:
        return None

    def tokenize(self, text: str) -> Tokens:
        found = list(WORD.finditer(text))
        ids = [int.from_bytes(hashlib.sha256(m.group().lower().encode()).digest()[:6], "little") for m in found]
        return Tokens(np.array(ids, np.int64), np.array([m.span() for m in found], np.int64).reshape(-1, 2))

    def read(self, pairs: Sequence[tuple[Tokens, Tokens]]) -> list[SpanLogits]:
        found = []
        for question, window in pairs:
            logits = np.full(len(window), -5.0, np.float32)
            places = np.flatnonzero(window.ids[:-1] == question.ids[-1]) if len(window) and len(question) else []
            logits[[place + 1 for place in places]] = 5.0
            found.append(SpanLogits(logits, logits.copy(), 0.0))
        return found


@pytest.fixture
def encoder() -> WordEncoder:
    return WordEncoder()


@pytest.fixture
def reader() -> WordReader:
    return WordReader()


@pytest.fixture
def documents() -> list[Document]:
    return [
        Document(
            "harbour.txt", "The harbour", "The harbour opened in 1902. Its lighthouse is green. Boats leave at noon."
        ),
        Document("bakery.txt", "The bakery", "The bakery is run by Ada. It sells rye bread. The oven is wood-fired."),
        Document(
            "school.txt", "The school", "The school has nine teachers. Lessons begin at eight. The bell is bronze."
        ),
    ]


@pytest.fixture
def store(tmp_path: Path, encoder: WordEncoder) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path / "index", encoder_name=encoder.name, dimension=encoder.dimension, create=True)
    yield store
    store.close()


@pytest.fixture(scope="session")
def built_index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The index of seeds/, built once with the real sentence-transformers encoder."""
    folder = tmp_path_factory.mktemp("real") / "index"
    report = build(Config(index=folder))
    assert report.written
    return folder


# -- the page: one server of the real index and one browser for all tests --------------------------------------------


@pytest.fixture(scope="session")
def server(built_index: Path) -> Iterator[str]:
    from browsing import serving

    with serving(["-m", "ui.cli", "serve", "--port", "0"], QA_INDEX=str(built_index)) as (address, _):
        yield address


@pytest.fixture
def fake_server() -> Iterator[Callable[..., str]]:
    """Starts servers whose answerer's `ask` has the body given. To be asked for before `open_page`, to outlive it."""
    from browsing import fake, serving

    with ExitStack() as running:
        yield lambda ask, options="": running.enter_context(serving(fake(ask, options)))[0]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    from browsing import FLAGS, chromium
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens addresses, each in a browser context of its own; at the end none may have done anything unwanted."""
    from browsing import Watched, question_box
    from playwright.sync_api import expect

    watched: list[Watched] = []
    contexts: list[BrowserContext] = []

    def opened(
        address: str,
        *,
        width: int = 1280,
        height: int = 800,
        scheme: Literal["dark", "light"] = "light",
        beside: Page | None = None,
    ) -> Page:
        if beside is None:
            contexts.append(browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme))
        page = (contexts[-1] if beside is None else beside.context).new_page()
        watched.append(Watched(re.match(r"https?://[^/]+/?", address + "/")[0]))  # type: ignore[index]
        watched[-1].watch(page)
        page.goto(address)
        expect(question_box(page)).to_be_visible(timeout=30_000)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert [problem for one in watched for problem in one.problems] == []
