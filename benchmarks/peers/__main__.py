"""The same work on this product and on what one would otherwise take: one command, described in docs/peers.md.

python -m benchmarks.peers --like READER --squad squad_val.jsonl.gz --fairytale fairytaleqa.jsonl.gz \\
    [--envs DIR] [--work DIR] [--rounds 3] [--timed 200] [--questions N] [--peers ours,haystack] [--only article]

Makes an environment for each peer (once), gives all of them the same weights, lets them take turns, and writes
benchmarks/results/peers.json, docs/peers.svg and the tables of docs/peers.md. What is done is kept in --work: a run
that was stopped goes on. With --questions it is a trial, which is written into --work only.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmarks.machine import machine
from benchmarks.peers.contenders import OURS, TITLES, contender, versions
from benchmarks.peers.driving import DriverError
from benchmarks.peers.environments import ROOT, EnvironmentFailure, installed_bytes, interpreter, make_environment
from benchmarks.peers.figures import collect
from benchmarks.peers.rounds import Plan, run
from benchmarks.peers.table import markdown, put_into
from benchmarks.peers.works import Work, article, fairytales, squad
from index.weights import check_weights, weights_folder
from qa.evaluation import GoldError

CACHE = Path.home() / ".cache" / "article-qa-peers"
PAGE, PICTURE = ROOT / "docs" / "peers.md", ROOT / "docs" / "peers.svg"
RESULTS = ROOT / "benchmarks" / "results" / "peers.json"


def main() -> None:
    options = _options()
    if sys.version_info < (3, 11):
        raise SystemExit(
            f"this needs Python 3.11 or newer, as Haystack's reader does; this is {sys.version.split()[0]}"
        )
    names = [name for name in TITLES if name in options.peers]
    options.work.mkdir(parents=True, exist_ok=True)
    reader = _reader(options)
    check_weights()
    failed: dict[str, str] = {}
    for name in tqdm([*names, "plot"], desc="environments", unit=" environments"):
        try:
            make_environment(options.envs, name)
        except EnvironmentFailure as error:
            failed[name] = str(error)
    works = _works(options)
    settings = {"encoder": str(weights_folder()), "reader": str(reader), "threads": options.threads}
    plan = Plan(
        tuple(contender(name, options.envs) for name in names if name not in failed),
        tuple(works),
        settings,
        f"{_hash(weights_folder() / 'model.safetensors')} {_hash(reader / 'model.safetensors')}",
        options.rounds,
        options.timed,
        options.work / "indexes",
        1 if options.questions is not None else 3,
    )
    records = _run(plan, options.work / "records.jsonl")
    for (peer, work, _), record in records.items():
        if "error" in record:
            failed.setdefault(peer, f"{work}: {record['error']}")
    results: dict[str, Any] = {
        "trial": options.questions is not None,
        "machine": machine(),
        "finished": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "settings": {"threads": options.threads, "rounds": options.rounds, "timed": options.timed},
        "versions": {name: versions(name) for name in names if name != OURS},
        "installed": {
            name: installed_bytes(options.envs, name, [] if name == OURS else _models(name, reader))
            for name in names
            if name not in failed
        },
        "works": collect(works, names, records, OURS),
        "failed": failed,
    }
    _write(results, options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader = parser.add_mutually_exclusive_group(required=True)
    reader.add_argument(
        "--like", type=Path, help="Hugging Face folder of the reader's architecture, to restore it into"
    )
    reader.add_argument("--reader", type=Path, help="Hugging Face folder that already holds the reader's weights")
    parser.add_argument("--squad", type=Path, help="gzip'd JSON lines {id, context, question, answers}")
    parser.add_argument("--fairytale", type=Path, help="the same with `split`; ids are STORY#NUMBER")
    parser.add_argument("--envs", type=Path, default=CACHE / "environments", help="where environments are kept")
    parser.add_argument("--work", type=Path, default=CACHE / "work", help="where what is done is kept")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--timed", type=int, default=200, help="questions of each work that are timed, in every round")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--questions", type=int, help="a trial on so many questions of each work")
    parser.add_argument("--peers", type=lambda text: text.split(","), default=list(TITLES), help="only these")
    parser.add_argument("--only", type=lambda text: text.split(","), default=None, help="only these works")
    options = parser.parse_args()
    unknown = sorted(set(options.peers) - set(TITLES))
    if unknown:
        parser.error(f"--peers takes some of {', '.join(TITLES)}; got {', '.join(unknown)}")
    for name in ("rounds", "timed", "threads", "questions"):
        value = getattr(options, name)
        if value is not None and value < 1:
            parser.error(f"--{name} must be at least 1, got {value}")
    options.envs, options.work = options.envs.absolute(), options.work.absolute()
    return options


def _reader(options: argparse.Namespace) -> Path:
    """The reader as a Hugging Face folder, in float32, from the int8 weights that this product ships."""
    if options.reader is not None:
        folder: Path = options.reader.absolute()
    else:
        folder = options.work / f"reader-{_hash(ROOT / 'qa' / 'model' / 'reader.onnx')}"
        if not (folder / "tokenizer_config.json").is_file():  # the last file that is written
            command = [sys.executable, "-m", "training.restore", "qa/model", "--like", str(options.like.absolute())]
            subprocess.run([*command, "--to", str(folder)], cwd=ROOT, check=True)
    if not (folder / "model.safetensors").is_file():
        raise SystemExit(f"{folder} holds no model.safetensors; expected a Hugging Face folder of the reader")
    return folder


def _works(options: argparse.Namespace) -> list[Work]:
    found: list[Work] = []
    try:
        found.append(article(options.questions))
        if options.squad is not None:
            found.append(squad(options.squad, options.questions))
        if options.fairytale is not None:
            found.append(fairytales(options.fairytale, most=options.questions))
    except GoldError as error:
        raise SystemExit(str(error)) from error
    chosen = [work for work in found if options.only is None or work.name in options.only]
    if not chosen:
        raise SystemExit(f"--only takes some of {', '.join(work.name for work in found)}")
    return chosen


def _run(plan: Plan, path: Path) -> dict[Any, Any]:
    bars: dict[str, tqdm[Any]] = {}

    def progress(label: str, done: int, of: int) -> None:
        if label not in bars:
            for bar in bars.values():
                bar.close()
            bars[label] = tqdm(total=of, desc=label, unit=" questions")
        bars[label].update(done - bars[label].n)

    try:
        return run(plan, path, progress)
    except DriverError as error:
        raise SystemExit(str(error)) from error
    finally:
        for bar in bars.values():
            bar.close()


def _models(name: str, reader: Path) -> list[Path]:
    return [weights_folder()] if name == "tutorial" else [weights_folder(), reader]


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]


def _write(results: dict[str, Any], options: argparse.Namespace) -> None:
    trial = results["trial"]
    figures = options.work / "trial.json" if trial else RESULTS
    picture = options.work / "trial.svg" if trial else PICTURE
    figures.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    text = markdown(results)
    if trial:
        (options.work / "trial.md").write_text(text + "\n", encoding="utf-8")
    else:
        put_into(PAGE, text)
    print(text)
    drawing = [str(interpreter(options.envs, "plot")), str(Path(__file__).with_name("plot.py"))]
    if "plot" not in results["failed"]:
        subprocess.run([*drawing, str(figures), str(picture), json.dumps(TITLES)], check=True)
    for name, why in results["failed"].items():
        print(f"{name} did not run: {why}", file=sys.stderr)
    if OURS in results["failed"]:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
