"""Commands for the owner of an index: `qa diff` (answers that changed), `qa report` (questions without an answer)."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ui.console import bar, explained, fail, index_options, make_config, one_line, open_answerer, shown

if TYPE_CHECKING:
    from qa.changes import Kept

__all__ = ["diff", "report"]

CHANGED = 1


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@index_options
@click.option(
    "--save", type=click.Path(path_type=Path, dir_okay=False), help="Keep the answers to FILE's questions here."
)
@click.option("--json", "as_json", is_flag=True, help="Print the changes as JSON.")
def diff(file: Path, index: Path | None, collection: str | None, save: Path | None, as_json: bool) -> None:
    """See which answers changed: with --save, keep the answers to the questions of FILE; without, ask what was kept in
    FILE again and list the answers or sources that are others now.

    Questions stand one a line, or in JSON lines with a "question". Exit code 0: nothing changed, 1: something did,
    2: something is wrong.

    \b
    Examples:
      qa diff questions.txt --save answers.jsonl
      qa diff answers.jsonl
      qa diff answers.jsonl --save answers.jsonl
    """
    from qa.changes import ask_all, compare, read_kept, read_questions, write_kept

    with explained():
        before = read_kept(file) if save is None else []
        questions = [one.question for one in before] if save is None else read_questions(file)
        answerer = open_answerer(make_config(index, collection))
        with bar("asking", " questions") as progress:
            now = ask_all(answerer, questions, progress)
    if save is not None:
        try:
            write_kept(save, now)
        except OSError as error:
            fail(f"{save} cannot be written ({error.strerror or error})")
        click.echo(f"{save}: {len(now)} question(s), {sum(one.answer is not None for one in now)} answered")
        return
    changes = compare(before, now)
    if as_json:
        click.echo(json.dumps([asdict(change) for change in changes], ensure_ascii=False, indent=2))
    else:
        for change in changes:
            click.echo(f"{click.style(change.what, bold=True)}: {one_line(change.before.question)}")
            click.echo(f"  before: {_told(change.before)}\n  now:    {_told(change.now)}")
        click.echo(f"{len(changes)} of {len(now)} changed")
    raise SystemExit(CHANGED if changes else 0)


def _told(kept: Kept) -> str:
    if kept.answer is None:
        return "(the documents don't say)"
    return f"{one_line(kept.answer)}  - {one_line(kept.sentence or '')}  [{shown(kept.document)}]"


@click.command()
@index_options
@click.option("--json", "as_json", is_flag=True, help="Print the groups as JSON.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="Show so many groups.")
@click.option("--clear", is_flag=True, help="Forget the questions kept so far.")
def report(index: Path | None, collection: str | None, as_json: bool, limit: int, clear: bool) -> None:
    """Show the questions that found no answer, those alike together, the most asked first.

    They are kept in the index folder on this machine: the question, when, and the confidence. QA_LOG_QUESTIONS=0
    switches it off.

    \b
    Examples:
      qa report
      qa report --collection work --json
      qa report --clear
    """
    from index.encoder import OnnxEncoder
    from qa.unanswered import clusters, forget_unanswered, read_unanswered

    folder = make_config(index, collection).index
    with explained():
        if clear:
            try:
                forget_unanswered(folder)
            except OSError as error:
                fail(f"{folder} cannot be written ({error.strerror or error})")
            click.echo("forgotten")
            return
        asked = read_unanswered(folder)
        groups = clusters(asked, OnnxEncoder()) if asked else []
    if as_json:
        click.echo(json.dumps([asdict(group) for group in groups[:limit]], ensure_ascii=False, indent=2))
        return
    for group in groups[:limit]:
        click.echo(f"{group.asked:4}  {one_line(group.questions[0])}  (last {group.last[:10]})")
        for question in group.questions[1:4]:
            click.echo(f"      {one_line(question)}")
        if len(group.questions) > 4:
            click.echo(f"      and {len(group.questions) - 4} more wordings")
    click.echo(f"{len(asked)} question(s) without an answer, in {len(groups)} group(s)")
