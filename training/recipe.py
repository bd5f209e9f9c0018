"""The training recipe as read from recipes.toml: one frozen object per stage."""

from __future__ import annotations

import sys
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


RECIPES = Path(__file__).parent / "recipes.toml"


class RecipeError(ValueError):
    """The recipe file names something that is not there or is of the wrong kind."""


@dataclass(frozen=True, slots=True)
class Source:
    """One data file and how much of it a stage takes.

    `passes` counts times through the file (0.3 is a random 30 %); `together` is the share of rows whose passage is
    joined with a neighbouring passage that leaves the answer where it is; `elsewhere` is the number of extra
    unanswerable rows per row, each the same question over a similar passage that does not hold its answer; `dialogues`
    takes the follow-up questions of written articles as well, in the wording that stands alone.
    """

    file: str
    passes: float = 1.0
    together: float = 0.0
    elsewhere: float = 0.0
    split: str | None = None
    dialogues: bool = False


@dataclass(frozen=True, slots=True)
class Stage:
    """One training run: where it starts, what it reads and every number of the optimiser.

    `batches` takes only so many batches of the plan and ends the learning-rate schedule there; `stop_after` ends the
    run earlier still, in the middle of its schedule. `layers` keeps only the lowest so many (the uppermost of a
    sentence encoder have specialised in pooling), `frozen` leaves the embeddings and the lowest so many as they are,
    `head_rate` is the learning rate of the span head, `empty` the share kept of the windows without the answer
    of a long context, with the one that shares most words with a question that has none; without it half of the
    windows beside an answer are kept, and all of an unanswerable question. `bfloat16` does the matrix work of training
    in that format where the processor has instructions for it (AVX-512 BF16 or AMX: three to four times as fast).
    `numbers` is the share of rows asking for a count whose number is changed (`augment.other_number`).
    `teacher` is the folder of a larger reader to learn from as well: `soft` is the weight of its distributions, the
    rest that of the labels.
    """

    name: str
    start: str
    sources: tuple[Source, ...]
    max_tokens: int = 400
    stride: int = 128
    tokens_per_batch: int = 6400
    learning_rate: float = 5e-5
    warmup: float = 0.06
    weight_decay: float = 0.01
    average_decay: float = 0.998
    word_dropout: float = 0.0
    noise: float = 0.0
    numbers: float = 0.0
    seed: int = 11
    layers: int | None = None
    frozen: int | None = None
    head_rate: float | None = None
    empty: float | None = None
    bfloat16: bool = False
    teacher: str | None = None
    soft: float = 0.0
    batches: int | None = None
    stop_after: int | None = None


def load_stage(name: str, path: Path = RECIPES) -> Stage:
    """Read stage `name` from the recipe file.

    Raises:
        RecipeError: an unknown stage or key; the message lists the known ones.
    """
    with path.open("rb") as file:
        stages: dict[str, dict[str, Any]] = tomllib.load(file).get("stage", {})
    if name not in stages:
        raise RecipeError(f"no stage {name!r} in {path}; it has: {', '.join(sorted(stages))}")
    table = dict(stages[name])
    unknown = set(table) - {field.name for field in fields(Stage)}
    if unknown:
        raise RecipeError(f"stage {name!r} in {path} has unknown keys: {', '.join(sorted(unknown))}")
    sources = tuple(Source(**source) for source in table.pop("sources", []))
    if not sources:
        raise RecipeError(f"stage {name!r} in {path} has no sources")
    return Stage(name=name, sources=sources, **table)
