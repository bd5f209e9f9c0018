"""An answer in, a fluent text about it out: written by a model, checked by sentences, dropped where it is no use."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import replace

from qa.fluent.client import Client
from qa.fluent.errors import FluentError
from qa.fluent.limits import Limits
from qa.fluent.nonsense import look_at_end, look_at_stream, scripts_of
from qa.fluent.prompt import messages, sources_of
from qa.fluent.sentences import cited, whole_sentences, without_thoughts
from qa.fluent.support import Checker
from qa.fluent.types import Fluent, Sentence, Source
from qa.pipeline import Answerer
from qa.types import Answer

__all__ = ["Writer"]


class Writer:
    """Lets a model behind an OpenAI-compatible server put answers into words. Safe to use from several threads.

    Args:
        url: where the server's API begins, such as http://127.0.0.1:11434/v1; nothing else is contacted.
        model: the name that the server knows the model by.
        answerer: its encoder and reader check what is written; by default a pair is loaded.
        limits: how long the model is waited for, and how much it may write.
        key: for the server; $QA_LLM_KEY by default.

    Raises:
        SetUpError: `url` is no address, or the package `openai` is not installed.
        ModelError: model files are missing or altered.
    """

    def __init__(
        self,
        url: str,
        model: str,
        answerer: Answerer | None = None,
        limits: Limits | None = None,
        *,
        key: str | None = None,
    ) -> None:
        self.limits = limits if limits is not None else Limits()
        self.client = Client(url, model, self.limits, key=key)
        self.model = self.client.model
        self._checker = _own_checker() if answerer is None else Checker(answerer.encoder, answerer)

    def sources(self, answer: Answer) -> tuple[Source, ...]:
        """The passages that the model would be given; none where nothing is to be written."""
        return sources_of(answer, self.limits.sources)

    async def stream(self, answer: Answer) -> AsyncGenerator[Fluent, None]:
        """What is written about an answer so far, again and again; the last one is "done" or "failed".

        Yields nothing where the documents don't say: the model is not asked then. Close the iterator to stop the model.
        A failure of the server or the model is told in `Fluent.problem` and `detail`, never raised.
        """
        sources = self.sources(answer)
        if not sources:
            return
        begun = Fluent(self.model, sources)
        yield begun
        try:
            async with aclosing(self._written(begun, answer.read_as)) as written:
                async for fluent in written:
                    yield fluent
        except FluentError as error:
            yield replace(begun, state="failed", problem=error.short, detail=str(error))

    def write(self, answer: Answer) -> Iterator[Fluent]:
        """`stream` for code that is not asynchronous. Not to be called where an event loop runs."""
        loop = asyncio.new_event_loop()
        pieces = self.stream(answer)
        try:
            while True:
                try:
                    yield loop.run_until_complete(anext(pieces))
                except StopAsyncIteration:
                    return
        finally:
            loop.run_until_complete(pieces.aclose())
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()

    def check(self) -> str | None:
        """What is wrong with the server just now, in words for people; None when it has the model."""
        try:
            asyncio.run(self.client.check())
        except FluentError as error:
            return str(error)
        return None

    async def _written(self, begun: Fluent, question: str) -> AsyncGenerator[Fluent, None]:
        known = scripts_of([question, *(text for s in begun.sources for text in (s.text, s.document.title))])
        text = ""
        sentences: list[Sentence] = []
        pieces = self.client.stream(messages(question, begun.sources))
        async with aclosing(pieces):
            async for piece in pieces:
                text += piece
                said = without_thoughts(text)
                look_at_stream(said, known, self.limits.characters)
                whole, rest = whole_sentences(said, final=False)
                for raw in whole[len(sentences) :]:
                    sentences.append(await self._checked(raw, begun))
                yield replace(begun, sentences=tuple(sentences), pending=cited(rest)[0])
        said = without_thoughts(text)
        for raw in whole_sentences(said, final=True)[0][len(sentences) :]:
            sentences.append(await self._checked(raw, begun))
        look_at_end(said, sentences)
        yield replace(begun, sentences=tuple(sentences), state="done")

    async def _checked(self, raw: str, begun: Fluent) -> Sentence:
        text, cites = cited(raw)
        return await asyncio.to_thread(self._checker.check, text, cites, begun.sources)


def _own_checker() -> Checker:
    from index.encoder import OnnxEncoder

    return Checker(OnnxEncoder(threads=1), Answerer.without_index())
