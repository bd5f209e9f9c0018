"""The `qa` command. Heavy imports happen inside the commands that need them, so that asking starts fast."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from index.errors import IndexingError
from qa.config import Config
from qa.errors import QuestionError

if TYPE_CHECKING:
    from qa.evaluation import Outcome
    from qa.pipeline import Answerer
    from qa.types import Answer

ANSWERED, NOT_ANSWERED, BROKEN = 0, 1, 2


def _fail(message: object) -> NoReturn:
    click.echo(click.style("error: ", fg="red", bold=True) + str(message), err=True)
    raise SystemExit(BROKEN)


@contextmanager
def _explained() -> Iterator[None]:
    """Errors that a person can act on become one line and exit code 2; Ctrl-C becomes 130."""
    from qa.evaluation import GoldError

    try:
        yield
    except (IndexingError, QuestionError, GoldError) as error:
        _fail(error)
    except KeyboardInterrupt:
        click.echo("interrupted", err=True)
        raise SystemExit(130) from None


@contextmanager
def _bar(label: str, unit: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on standard error that is told (done, total); shown once there is something to do."""
    from tqdm import tqdm

    bar: tqdm[Any] | None = None

    def progress(done: int, total: int) -> None:
        nonlocal bar
        if bar is None:
            bar = tqdm(total=total, desc=label, unit=unit, file=sys.stderr)
        bar.update(done - bar.n)

    try:
        yield progress
    finally:
        if bar is not None:
            bar.close()


def _open(config: Config) -> Answerer:
    from qa.default import open_or_build

    with _bar("indexing", " documents") as progress:
        return open_or_build(config, progress)


_index_option = click.option(
    "--index", type=click.Path(path_type=Path), help="Index folder; default $QA_INDEX or the user's data directory."
)
_seeds_option = click.option(
    "--seeds", type=click.Path(path_type=Path), help="Folder of articles; default $QA_SEEDS or seeds/."
)
_threshold_option = click.option("--threshold", type=click.FloatRange(0, 1), help="Least confidence to answer with.")


def _config(index: Path | None = None, seeds: Path | None = None, threshold: float | None = None) -> Config:
    config = Config(threshold=threshold)
    if index is not None:
        config = dataclasses.replace(config, index=index)
    if seeds is not None:
        config = dataclasses.replace(config, seeds=seeds)
    return config


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="article-qa")
def main() -> None:
    """Ask questions about your articles; every answer is an exact quote, with its source.

    \b
    Examples:
      qa ask "who plays Werner?"
      qa chat
      qa serve --port 7860
      qa build --seeds my-articles
    """


@main.command()
@click.argument("question", nargs=-1, required=True)
@_index_option
@_threshold_option
@click.option("--json", "as_json", is_flag=True, help="Print the whole answer as JSON.")
def ask(question: tuple[str, ...], index: Path | None, threshold: float | None, as_json: bool) -> None:
    """Answer one QUESTION. Exit code 0: answered, 1: the documents don't say, 2: something is wrong.

    \b
    Examples:
      qa ask "who plays Werner?"
      qa ask --json "when is it released?" | jq .answer
      qa ask --threshold 0 "who composed the music?"
    """
    with _explained():
        answer = _open(_config(index, threshold=threshold)).ask(" ".join(question))
    if as_json:
        click.echo(json.dumps(answer.to_dict(), ensure_ascii=False, indent=2))
    else:
        _print(answer)
    raise SystemExit(NOT_ANSWERED if answer.text is None and answer.note is None else ANSWERED)


