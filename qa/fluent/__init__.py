"""Fluent answers, written by a language model of one's own from the passages retrieved, and checked against them.

>>> from qa import answer
>>> from qa.fluent import Writer
>>> writer = Writer("http://127.0.0.1:11434/v1", "llama3.2")
>>> for fluent in writer.write(answer("who plays Werner?")):
...     print(fluent.state, [(s.text, s.cites, s.supported) for s in fluent.sentences])
"""

from __future__ import annotations

from qa.fluent.client import KEY_VARIABLE
from qa.fluent.errors import FluentError, NonsenseError, ServerError, SetUpError
from qa.fluent.limits import Limits
from qa.fluent.types import Fluent, Sentence, Source
from qa.fluent.writer import Writer

__all__ = [
    "KEY_VARIABLE",
    "Fluent",
    "FluentError",
    "Limits",
    "NonsenseError",
    "Sentence",
    "ServerError",
    "SetUpError",
    "Source",
    "Writer",
]
