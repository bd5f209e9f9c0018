"""Who takes part: how each is started, and what identifies the way it does its work."""

from __future__ import annotations

import hashlib
from pathlib import Path

from benchmarks.peers.driving import module
from benchmarks.peers.environments import OURS, REQUIREMENTS, ROOT, interpreter, recipe
from benchmarks.peers.rounds import Contender

__all__ = ["OURS", "TITLES", "contender", "versions"]

TITLES = {
    OURS: "this product",
    "haystack": "Haystack",
    "txtai": "txtai",
    "plain": "transformers + FAISS",
    "tutorial": "tutorial chatbot (shows the nearest passage)",
}


def contender(name: str, environments: Path) -> Contender:
    """A peer of `TITLES` in its environment."""
    command = (str(interpreter(environments, name)), "-m", module(name))
    return Contender(name, command, _recipe(name))


def _recipe(name: str) -> str:
    drivers = Path(__file__).parent / "drivers"
    files = [drivers / f"{name}.py", drivers / "wire.py"]
    if name in ("plain", "tutorial"):
        files.append(drivers / "dense.py")
    if name == OURS:  # its code and its models
        files += sorted(
            file
            for folder in ("index", "qa")
            for file in (ROOT / folder).rglob("*")
            if file.is_file() and "__pycache__" not in file.parts
        )
    digest = hashlib.sha256(recipe(name).encode())
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def versions(name: str) -> list[str]:
    """What a peer's environment was asked to hold, as in `requirements/NAME.in`."""
    path = REQUIREMENTS / f"{name}.in"
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return [line for line in lines if line and not line.startswith("#")]