def _print(answer: Answer) -> None:
    from qa.types import NO_ANSWER

    if answer.text is None and answer.note is not None:
        click.echo("\n  ".join((answer.note, *answer.suggestions)))
        return
    if answer.text is None or answer.evidence is None:
        click.echo(click.style(NO_ANSWER, bold=True))
        for hit in answer.passages[:1]:
            click.echo(f"  nearest: {_one_line(hit.passage.text)}")
            click.echo(click.style(f"  {hit.document.name} [{hit.passage.start}:{hit.passage.end}]", dim=True))
        return
    evidence = answer.evidence
    before = evidence.document.text[evidence.sentence_start : evidence.start]
    after = evidence.document.text[evidence.end : evidence.sentence_end]
    mark = click.style(f"[{_one_line(answer.text)}]", bold=True, fg="green")
    click.echo(f"{click.style(_one_line(answer.text), bold=True)}  ({answer.confidence:.0%} sure)")
    click.echo(f"  {_one_line(before, ends=True)}{mark}{_one_line(after, ends=True)}".rstrip())
    click.echo(
        click.style(
            f"  {evidence.document.title} - {evidence.document.name} [{evidence.start}:{evidence.end}]", dim=True
        )
    )
    _print_parts(answer)


def _print_parts(answer: Answer) -> None:
    """The verdict on a yes/no question, the items of a list, the sentences of a summary."""
    if answer.verdict is not None:
        click.echo(f"  so: {'yes' if answer.verdict else 'no'}")
    if answer.note is not None:
        click.echo(f"  {answer.note}")
    for item in answer.items:
        click.echo(f"  - {_one_line(item.document.text[item.start : item.end])} [{item.start}:{item.end}]")


def _one_line(text: str, *, ends: bool = False) -> str:
    line = " ".join(text.split())
    if ends and line:
        line = (" " if text[0].isspace() else "") + line + (" " if text[-1].isspace() else "")
    return "".join(c if c.isprintable() else "?" for c in line)


@main.command()
@_index_option
@_threshold_option
def chat(index: Path | None, threshold: float | None) -> None:
    """Ask one question after another in the terminal. An empty line or Ctrl-D ends it.

    \b
    Example:
      qa chat
    """
    from qa.types import Turn

    with _explained():
        answerer = _open(_config(index, threshold=threshold))
        documents = list(answerer.store.documents().values())
    click.echo(
        f"{len(documents)} document(s): {', '.join(d.title for d in documents[:3])}. An empty line ends the chat."
    )
    history: list[Turn] = []
    while True:
        try:
            question = input("\n> ")
        except (EOFError, KeyboardInterrupt):
            click.echo()
            return
        if not question.strip():
            return
        try:
            answer = answerer.ask(question, history)
            if answer.read_as != answer.question:
                click.echo(click.style(f"understood as: {answer.read_as}", dim=True))
            _print(answer)
            history.append(Turn(answer.read_as, answer.text))
        except (QuestionError, IndexingError) as error:
            click.echo(click.style(str(error), fg="red"))


@main.command()
@_index_option
@_seeds_option
@click.option("--fresh", is_flag=True, help="Set the present index aside (renamed, not deleted) and build anew.")
def build(index: Path | None, seeds: Path | None, fresh: bool) -> None:
    """Bring the index into step with the folder of articles; only what changed is embedded.

    \b
    Examples:
      qa build
      qa build --seeds my-articles --index my-index
      qa build --fresh
    """
    from qa.default import build as build_index

    config = _config(index, seeds)
    with _explained(), _bar("indexing", " documents") as progress:
        report = build_index(config, fresh=fresh, progress=progress)
    for error in report.failed:
        click.echo(click.style("left out: ", fg="yellow") + str(error), err=True)
    click.echo(
        f"{config.index}: {len(report.written)} written, {len(report.unchanged)} unchanged, "
        f"{len(report.removed)} removed, {len(report.failed)} left out"
    )
    if not report.written and not report.unchanged:
        _fail(f"{config.seeds} holds no readable text file; put .txt or .md files there")


