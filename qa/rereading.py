"""A second, larger reader: it reads again what the first one is unsure about, and both are heard together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from index.passages import sentence_spans
from qa.candidates import Scored
from qa.confidence import Calibration
from qa.types import Reader, SpanLogits, Tokens
from qa.windows import TokenRange, token_range

__all__ = ["Rereading", "Stretch", "ranges_around"]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Part of a window: its tokens and what the first reader made of them."""

    window: int
    tokens: Tokens
    logits: SpanLogits


class Rereading:
    """A reader that reads short stretches around the best spans of another, and the mixture of what both say.

    Both must cut text into the same tokens, since their logits are added token by token; a stretch that they cut
    differently is left out, and where none is left the first reader's spans stand.

    Args:
        reader: the second reader.
        calibration: orders the spans of the mixture and turns their scores into probabilities.
        share: weight of the second reader in the mixture, in [0, 1].
        places: how many of the best different spans are read again.
        tokens: longest stretch around one, in tokens.
    """

    def __init__(self, reader: Reader, calibration: Calibration, *, share: float, places: int, tokens: int) -> None:
        self.reader = reader
        self.calibration = calibration
        self._share = share
        self._places = places
        self._tokens = tokens

    def read(
        self, question: str, windows: Sequence[tuple[str, Tokens, SpanLogits]], best: Sequence[Scored]
    ) -> list[tuple[int, Tokens, SpanLogits]]:
        """Read again around the first few of `best`.

        Args:
            windows: of each window read: the text of its document, its tokens, and the first reader's logits.
            best: different spans that the first reader found in them, best first.

        Returns (number of its window, tokens, mixed logits) of every stretch read.
        """
        stretches = self._stretches(windows, best[: self._places])
        asked = self.reader.tokenize(question)[: self._tokens]
        pairs = []
        for stretch in stretches:
            text = windows[stretch.window][0]
            start, end = int(stretch.tokens.offsets[0, 0]), int(stretch.tokens.offsets[-1, 1])
            pairs.append((asked, self.reader.tokenize(text[start:end])))
        return [
            (stretch.window, stretch.tokens, self._mixed(stretch.logits, logits))
            for stretch, logits in zip(stretches, self.reader.read(pairs), strict=True)
            if len(logits.start) == len(stretch.tokens)
        ]

    def _mixed(self, one: SpanLogits, other: SpanLogits) -> SpanLogits:
        a, b = 1 - self._share, self._share
        return SpanLogits(
            (a * one.start + b * other.start).astype(one.start.dtype),
            (a * one.end + b * other.end).astype(one.end.dtype),
            a * one.null + b * other.null,
        )

    def _stretches(self, windows: Sequence[tuple[str, Tokens, SpanLogits]], best: Sequence[Scored]) -> list[Stretch]:
        stretches: list[Stretch] = []
        for number, (text, tokens, logits) in enumerate(windows):
            if not len(tokens):
                continue
            first, last = int(tokens.offsets[0, 0]), int(tokens.offsets[-1, 1])
            places = [
                token_range(tokens.offsets, span.start, span.end)
                for span in best
                if span.document.text is text and first <= span.start and span.end <= last
            ]
            sentences = [token_range(tokens.offsets, *span) for span in sentence_spans(text, first, last)]
            for part in ranges_around(places, sentences, len(tokens), most=self._tokens):
                inside = slice(part.first, part.last)
                heard = SpanLogits(logits.start[inside], logits.end[inside], logits.null)
                stretches.append(Stretch(number, tokens[inside], heard))
        return stretches


def ranges_around(
    places: Sequence[tuple[int, int]], sentences: Sequence[tuple[int, int]], length: int, *, most: int
) -> list[TokenRange]:
    """Stretches of whole sentences, of at most `most` tokens, that hold the places; best place first.

    A place that an earlier stretch holds gets none of its own. Where its sentence alone is too long, the stretch is
    the tokens around the place.

    Args:
        places: token ranges (first, last exclusive).
        sentences: token ranges of the sentences, in order.
        length: tokens there are.
    """
    ranges: list[TokenRange] = []
    for first, last in places:
        if any(r.first <= first and last <= r.last for r in ranges):
            continue
        touched = [n for n, (a, b) in enumerate(sentences) if a < last and first < b]
        if not touched or sentences[touched[-1]][1] - sentences[touched[0]][0] > most:
            begin = max(0, min((first + last - most) // 2, length - most))
            ranges.append(TokenRange(begin, min(length, begin + most)))
            continue
        low, high = touched[0], touched[-1]
        grew = True
        while grew:
            grew = False
            for back, on in ((1, 0), (0, 1)):
                a, b = low - back, high + on
                if a >= 0 and b < len(sentences) and sentences[b][1] - sentences[a][0] <= most:
                    low, high, grew = a, b, True
        ranges.append(TokenRange(sentences[low][0], sentences[high][1]))
    return ranges
