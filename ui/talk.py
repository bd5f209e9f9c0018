"""What happens when a person does something on the page: asks, looks back, says what is right, opens an old talk.

Knows the conversation and who answers, nothing of the page's components.
"""

from __future__ import annotations

import functools
import json
import logging
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from index.errors import IndexingError
from index.search import search
from qa.errors import QuestionError
from qa.fluent.types import Fluent
from qa.pipeline import Answerer
from qa.question import clean_question
from qa.types import Answer, Turn
from qa.unanswered import note_unanswered
from ui import asking, logs, render
from ui.conversation import Conversation, Message, new_id
from ui.desk import BusyError, ClosedError, Desk
from ui.exchange import Exchange, exchange_of, from_json
from ui.feedback import Feedback, FeedbackError
from ui.fluent_text import fluent_text
from ui.halting import Halt
from ui.panel import empty_panel, sources_panel
from ui.uploads import Uploads

if TYPE_CHECKING:
    from qa.fluent import Writer

__all__ = ["Shown", "Talk", "explained"]

_MOST_TURNS = 100
_MOST_UNWRITTEN = 200  # answers whose pages have not asked for their texts yet
_PAUSE = 0.12  # seconds between two looks at what is being written
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page shows next. None leaves a part as it is; `box` is the question box, `record` for the browser."""

    said: Conversation
    panel: str | None = None
    box: str | None = None
    record: str | None = None


class Talk:
    """The conversations of all people; each is a value that the page hands in and gets back.

    Args:
        answerer: the shared collection.
        desk: where questions wait for their turn.
        uploads: people's own documents; None where there are none.
        feedback: where verdicts are kept.
        log_questions: whether the log tells what was asked.
        writer: puts answers into words as well; None where no model is set up.
    """

    def __init__(
        self,
        answerer: Answerer,
        desk: Desk,
        uploads: Uploads | None,
        feedback: Feedback,
        *,
        log_questions: bool = False,
        writer: Writer | None = None,
    ) -> None:
        self._answerer = answerer
        self._desk = desk
        self._uploads = uploads
        self._feedback = feedback
        self._log_questions = log_questions
        self._writer = writer
        self._unwritten: OrderedDict[str, Answer] = OrderedDict()
        self._being_written: dict[str, Halt[Shown]] = {}  # by exchange

    async def ask(
        self, question: str, box: str, said: Conversation, scope: str, token: str | None
    ) -> AsyncIterator[Shown]:
        """Show the question at once, then its answer; a question that could not be answered stays in the box.

        Args:
            box: what the question box holds once the question has been sent.
            scope: one of asking.SCOPES.
            token: the browser's session.
        """
        halted = self._halted(said)
        self._halt(said)  # what it sent last does not stay: the answer is shown after it
        said = halted.said
        bubble = render.question_bubble(question)
        asked = said.plus(Message("user", bubble)) if question.strip() else said
        yield Shown(asked.plus(Message("assistant", render.waiting_bubble())), box=box, record=halted.record)
        try:
            found = await self.answer(question, said.turns, scope, token, via="page")
        except Exception as error:
            problem = Message("assistant", render.problem_bubble(explained(error)))
            yield Shown(asked.plus(problem), box=question if not box else None)
            return
        exchange = self._begun(exchange_of(new_id(), found), found)
        panel = sources_panel(exchange, found.passages, found.evidence)
        said = replace(said, id=said.id or new_id()).plus(
            Message("user", bubble, panel), Message("assistant", render.answer_bubble(exchange), panel, exchange)
        )
        # the box was emptied already, and may hold the beginning of the next question by now
        yield Shown(said, panel, record=record(said, exchange))

    @property
    def writes(self) -> bool:
        """Whether a model puts answers into words."""
        return self._writer is not None

    def _begun(self, exchange: Exchange, found: Answer) -> Exchange:
        """The exchange, with the beginning of a text where one is to be written."""
        sources = () if self._writer is None else self._writer.sources(found)
        if self._writer is None or not sources:
            return exchange
        self._unwritten[exchange.id] = found
        while len(self._unwritten) > _MOST_UNWRITTEN:
            self._unwritten.popitem(last=False)
        return replace(exchange, fluent=fluent_text(Fluent(self._writer.model, sources), exchange.places))

    async def write(self, said: Conversation) -> AsyncGenerator[Shown, None]:
        """Let the model write about the newest answer, under it. Closing the iterator stops the model."""
        exchange = said.newest
        found = None if exchange is None else self._unwritten.pop(exchange.id, None)
        if exchange is None or found is None or self._writer is None:
            return
        begin = shown = time.perf_counter()
        state, lines = "stopped", 0
        halt: Halt[Shown] = Halt()
        self._being_written[exchange.id] = halt
        try:
            async with aclosing(self._writer.stream(found)) as stream, aclosing(halt.until(stream)) as pieces:
                async for fluent in pieces:
                    now = time.perf_counter()
                    if fluent.state == "writing" and len(fluent.sentences) == lines and now - shown < _PAUSE:
                        continue
                    shown, lines, state = now, len(fluent.sentences), fluent.state
                    exchange = replace(exchange, fluent=fluent_text(fluent, exchange.places))
                    said = said.with_exchange(exchange, render.answer_bubble(exchange))
                    if fluent.state == "failed":
                        detail = {"detail": fluent.detail} if self._log_questions else {}
                        logs.event("fluent problem", problem=fluent.problem, **detail)
                    yield Shown(said, record=None if fluent.state == "writing" else record(said, exchange))
            if halt.last is not None:  # shown once more: what was sent before may have arrived after it
                yield halt.last
        except Exception as error:  # the answer is there and stays
            _log.error("a text was not checked", exc_info=error)
            if exchange.fluent is not None:
                failed = replace(exchange.fluent, state="failed", lines=(), pending="", problem="could not be checked")
                exchange = replace(exchange, fluent=failed)
                yield Shown(said.with_exchange(exchange, render.answer_bubble(exchange)))
        finally:
            del self._being_written[exchange.id]
            outcome = "stopped" if state == "writing" else state
            logs.event("fluent", outcome=outcome, lines=lines, ms=round(1000 * (time.perf_counter() - begin)))

    def stop(self, said: Conversation) -> Shown:
        """The conversation with the text that is being written left where it is; the model stops."""
        shown = self._halted(said)
        self._halt(said, shown)
        return shown

    def clear(self, said: Conversation) -> Shown:
        """A new conversation; the model stops."""
        shown = Shown(Conversation(), empty_panel(), "")
        self._halt(said, replace(shown, box=None))  # the next question may be in the box when it is shown again
        return shown

    def _halted(self, said: Conversation) -> Shown:
        exchange = said.newest
        if exchange is None or exchange.fluent is None or not exchange.fluent.writing:
            return Shown(said)
        said = said.halted()
        return Shown(said, record=record(said, said.newest or exchange))

    def _halt(self, said: Conversation, last: Shown | None = None) -> None:
        """Stop what is being written in a conversation; `last` is what is shown after it."""
        exchange = said.newest
        if exchange is None:
            return
        self._unwritten.pop(exchange.id, None)
        halt = self._being_written.get(exchange.id)
        if halt is not None:
            halt.call(last)

    async def answer(
        self,
        question: str,
        history: tuple[Turn, ...] = (),
        scope: str = "shared",
        token: str | None = None,
        *,
        via: str,
    ) -> Answer:
        """Answer a question in its turn, and log that (`via`: page, api or mcp).

        Raises:
            QuestionError, IndexingError: as `Answerer.ask`.
            BusyError, ClosedError: as `Desk.run`.
        """
        begin = time.perf_counter()
        scope = scope if scope in asking.SCOPES else "all"
        begun = begin

        def work() -> Answer:
            nonlocal begun
            begun = time.perf_counter()
            if self._uploads is None or token is None:
                return asking.ask(self._answerer, None, scope, question, history)
            return self._uploads.ask(token, lambda own: asking.ask(self._answerer, own, scope, question, history))

        asked = {"question": question} if self._log_questions else {}
        try:
            found = await self._desk.run(work)
        except BaseException as error:
            logs.event("question", via=via, outcome=type(error).__name__, waiting=self._desk.inside, **asked)
            raise
        if self._uploads is None or self._uploads.shelf(token) is None:  # else it may be about what only they have
            note_unanswered(self._answerer, found)
        logs.event(
            "question", via=via, outcome="refused" if found.text is None else "answered",
            confidence=round(found.confidence, 3), waited_ms=round(1000 * (begun - begin)),
            ms=round(1000 * (time.perf_counter() - begin)), **asked,
        )  # fmt: skip
        return found

    async def search(self, question: str, count: int) -> list[dict[str, Any]]:
        """The passages of the collection nearest to a question, as plain values.

        Raises: as `answer`.
        """
        answerer = self._answerer
        question = clean_question(question, longest=answerer.config.question_characters)
        hits = await self._desk.run(
            functools.partial(search, answerer.store, answerer.encoder, question, k=count, pool=max(32, count))
        )
        logs.event("search", via="mcp", found=len(hits))
        return [
            {"document": h.document.name, "title": h.document.title, "place": h.document.place(h.passage.start),
             "start": h.passage.start, "end": h.passage.end, "text": h.passage.text}
            for h in hits
        ]  # fmt: skip

    def command(self, said: Conversation, text: str) -> Shown | None:
        """What the page's own script asks for, as JSON: a verdict, or a conversation to be opened again.

        None when it makes no sense; the page asks for nothing such. What is being written stops there: it would write
        over what is asked for.
        """
        shown = None
        try:
            wanted = json.loads(text)
            if wanted["do"] == "rate":
                shown = self._rate(said.halted(), wanted["exchange"], wanted["verdict"], wanted.get("right"))
            elif wanted["do"] == "open":
                shown = _opened(wanted["id"], wanted["exchanges"])
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            _log.warning("a command from a page makes no sense", exc_info=error)
        if shown is not None:
            self._halt(said, shown)
        return shown

    def _rate(self, said: Conversation, identifier: str, verdict: str, right: object) -> Shown | None:
        exchange = said.exchange(identifier)
        if exchange is None or verdict not in ("up", "down") or not isinstance(right, (str, type(None))):
            return None
        try:
            self._feedback.keep(exchange, verdict, right)
        except FeedbackError as error:
            return Shown(said.plus(Message("assistant", render.problem_bubble(str(error)))))
        logs.event("feedback", verdict=verdict, right=right is not None)
        exchange = replace(exchange, verdict=verdict)
        said = said.with_exchange(exchange, render.answer_bubble(exchange))
        return Shown(said, record=record(said, exchange))


def _opened(identifier: str, kept: list[Any]) -> Shown:
    """A conversation that a browser kept. What of it is not as it was written is left out."""
    exchanges: list[Exchange] = []
    for value in kept[-_MOST_TURNS:]:
        try:
            exchanges.append(from_json(value))
        except ValueError:
            continue
    if not isinstance(identifier, str) or not 1 <= len(identifier) <= 40 or not identifier.isascii():
        raise ValueError("the conversation's id is none")
    said = Conversation(id=identifier)
    panel = empty_panel()
    for exchange in exchanges:
        panel = sources_panel(exchange)
        said = said.plus(
            Message("user", render.question_bubble(exchange.question), panel),
            Message("assistant", render.answer_bubble(exchange), panel, exchange),
        )
    return Shown(said, panel)


def record(said: Conversation, exchange: Exchange) -> str:
    """What the browser is to keep of an exchange, as JSON."""
    return json.dumps({"conversation": said.id, "exchange": exchange.to_json()}, ensure_ascii=True)


def explained(error: Exception) -> str:
    """What a person is told of an error."""
    if isinstance(error, QuestionError):
        message = str(error)
        return message[:1].upper() + message[1:]
    if isinstance(error, (BusyError, ClosedError)):
        return str(error)
    if isinstance(error, IndexingError):
        return f"The index cannot be read: {error}"
    _log.error("a question was not answered", exc_info=error)
    return "Something went wrong and the question was not answered; the server's log says what. Please try again."
