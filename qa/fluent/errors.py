"""Errors of fluent answers.

FluentError
  SetUpError     it cannot work as it was set up: an address that is none, the `llm` extra is missing
  ServerError    the server gave no usable text: not reached, slow, refused, broken off, not understood
  NonsenseError  the text is of no use: empty, a loop, an echo, without citations, ...
"""

from __future__ import annotations

__all__ = ["FluentError", "NonsenseError", "ServerError", "SetUpError"]


class FluentError(Exception):
    """There is no fluent answer; the message says why, to whoever runs this.

    `short` says it to whoever asked, after the name of the model, without addresses and settings.
    """

    def __init__(self, message: str, short: str | None = None) -> None:
        super().__init__(message)
        self.short = message if short is None else short


class SetUpError(FluentError):
    """Fluent answers cannot work as they were set up; the message says what to do."""


class ServerError(FluentError):
    """The server of the model gave no usable reply."""


class NonsenseError(FluentError):
    """The model wrote something of no use."""