@main.command()
@_index_option
@_threshold_option
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=7860, show_default=True, type=click.IntRange(0, 65535), help="Port to listen on.")
def serve(index: Path | None, threshold: float | None, host: str, port: int) -> None:
    """Serve the chat page on this machine; Ctrl-C stops it.

    \b
    Examples:
      qa serve
      qa serve --port 8080
    """
    with _explained():
        answerer = _open(_config(index, threshold=threshold))
        answerer.ask("what is it about?")  # the first question of a process is the slow one; let it be ours
    from ui.chat import serve as serve_page

    def ready(address: str) -> None:
        click.echo(f"The chat is at {address}  (Ctrl-C stops it)")

    try:
        serve_page(answerer, host=host, port=port, on_ready=ready)
    except OSError as error:  # the port is taken, or the host is not this machine's
        _fail(error)
    finally:
        answerer.close()


@main.command("eval")
@click.argument("file", type=click.Path(path_type=Path))
@_index_option
@_threshold_option
@click.option("--given", is_flag=True, help="Read only each row's own context; nothing is retrieved.")
@click.option(
    "--open", "open_setting", is_flag=True, help="Index all contexts of the file in a temporary index, then ask that."
)
@click.option("--model", type=click.Path(path_type=Path), help="Reader folder to use instead of the default.")
@click.option("--limit", type=click.IntRange(1), help="Ask only the first so many questions.")
@click.option("--misses", is_flag=True, help="List each question that was not answered right.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@click.option(
    "--predictions", type=click.Path(path_type=Path), help="Write {id: text} as the official SQuAD script reads it."
)
def evaluate(
    file: Path, index: Path | None, threshold: float | None, given: bool, open_setting: bool, model: Path | None,
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

    config = _config(index, threshold=threshold)
    if model is not None:
        config = dataclasses.replace(config, model=model)
    with _explained():
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

    with _bar("asking", " questions") as progress, tempfile.TemporaryDirectory(prefix="qa-eval-") as folder:
        if open_setting:
            with _bar("indexing", " documents") as indexing:
                answerer = index_contexts(dataclasses.replace(config, index=Path(folder)), golds, indexing)
        elif given:
            answerer = Answerer.without_index(config)
        else:
            answerer = _open(config)
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
    rows += [
        (f"  {kind} ({entry['questions']}): right", entry["right"])
        for kind, entry in figures.get("by_type", {}).items()
    ]
    return "\n".join(f"{name:48} {'-' if value is None else value}" for name, value in rows)


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
@_index_option
@click.option(
    "--most-wrong", default=0.1, show_default=True, type=click.FloatRange(0, 1),
    help="Share of the answers given that may be wrong.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Show the table, change nothing.")
def calibrate(file: Path, index: Path | None, most_wrong: float, dry_run: bool) -> None:
    """Choose how sure to be before answering, from a gold FILE of your own questions, and keep it with the index.

    \b
    Example:
      qa calibrate my-questions.jsonl --most-wrong 0.05
    """
    from qa.coverage import LEAST_QUESTIONS, best_threshold, curve
    from qa.evaluation import evaluate as run
    from qa.evaluation import read_gold
    from qa.pipeline import THRESHOLD_SETTING

    with _explained(), _bar("asking", " questions") as progress:
        golds = read_gold(file)
        answerer = _open(_config(index, threshold=0.0))
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
        with _explained():
            answerer.store.set_setting(THRESHOLD_SETTING, f"{threshold:.4f}")
        click.echo(f"kept with the index: questions are answered from a confidence of {threshold:.2f}")
    answerer.close()


@main.command()
@_index_option
def doctor(index: Path | None) -> None:
    """Check models, index and one question with the network blocked. Exit code 2 when something is wrong.

    \b
    Example:
      qa doctor
    """
    from ui.doctor import examine

    broken = False
    for finding in examine(_config(index)):
        broken = broken or not finding.well
        sign = click.style("ok  ", fg="green") if finding.well else click.style("FAIL", fg="red", bold=True)
        click.echo(f"{sign} {finding.what}: {finding.detail}")
    raise SystemExit(BROKEN if broken else ANSWERED)


if __name__ == "__main__":
    main()
