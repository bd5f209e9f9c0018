"""Figures -> Markdown, and into the page between its marks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.peers.contenders import OURS, TITLES
from benchmarks.peers.figures import losses

BEGIN, END = "<!-- figures: python -m benchmarks.peers -->", "<!-- end of figures -->"


def markdown(results: Mapping[str, Any]) -> str:
    """All tables of a run."""
    parts = []
    if results["trial"]:
        parts.append(
            "**A trial on few questions: it shows that everything runs, and no figure of it is worth quoting.**"
        )
    machine, settings = results["machine"], results["settings"]
    parts.append(
        f"{machine['cpu']}, {settings['threads']} threads, {settings['rounds']} alternating rounds, commit "
        f"{machine['commit']}, {results['finished'][:10]}. Times and memory: median (least to most) over the rounds."
    )
    for work in results["works"].values():
        parts += [_heading(work), _quality(work["peers"]), _threshold(work["peers"]), _speed(work["peers"])]
        parts += [_ratios(work["peers"]), *_notes(work["peers"])]
    parts += ["### Installed", _installed(results["installed"])]
    lost = losses(results["works"], OURS)
    parts.append("### Where a peer is better")
    parts.append("\n".join(f"- {line}" for line in lost) if lost else "In none of the figures above.")
    if results["failed"]:
        parts.append("### What did not run")
        parts.append("\n".join(f"- {peer}: {' '.join(why.split())}" for peer, why in results["failed"].items()))
    return "\n\n".join(part for part in parts if part)


def _heading(work: Mapping[str, Any]) -> str:
    return (
        f"### {work['title'][0].upper()}{work['title'][1:]}: {work['questions']} questions, "
        f"{work['documents']} {'document' if work['documents'] == 1 else 'documents'}, {work['words']:,} words"
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; empty when there are no rows."""
    if not rows:
        return ""
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))


def _cell(value: float | None) -> str:
    return "–" if value is None else f"{value:g}"


def _spread(value: Mapping[str, float]) -> str:
    median, least, most = (f"{value[name]:,g}" for name in ("median", "least", "most"))
    return median if least == most else f"{median} ({least} to {most})"


def _quality(peers: Mapping[str, Any]) -> str:
    names = ("exact_match", "f1", "answerable_f1", "refused", "wrong", "right_document", "shown_holds_answer")
    rows = []
    for peer, entry in peers.items():
        if "quality" in entry:
            rows.append([TITLES.get(peer, peer), *(_cell(entry["quality"][name]) for name in names)])
        else:
            rows.append([TITLES.get(peer, peer), "did not run: see below", *[""] * (len(names) - 1)])
    head = [
        "by its own defaults, %",
        "EM",
        "F1",
        "F1 of the answerable",
        "unanswerable refused",
        "wrong of answers given",
    ]
    return table([*head, "evidence in the right document", "what is shown holds the answer"], rows)


def _threshold(peers: Mapping[str, Any]) -> str:
    rows = []
    for peer, entry in peers.items():
        tuned = entry.get("quality", {}).get("threshold")
        if tuned is not None:
            at, default = tuned["at_threshold"], tuned["by_default"]
            chosen = "refuses all" if tuned["always_refuses"] else "never refuses"
            if tuned["threshold"] is not None:
                chosen = f"{tuned['threshold']:g}"
            cells = [at["f1"], default["f1"], at["refused"], at["wrong"]]
            rows.append([TITLES.get(peer, peer), chosen, *(_cell(cell) for cell in cells)])
    head = ["threshold chosen on the other half, %", "chosen", "F1", "F1 by default, this half", "unanswerable refused"]
    return table([*head, "wrong of answers given"], rows)


def _speed(peers: Mapping[str, Any]) -> str:
    names = ("build_words_per_s", "build_from_start_s", "cold_s", "p50_ms", "p95_ms", "peak_mb")
    rows = [
        [TITLES.get(peer, peer), *(_spread(entry["speed"][name]) for name in names)]
        for peer, entry in peers.items()
        if "speed" in entry
    ]
    head = ["", "words indexed a second", "build from process start, s", "cold start to first answer, s"]
    return table([*head, "warm p50, ms", "warm p95, ms", "peak memory, MB"], rows)


def _ratios(peers: Mapping[str, Any]) -> str:
    names = ("build_words_per_s", "cold_s", "p50_ms", "p95_ms", "peak_mb")
    rows = [
        [TITLES.get(peer, peer), *(_spread(entry["ratio"][name]) for name in names)]
        for peer, entry in peers.items()
        if "ratio" in entry
    ]
    head = ["times as much as this product", "time to build", "cold start", "warm p50", "warm p95", "memory"]
    return table(head, rows)


def _notes(peers: Mapping[str, Any]) -> list[str]:
    return [
        f"{TITLES.get(peer, peer)} failed on {entry['quality']['failures']} questions, counted as refusals "
        f"(`{entry['quality']['failure']}`)."
        for peer, entry in peers.items()
        if entry.get("quality", {}).get("failures")
    ]


def _installed(sizes: Mapping[str, Mapping[str, int]]) -> str:
    rows = []
    for peer, size in sizes.items():
        cells = (size["environment"] + size["models"], size["torch"], size["models"])
        rows.append([TITLES.get(peer, peer), *(f"{cell / 1e6:,.0f}" for cell in cells)])
    return table(["MB", "all", "of it torch", "of it model folders beside the environment"], rows)


def put_into(page: Path, text: str) -> None:
    """Replace what stands between the marks of `page`.

    Raises:
        ValueError: the page lacks the marks.
    """
    old = page.read_text(encoding="utf-8")
    before, begin, rest = old.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page} must hold the lines {BEGIN} and {END}; put them where the figures belong")
    page.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")
