"""Step 1, prepare: data files -> one file of token windows with their span labels.

python -m training.prepare STAGE --work DIR --data DIR --reader DIR
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from training import augment
from training.recipe import Source, Stage, load_stage
from training.rows import Row, read_rows


def stage_rows(stage: Stage, data: Sequence[Path]) -> list[Row]:
    """All rows of a stage, augmented, in random order. Same seed, same rows."""
    rng = random.Random(stage.seed)
    rows: list[Row] = []
    for source in stage.sources:
        taken = list(_rows_of_source(source, data, rng))
        rows.extend(taken)
        print(f"{source.file}: {len(taken)} rows, {sum(row.start is None for row in taken)} without an answer")
    rows = [
        row
        if rng.random() >= stage.noise
        else Row(row.id, row.group, row.context, augment.clumsy(row.question, rng), row.start, row.end)
        for row in rows
    ]
    if stage.numbers:
        rows = [augment.other_number(row, rng) if rng.random() < stage.numbers else row for row in rows]
    rng.shuffle(rows)
    return rows


def _rows_of_source(source: Source, data: Sequence[Path], rng: random.Random) -> Iterator[Row]:
    path = next((folder / source.file for folder in data if (folder / source.file).is_file()), data[0] / source.file)
    rows = read_rows(path, source.split, dialogues=source.dialogues)
    neighbours = augment.Neighbours(rows, rng)
    whole, part = divmod(source.passes, 1.0)
    passes = [rows] * int(whole) + [rng.sample(rows, round(part * len(rows)))]
    for chosen in passes:
        for row in chosen:
            if rng.random() < source.elsewhere and row.start is not None:
                other = neighbours.pick(row, similar_to=row.question)
                if other is not None:
                    yield augment.elsewhere(row, other)
            if rng.random() < source.together:
                # short contexts take several neighbours, so that windows have the length they have when asked
                for _ in range(3 if len(row.context.split()) < 60 else 1):
                    other = neighbours.pick(row, similar_to=row.context)
                    if other is not None:
                        row = augment.together(row, other, rng)
            yield row


def windows(
    row: Row, tokenizer: PreTrainedTokenizerBase, stage: Stage, rng: random.Random
) -> Iterator[tuple[list[int], int, int, int]]:
    """Token windows of a row as (token ids, length of the question part, start, end); 0, 0 is "no answer here".

    Windows that hold only part of the answer are left out, and some of the windows of a long context that hold none.
    """
    encoded = tokenizer(
        row.question.strip(),
        row.context,
        truncation="only_second",
        max_length=stage.max_tokens,
        stride=stage.stride,
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
    )
    count = len(encoded["input_ids"])
    closest = max(range(count), key=lambda number: _shared(encoded["input_ids"][number], encoded.sequence_ids(number)))
    for number in range(count):
        ids, offsets, parts = (
            encoded["input_ids"][number],
            encoded["offset_mapping"][number],
            encoded.sequence_ids(number),
        )
        inside = [place for place, part in enumerate(parts) if part == 1]
        start = end = 0
        if row.start is not None and row.end is not None and inside:
            first, last = offsets[inside[0]][0], offsets[inside[-1]][1]
            if first <= row.start and row.end <= last:
                start = next(place for place in inside if offsets[place][1] > row.start)
                end = next(place for place in reversed(inside) if offsets[place][0] < row.end)
            elif row.start < last and row.end > first:
                continue
        if start == 0 and count > 1 and not _kept(row, number == closest, stage, rng):
            continue
        yield ids, inside[0] if inside else len(ids), start, end


def _kept(row: Row, is_closest: bool, stage: Stage, rng: random.Random) -> bool:
    """Whether a window without the answer stays among the windows of its row."""
    if stage.empty is None:
        return row.start is None or rng.random() >= 0.5
    return (row.start is None and is_closest) or rng.random() < stage.empty


def _shared(ids: Sequence[int], parts: Sequence[int | None]) -> int:
    """How many different tokens a window shares with its question."""
    question = {token for token, part in zip(ids, parts, strict=True) if part == 0}
    return len(question & {token for token, part in zip(ids, parts, strict=True) if part == 1})


def prepare(stage: Stage, work: Path, data: Sequence[Path], reader: str) -> Path:
    """Write `<work>/<stage>/features.npz`: flat int32 tokens, one (offset, length, question, start, end) per window."""
    target = work / stage.name / "features.npz"
    target.parent.mkdir(parents=True, exist_ok=True)
    tokenizer = AutoTokenizer.from_pretrained(stage.start.format(reader=reader, work=work))
    rng = random.Random(stage.seed)
    tokens: list[int] = []
    table: list[tuple[int, int, int, int, int]] = []
    for row in tqdm(stage_rows(stage, data), desc="tokenising", unit="row"):
        for ids, question, start, end in windows(row, tokenizer, stage, rng):
            table.append((len(tokens), len(ids), question, start, end))
            tokens.extend(ids)
    partial = target.with_suffix(".part.npz")
    np.savez(partial, tokens=np.array(tokens, np.int32), table=np.array(table, np.int64))
    partial.replace(target)
    print(
        f"{target}: {len(table)} windows, {sum(row[3] == 0 for row in table)} without an answer, "
        f"{len(tokens) / 1e6:.1f}M tokens"
    )
    return target


def arguments(description: str) -> argparse.ArgumentParser:
    """The options every step shares."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", help="name of a stage in recipes.toml")
    parser.add_argument("--work", type=Path, default=Path("training/work"), help="folder for features and checkpoints")
    parser.add_argument("--data", type=Path, action="append", help="folder with data files; may be given several times")
    parser.add_argument("--reader", default="", help="Hugging Face folder that replaces {reader} in the recipe")
    return parser


def main() -> None:
    options = arguments(__doc__ or "").parse_args()
    prepare(load_stage(options.stage), options.work, options.data or [Path("training/data")], options.reader)


if __name__ == "__main__":
    main()
