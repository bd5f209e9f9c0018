"""What a format's reader hands over: the text of a file with its sections, and how such a text is put together."""

from __future__ import annotations

from dataclasses import dataclass

from index.errors import DocumentError
from index.formats.characters import one_line, without_controls
from index.formats.limits import MAX_CHARACTERS
from index.types import Section

__all__ = ["LABEL_LENGTH", "Extract", "TextBuilder", "shortened"]

LABEL_LENGTH = 80


@dataclass(frozen=True, slots=True)
class Extract:
    """The text of one file. `title`, `author` and `date` are the file's own words for them, None where it has none."""

    text: str
    sections: tuple[Section, ...] = ()
    title: str | None = None
    author: str | None = None
    date: str | None = None


class TextBuilder:
    """Puts a text together block by block, and remembers where its sections start.

    Blocks are separated by a blank line, which always ends a sentence. A section starts with the first character
    added after its announcement; one without text is forgotten.
    """

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._sections: list[Section] = []
        self._label: str | None = None

    def section(self, label: str) -> None:
        """What is added next stands in the section `label`."""
        self._label = shortened(one_line(label)) or None

    def heading(self, text: str, label: str | None = None) -> None:
        """A heading, which opens a section of its name, or of `label`."""
        text = one_line(text)
        if text:
            self.section(text if label is None else label)
            self.add(text)

    def block(self, text: str, separator: str = "\n\n") -> None:
        """A paragraph, or with "\\n" for separator a line of the one before; white space within is evened out."""
        self.add(one_line(text), separator)

    def verbatim(self, text: str) -> None:
        """A block whose lines and spaces mean something, as in program code."""
        self.add(without_controls(text).strip("\n").rstrip())

    def add(self, text: str, separator: str = "\n\n") -> None:
        """Append `text` as it is, after `separator` unless it is the first.

        Raises:
            DocumentError: the text has grown beyond MAX_CHARACTERS.
        """
        if not text.strip():
            return
        if self._parts:
            self._parts.append(separator)
            self._length += len(separator)
        if self._label is not None:
            if not self._sections or self._sections[-1].label != self._label:
                self._sections.append(Section(self._length, self._label))
            self._label = None
        self._parts.append(text)
        self._length += len(text)
        if self._length > MAX_CHARACTERS:
            raise DocumentError(f"holds more than {MAX_CHARACTERS:,} characters of text; split the file")

    def extract(self, *, title: str | None = None, author: str | None = None, date: str | None = None) -> Extract:
        """What was built."""
        return Extract("".join(self._parts), tuple(self._sections), title, author, date)


def shortened(text: str, length: int = LABEL_LENGTH) -> str:
    """`text`, cut between words to about `length` characters, with an ellipsis where something was cut."""
    return text if len(text) <= length else text[:length].rsplit(" ", 1)[0].rstrip(",;:. ") + "…"
