"""Subtitles (SubRip and WebVTT): the words as running text; every cue is a section named by its time."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

from index.formats.characters import decode, one_line, without_controls
from index.formats.extract import Extract, TextBuilder
from index.formats.text import read_text

__all__ = ["TIMING", "read_subtitles"]

TIMING = re.compile(
    r"^[ \t]*(?:(\d{1,3}):)?(\d{1,2}):(\d{2})[.,]\d{1,3}[ \t]*-->[ \t]*(?:(\d{1,3}):)?(\d{1,2}):(\d{2})[.,]\d{1,3}"
)
_VOICE = re.compile(r"<v(?:\.[^ <>]*)?\s+([^<>]+)>")
_TAG = re.compile(r"</?[A-Za-z][^<>]*>|</?\d[\d:.]*>|\{\\[^{}]*\}")
_ROLLING = re.compile(r"<\d+:\d\d[:.\d]*>")
_NEW_SPEAKER = re.compile(r"^(?:[-–—]\s?\w|>>)")
_SENTENCE_END = re.compile(r"[.!?…][\"'”’»)\]]*$")
# Seconds of silence after which a finished sentence is a finished paragraph.
_PAUSE = 3


@dataclass(frozen=True, slots=True)
class _Cue:
    start: int
    end: int
    lines: tuple[str, ...]


def read_subtitles(raw: bytes) -> Extract:
    """A file without a single cue is read as plain text.

    Raises:
        DocumentError: it is not text, or holds too much.
    """
    text = without_controls(decode(raw))
    builder = TextBuilder()
    rolling = _ROLLING.search(text) is not None
    before: _Cue | None = None
    said = ""
    for cue in _cues(text):
        seen = before.lines if before is not None and rolling else ()
        for line in (line for line in cue.lines if line not in seen):
            pause = before is not None and cue.start - before.end >= _PAUSE and _SENTENCE_END.search(said)
            hours, minutes = divmod(cue.start // 60, 60)
            builder.section(f"{hours:02}:{minutes:02}:{cue.start % 60:02}")
            builder.block(line, "\n\n" if pause or _NEW_SPEAKER.match(line) else " ")
            said, before = line, cue
        before = cue
    return builder.extract() if said else read_text(raw)


def _cues(text: str) -> Iterator[_Cue]:
    timing: re.Match[str] | None = None
    lines: list[str] = []
    for line in [*text.split("\n"), ""]:
        match = TIMING.match(line)
        if match is None and line.strip():
            lines.append(line)
            continue
        if timing is not None:
            # without a blank line between, the number of the next cue is the last line of this one
            kept = lines[:-1] if match is not None and lines and lines[-1].strip().isdigit() else lines
            yield _Cue(_seconds(timing, 1), _seconds(timing, 4), tuple(filter(None, map(_spoken, kept))))
        timing, lines = match, []


def _seconds(match: re.Match[str], group: int) -> int:
    return int(match[group] or 0) * 3600 + int(match[group + 1]) * 60 + int(match[group + 2])


def _spoken(line: str) -> str:
    return one_line(html.unescape(_TAG.sub("", _VOICE.sub(r"\1: ", line))))
