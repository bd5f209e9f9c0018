"""One person's conversation as it is shown: what was said, and the sources that stand beside it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace

from qa.types import Turn
from ui.exchange import Exchange
from ui.panel import sources_panel
from ui.render import answer_bubble

__all__ = ["Conversation", "Message", "new_id"]

_KEPT = 200  # messages, so that a page left open for months does not grow without end
_PANELS_KEPT = 40  # of the newest messages; those of older ones are made again, without the passages found


def new_id() -> str:
    """A name for a conversation or an exchange that no other has."""
    return secrets.token_urlsafe(9)


@dataclass(frozen=True, slots=True)
class Message:
    """One message as HTML, with the sources panel that belongs to it (None: it has none).

    `role` is "user" or "assistant"; `exchange` is what was asked and answered, for the questions that follow.
    """

    role: str
    html: str
    sources: str | None = None
    exchange: Exchange | None = None


@dataclass(frozen=True, slots=True)
class Conversation:
    """Messages in order, at most 200. `id` names it in the browser that keeps it; "" until there is something to."""

    messages: tuple[Message, ...] = ()
    id: str = ""

    def plus(self, *messages: Message) -> Conversation:
        """This conversation and then `messages`; the oldest ones go when it grows too long."""
        together = (*self.messages, *messages)[-_KEPT:]
        old = len(together) - _PANELS_KEPT
        return replace(self, messages=tuple(replace(m, sources=None) if n < old else m for n, m in enumerate(together)))

    def sources_of(self, number: int) -> str | None:
        """The sources panel that message `number` belongs to; None when there is no such message or it has none."""
        if not 0 <= number < len(self.messages):
            return None
        if self.messages[number].sources is not None:
            return self.messages[number].sources
        pair = self.messages[number : number + (2 if self.messages[number].role == "user" else 1)]
        exchange = pair[-1].exchange
        return None if exchange is None else sources_panel(exchange)

    def exchange(self, identifier: str) -> Exchange | None:
        """The exchange of that id."""
        found = (m.exchange for m in self.messages if m.exchange is not None and m.exchange.id == identifier)
        return next(found, None)

    def with_exchange(self, exchange: Exchange, html: str) -> Conversation:
        """This conversation with the exchange of the same id replaced, and its message's HTML."""
        messages = tuple(
            replace(m, exchange=exchange, html=html) if m.exchange is not None and m.exchange.id == exchange.id else m
            for m in self.messages
        )
        return replace(self, messages=messages)

    def halted(self) -> Conversation:
        """This conversation with every text that is still being written stopped where it is."""
        said = self
        for message in self.messages:
            exchange = message.exchange
            if exchange is not None and exchange.fluent is not None and exchange.fluent.writing:
                exchange = replace(exchange, fluent=exchange.fluent.stopped())
                said = said.with_exchange(exchange, answer_bubble(exchange))
        return said

    @property
    def newest(self) -> Exchange | None:
        """The last exchange."""
        return next((m.exchange for m in reversed(self.messages) if m.exchange is not None), None)

    @property
    def turns(self) -> tuple[Turn, ...]:
        """What was asked and answered so far, oldest first."""
        return tuple(Turn(m.exchange.read_as, m.exchange.answer) for m in self.messages if m.exchange is not None)

    def shown(self) -> list[dict[str, str]]:
        """The messages as a gr.Chatbot takes them."""
        return [{"role": message.role, "content": message.html} for message in self.messages]
