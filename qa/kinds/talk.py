"""Fixed replies to what is no question to the documents: greetings, thanks, goodbyes."""

from __future__ import annotations

from qa.types import Answer

__all__ = ["reply"]

_REPLIES = {
    "greeting": 'Hello. Ask a question about the documents; "what can I ask?" shows some they answer.',
    "thanks": "You're welcome.",
    "goodbye": "Goodbye.",
    "help": "Questions that the documents answer:",
}
_NOTHING_TO_ASK = "Ask anything about the documents; every answer is a quote from them."


def reply(question: str, kind: str, suggestions: tuple[str, ...] = ()) -> Answer:
    """The reply to a question of one of the kinds in `qa.kinds.detect.TALK`; it quotes nothing and has no evidence."""
    note = _NOTHING_TO_ASK if kind == "help" and not suggestions else _REPLIES[kind]
    return Answer(question, question, None, 1.0, None, (), (), kind=kind, note=note, suggestions=suggestions)
