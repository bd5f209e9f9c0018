"""Results -> one SVG, in an environment of its own that holds matplotlib: plot.py RESULTS.json OUT.svg TITLES."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams.update(
    {"svg.hashsalt": "peers", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
)

import matplotlib.pyplot as plt  # noqa: E402

COLOURS = ["#1b4f8f", "#d98b2b", "#5a9a68", "#a05195", "#8a8a8a"]
# title, how to find (value, least, most) in an entry, whether the scale is logarithmic
PANELS = [
    ("F1, % (more is better)", lambda e: _plain(e, "f1"), False),
    ("wrong of the answers given, % (less is better)", lambda e: _plain(e, "wrong"), False),
    ("warm answer, p50 in ms (less is better)", lambda e: _spread(e, "p50_ms"), True),
    ("cold start to first answer, s (less is better)", lambda e: _spread(e, "cold_s"), True),
    ("words indexed a second (more is better)", lambda e: _spread(e, "build_words_per_s"), True),
    ("peak memory, MB (less is better)", lambda e: _spread(e, "peak_mb"), False),
]


def _plain(entry: dict[str, Any], name: str) -> tuple[float, float, float] | None:
    value = entry.get("quality", {}).get(name)
    return None if value is None else (value, value, value)


def _spread(entry: dict[str, Any], name: str) -> tuple[float, float, float] | None:
    value = entry.get("speed", {}).get(name)
    return None if value is None else (value["median"], value["least"], value["most"])


def main() -> None:
    results, out, titles = Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3])
    figures = json.loads(results.read_text(encoding="utf-8"))
    works = figures["works"]
    peers = list(next(iter(works.values()))["peers"])
    figure, axes = plt.subplots(2, 3, figsize=(11, 6), layout="constrained")
    width = 0.8 / len(peers)
    for axis, (title, find, logarithmic) in zip(axes.flat, PANELS, strict=True):
        for number, peer in enumerate(peers):
            for place, work in enumerate(works.values()):
                value = find(work["peers"][peer])
                if value is not None:
                    middle, least, most = value
                    x = place + (number - (len(peers) - 1) / 2) * width
                    label = titles.get(peer, peer) if place == 0 else None
                    axis.bar(x, middle, width * 0.92, color=COLOURS[number % len(COLOURS)], label=label)
                    if most > least:
                        axis.errorbar(x, middle, [[middle - least], [most - middle]], color="black", linewidth=0.8)
        axis.set_title(title, fontsize=9, loc="left")
        axis.set_xticks(range(len(works)), [work["title"] for work in works.values()], fontsize=8)
        if logarithmic:
            axis.set_yscale("log")
    handles, labels = axes.flat[0].get_legend_handles_labels()
    trial = " (a trial on few questions)" if figures["trial"] else ""
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
    figure.suptitle(
        f"The same models, documents and questions, {figures['settings']['threads']} threads{trial}", fontsize=10
    )
    figure.savefig(out, metadata={"Date": None})


if __name__ == "__main__":
    main()
