"""Prints a benchmark's figures as JSON, and keeps them where that is asked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def publish(figures: dict[str, Any], out: Path | None) -> None:
    """Print the figures, and write them to `out` unless that is None."""
    text = json.dumps(figures, indent=2, ensure_ascii=False)
    print(text)
    if out is not None:
        out.write_text(text + "\n", encoding="utf-8")
