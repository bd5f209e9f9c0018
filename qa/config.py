"""Every number and path there is to tune, in one frozen object."""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from index.collections import data_folder
from index.encoder import cores

__all__ = ["LARGE_FOLDER", "MODEL_FOLDER", "Config", "default_index_folder", "seeds_folder"]

MODEL_FOLDER = Path(__file__).parent / "model"
LARGE_FOLDER = Path(__file__).parent / "large"


def seeds_folder() -> Path:
    """Where the default articles are: $QA_SEEDS, else the installed package's own, else `seeds` in a checkout."""
    if "QA_SEEDS" in os.environ:
        return Path(os.environ["QA_SEEDS"])
    package = Path(__file__).resolve().parent
    return package / "seeds" if (package / "seeds").is_dir() else package.parent / "seeds"


def second_reader() -> Path | None:
    """The folder of the larger reader that is heard where the first is unsure; QA_READERS=small does without it.

    Raises:
        ValueError: QA_READERS is neither `small` nor `cascade`.
    """
    chosen = os.environ.get("QA_READERS", "cascade")
    if chosen not in {"small", "cascade"}:
        raise ValueError(f"QA_READERS must be small or cascade, got {chosen!r}")
    return LARGE_FOLDER if chosen == "cascade" else None


def default_index_folder() -> Path:
    """$QA_INDEX, else a folder for the default articles in the user's data directory (XDG_DATA_HOME or ~/.local/share).

    Indexes of different seeds folders do not mix: the folder's name carries a hash of where the seeds are.
    """
    if "QA_INDEX" in os.environ:
        return Path(os.environ["QA_INDEX"])
    place = hashlib.sha256(str(seeds_folder().resolve()).encode()).hexdigest()[:8]
    return data_folder() / f"index-{place}"


def temporary_index_folder() -> Path:
    """Where an index goes when the user's data directory cannot be written; gone with the machine's temporary files."""
    return Path(tempfile.mkdtemp(prefix="qa-index-"))


@dataclass(frozen=True, slots=True)
class Config:
    """How questions are answered.

    Attributes:
        index: the index folder.
        seeds: the folder of articles that the index is built from when there is none; None: of a collection, which
            is filled by hand.
        model: the folder of the reader.
        passage_words, passage_overlap: size of a passage in words, and how many sentences two neighbours share.
        hits: passages retrieved for a question.
        pool: depth of the lexical and of the dense ranking before they are fused.
        mend: whether slips of the keys in a question are mended by the words of the documents found.
        as_typed: how much surer a fragment ("and Marie Laure?") must be as typed than as any question it may stand for,
            to be read so; a whole question need only be the surer one.
        window_tokens: longest input of the reader, question included; a passage is read with its neighbours up to it.
        windows, read_tokens: most windows, and most tokens of text in them, that are read for one question; the best
            window is always read.
        sure: confidence at which the remaining windows of a question are not read any more.
        second: the folder of a larger reader, which reads again what the first is unsure about; None: there is none.
            QA_READERS=small in the environment does without it.
        unsure: confidences of the first reader from which and up to which the second one is heard.
        second_share: weight of the second reader where both are heard, in [0, 1].
        second_places, second_tokens: how many of the best spans are read again, and the longest stretch around one.
        answer_tokens: longest answer.
        candidates: spans taken from each window.
        alternatives: other candidates given with an answer.
        threshold: confidence below which the answer is "the documents don't say"; None takes the one kept with the
            index (`qa calibrate`), else the reader's own.
        question_characters: longest question accepted.
        threads: cores used for one question.
        log_questions: whether questions that found no answer are kept in the index folder for `qa report`;
            QA_LOG_QUESTIONS=0 in the environment switches it off.
    """

    index: Path = field(default_factory=default_index_folder)
    seeds: Path | None = field(default_factory=seeds_folder)
    model: Path = MODEL_FOLDER
    passage_words: int = 80
    passage_overlap: int = 1
    hits: int = 8
    pool: int = 32
    mend: bool = True
    as_typed: float = 0.2
    window_tokens: int = 320
    windows: int = 6
    read_tokens: int = 800
    sure: float = 0.5
    second: Path | None = field(default_factory=second_reader)
    unsure: tuple[float, float] = (0.02, 0.9)
    second_share: float = 0.9
    second_places: int = 2
    second_tokens: int = 104
    answer_tokens: int = 40
    candidates: int = 4
    alternatives: int = 2
    threshold: float | None = None
    question_characters: int = 2000
    threads: int = field(default_factory=lambda: min(4, cores()))
    log_questions: bool = field(default_factory=lambda: os.environ.get("QA_LOG_QUESTIONS", "1") != "0")

    def __post_init__(self) -> None:
        for name in (
            "passage_words",
            "hits",
            "pool",
            "windows",
            "read_tokens",
            "second_places",
            "answer_tokens",
            "candidates",
            "question_characters",
            "threads",
        ):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} must be a whole number of at least 1, got {value!r}")
        if not 64 <= self.window_tokens <= 512:
            raise ValueError(f"window_tokens must be between 64 and 512, got {self.window_tokens}")
        if not 16 <= self.second_tokens <= 400:
            raise ValueError(f"second_tokens must be between 16 and 400, got {self.second_tokens}")
        if not 0.0 <= self.second_share <= 1.0:
            raise ValueError(f"second_share must be between 0 and 1, got {self.second_share}")
        if not 0.0 <= self.unsure[0] <= self.unsure[1] <= 1.0:
            raise ValueError(f"unsure must be two rising confidences between 0 and 1, got {self.unsure}")
        if self.threshold is not None and not 0.0 <= self.threshold <= 1.0:
            raise ValueError(f"threshold must be between 0 and 1, got {self.threshold}")
