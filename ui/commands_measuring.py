"""Commands that measure and check: `qa eval`, `qa calibrate`, `qa doctor`."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ui.console import (
    ANSWERED,
    BROKEN,
    bar,
    explained,
    index_options,
    make_config,
    open_answerer,
    threshold_option,
)

if TYPE_CHECKING:
    from qa.config import Config
    from qa.evaluation import Outcome

__all__ = ["calibrate", "doctor", "evaluate"]


@click.command("eval")
@click.argument("file", type=click.Path(path_type=Path))
@index_options
@threshold_option
@click.option("--given", is_flag=True, help="Read only each row's own context; nothing is retrieved.")
@click.option(
    "--open", "open_setting", is_flag=True, help="Index all contexts of the file in a temporary index, then ask that."
)
@click.option("--model", type=click.Path(path_type=Path), help="Folder of a reader to measure, on its own.")
@click.option("--limit", type=click.IntRange(1), help="Ask only the first so many questions.")
@click.option("--misses", is_flag=True, help="List each question that was not answered right.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@click.option(
    "--predictions", type=click.Path(path_type=Path), help="Write {id: text} as the official SQuAD script reads it."
)
def evaluate(
    file: Path, index: Path | None, collection: str | None, threshold: float | None, given: bool,
    open_setting: bool, model: Path | None,
    limit: int | None, misses: bool, as_json: bool, predictions: Path | None,
) -> None:  # fmt: skip
    """Measure answers on a gold FILE of JSON lines {question, answers, context?, id?}, gzip'd or not.

    By default the questions are asked of the index.

    \b
    Examples:
      qa eval tests/gold/all_the_light.jsonl --misses
      qa eval squad_val.jsonl.gz --given --json
      qa eval squad_val.jsonl.gz --open --predictions out.json
    """
    if given and open_setting:
        raise click.UsageError("--given and --open exclude each other")
    from qa.evaluation import read_gold, summary

    config = make_config(index, collection, threshold=threshold)
    if model is not None:
        config = dataclasses.replace(config, model=model, second=None)
    with explained():
        golds = read_gold(file)[:limit]
        outcomes = _outcomes(config, golds, given, open_setting)
    figures = summary(outcomes)
    if predictions is not None:
        predictions.write_text(
            json.dumps({o.gold.id: o.answer.text or "" for o in outcomes}, ensure_ascii=False), encoding="utf-8"
        )
    click.echo(json.dumps(figures, indent=2) if as_json else _table(figures))
    if misses:
        for outcome in outcomes:
            if outcome.f1 < 0.5:
                click.echo(_miss(outcome))


def _miss(outcome: Outcome) -> str:
    gold, answer = outcome.gold, outcome.answer
    wanted = " | ".join(gold.answers[:3]) or "(nothing)"
    withheld = f", withheld: {answer.alternatives[0].text}" if answer.text is None and answer.alternatives else ""
    got = f"{answer.text or '(nothing)'}  ({answer.confidence:.2f}{withheld})"
    return f"{gold.id}  {gold.question}\n    wanted {wanted}\n    got    {got}"


def _outcomes(config: Config, golds: list[Any], given: bool, open_setting: bool) -> list[Outcome]:
    import tempfile

    from qa.evaluation import evaluate as run
    from qa.evaluation import index_contexts
    from qa.pipeline import Answerer

    with bar("asking", " questions") as progress, tempfile.TemporaryDirectory(prefix="qa-eval-") as folder:
        if open_setting:
            with bar("indexing", " documents") as indexing:
                answerer = index_contexts(dataclasses.replace(config, index=Path(folder)), golds, indexing)
        elif given:
            answerer = Answerer.without_index(config)
        else:
            answerer = open_answerer(config)
        try:
            return run(answerer, golds, given=given, progress=lambda done: progress(done, len(golds)))
        finally:
            answerer.close()


def _table(figures: dict[str, Any]) -> str:
    has, no, latency = figures["has_answer"], figures["no_answer"], figures["latency_ms"]
    rows = [
        ("questions", figures["questions"]),
        ("exact match", figures["exact_match"]),
        ("F1", figures["f1"]),
        (f"answerable ({has['questions']}): EM / F1 / right", f"{has['exact_match']} / {has['f1']} / {has['right']}"),
        (f"unanswerable ({no['questions']}): refused", no["refused"]),
        ("answered, share of all", figures["answered"]),
        ("wrong, share of answers given", figures["wrong"]),
        ("hit@k", figures["hit_at_k"]),
        ("latency ms, p50 / p95", f"{latency['p50']} / {latency['p95']}"),
    ]
    alone = figures.get("left_alone")
    if alone is not None:
        rows.append((f"standing alone after others ({alone['questions']}): read as typed", alone["untouched"]))
    rows += [
        (f"  {kind} ({entry['questions']}): right", entry["right"])
        for kind, entry in figures.get("by_type", {}).items()
    ]
    return "\n".join(f"{name:48} {'-' if value is None else value}" for name, value in rows)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@index_options
@click.option(
    "--most-wrong", default=0.1, show_default=True, type=click.FloatRange(0, 1),
    help="Share of the answers given that may be wrong.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Show the table, change nothing.")
def calibrate(file: Path, index: Path | None, collection: str | None, most_wrong: float, dry_run: bool) -> None:
    """Choose how sure to be before answering, from a gold FILE of your own questions, and keep it with the index.

    \b
    Example:
      qa calibrate my-questions.jsonl --most-wrong 0.05
    """
    from qa.coverage import LEAST_QUESTIONS, best_threshold, curve
    from qa.evaluation import evaluate as run
    from qa.evaluation import read_gold
    from qa.pipeline import THRESHOLD_SETTING

    with explained(), bar("asking", " questions") as progress:
        golds = read_gold(file)
        answerer = open_answerer(make_config(index, collection, threshold=0.0))
        outcomes = run(answerer, golds, progress=lambda done: progress(done, len(golds)))
        threshold = best_threshold(outcomes, most_wrong)
    click.echo("threshold  answered  wrong of these (at most)  unanswerable refused")
    for point in curve(outcomes, sorted({*(n / 10 for n in range(1, 10)), threshold})):
        refused = "-" if point.refused is None else f"{point.refused:.0%}"
        chosen = "  <- chosen" if point.threshold == threshold else ""
        wrong = f"{point.wrong:.0%} ({point.wrong_most:.0%})"
        click.echo(f"{point.threshold:9.2f} {point.coverage:9.0%} {wrong:>25} {refused:>21}{chosen}")
    if len(golds) < LEAST_QUESTIONS or all(gold.answers for gold in golds):
        few = f"{len(golds)} questions, {sum(not gold.answers for gold in golds)} of them unanswerable"
        click.echo(
            click.style(f"{few}, are too few to tell: have {LEAST_QUESTIONS}, a third unanswerable", fg="yellow")
        )
    if not dry_run:
        with explained():
            answerer.store.set_setting(THRESHOLD_SETTING, repr(float(threshold)))
        click.echo(f"kept with the index: questions are answered from a confidence of {threshold:.2f}")
    answerer.close()


@click.command()
@index_options
def doctor(index: Path | None, collection: str | None) -> None:
    """Check models, index and one question with the network blocked. Exit code 2 when something is wrong.

    \b
    Example:
      qa doctor
    """
    from ui.doctor import examine

    broken = False
    for finding in examine(make_config(index, collection)):
        broken = broken or not finding.well
        sign = click.style("ok  ", fg="green") if finding.well else click.style("FAIL", fg="red", bold=True)
        click.echo(f"{sign} {finding.what}: {finding.detail}")
    raise SystemExit(BROKEN if broken else ANSWERED)
