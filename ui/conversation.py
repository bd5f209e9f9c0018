"""One person's conversation as it is shown: what was said, and which answer's sources stand beside it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from qa.types import Turn

__all__ = ["Conversation", "Message"]

_KEPT = 200  # messages, so that a page left open for months does not grow without end


@dataclass(frozen=True, slots=True)
class Message:
    """One message as HTML, with the sources panel that belongs to it (None: it has none).

    `role` is "user" or "assistant"; `turn` is what was asked and answered, for the questions that follow.
    """

    role: str
    html: str
    sources: str | None = None
    turn: Turn | None = None


@dataclass(frozen=True, slots=True)
class Conversation:
    """Messages in order, at most 200, and the number of the one whose sources are shown (None: of none)."""

    messages: tuple[Message, ...] = ()
    focus: int | None = None

    def plus(self, *messages: Message) -> Conversation:
        """This conversation and then `messages`; the oldest ones go when it grows too long."""
        together = (*self.messages, *messages)
        gone = max(0, len(together) - _KEPT)
        focus = None if self.focus is None or self.focus < gone else self.focus - gone
        return Conversation(together[gone:], focus)

    def looking_at(self, number: int) -> Conversation:
        """This conversation with the answer to which message `number` belongs in focus.

        A question and its answer have the same sources. Unchanged when there is no such message or it has none.
        """
        if not 0 <= number < len(self.messages) or self.messages[number].sources is None:
            return self
        return replace(self, focus=number + 1 if self.messages[number].role == "user" else number)

    @property
    def turns(self) -> tuple[Turn, ...]:
        """What was asked and answered so far, oldest first."""
        return tuple(message.turn for message in self.messages if message.turn is not None)

    @property
    def sources(self) -> str | None:
        """The sources panel to be shown beside this conversation."""
        return None if self.focus is None else self.messages[self.focus].sources

    def shown(self) -> list[dict[str, str]]:
        """The messages as a gr.Chatbot takes them; the one in focus stands in a div of class `qa-focus`."""
        shown = [{"role": message.role, "content": message.html} for message in self.messages]
        if self.focus is not None:
            shown[self.focus]["content"] = f'<div class="qa-focus">{shown[self.focus]["content"]}</div>'
        return shown
