"""Average the weights of two readers of one origin, such as a reader before and after a stage.

python -m training.average ONE OTHER --to DIR [--share 0.5]

A reader trained on a little new data gains there and loses elsewhere; half-way between both it keeps most of either
(Wortsman et al. 2022, "Robust fine-tuning of zero-shot models"). Tokenizer and configuration are those of OTHER.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from training.train import CheckpointError

__all__ = ["average"]

WEIGHTS = "model.safetensors"


def average(one: Path, other: Path, to: Path, share: float = 0.5) -> Path:
    """Write the Hugging Face folder `to` with (1 - share) of the weights of `one` and `share` of those of `other`.

    Raises:
        CheckpointError: a folder holds no weights, or the two differ in names or shapes.
        ValueError: `share` is outside [0, 1].
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share must be in [0, 1], got {share}")
    read: list[dict[str, torch.Tensor]] = []
    for folder in (one, other):
        if not (folder / WEIGHTS).is_file():
            raise CheckpointError(f"{folder} holds no {WEIGHTS}; expected a Hugging Face folder of a reader")
        read.append(load_file(folder / WEIGHTS))
    a, b = read
    differing = sorted(
        name for name in a.keys() | b.keys() if name not in a or name not in b or a[name].shape != b[name].shape
    )
    if differing:
        raise CheckpointError(f"{one} and {other} are of different architectures: {differing[0]} differs")
    mixed = {
        name: torch.lerp(a[name].float(), b[name].float(), share).contiguous()
        if b[name].is_floating_point()
        else b[name]
        for name in b
    }
    shutil.copytree(other, to, ignore=shutil.ignore_patterns(WEIGHTS), dirs_exist_ok=True)
    save_file(mixed, to / WEIGHTS, metadata={"format": "pt"})
    return to


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("one", type=Path)
    parser.add_argument("other", type=Path)
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--share", type=float, default=0.5, help="share of OTHER")
    options = parser.parse_args()
    print(average(options.one, options.other, options.to, options.share))


if __name__ == "__main__":
    main()
