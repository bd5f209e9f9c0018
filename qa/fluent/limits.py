"""Every number there is to tune about fluent answers, in one frozen object."""

from __future__ import annotations

from dataclasses import dataclass, fields

__all__ = ["Limits"]


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a model is waited for, and how much it is given and may write.

    Attributes:
        connect_seconds: to reach the server.
        first_seconds: from there to the first piece of text; a model on a CPU reads a prompt slowly.
        total_seconds: for the whole text.
        sources: passages it is given.
        tokens: most tokens it is asked for.
        characters: a text longer than this is nonsense.
    """

    connect_seconds: float = 5.0
    first_seconds: float = 30.0
    total_seconds: float = 90.0
    sources: int = 6
    tokens: int = 256
    characters: int = 1_500

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, (int, float)) or isinstance(value, bool) or not value > 0:
                raise ValueError(f"{field.name} must be a number above 0, got {value!r}")
