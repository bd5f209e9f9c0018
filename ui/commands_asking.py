"""Commands that ask: `qa ask`, `qa chat`, `qa serve`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from index.errors import IndexingError
from qa.errors import QuestionError
from qa.unanswered import note_unanswered
from ui.console import (
    ANSWERED,
    NOT_ANSWERED,
    explained,
    fail,
    index_options,
    make_config,
    one_line,
    open_answerer,
    shown,
    threshold_option,
)
from ui.options import Options, ServingError, llm_given, llm_options, serving_options

if TYPE_CHECKING:
    from qa.pipeline import Answerer
    from qa.types import Answer

__all__ = ["ask", "chat", "serve"]


@click.command()
@click.argument("question", nargs=-1, required=True)
@index_options
@threshold_option
@click.option("--json", "as_json", is_flag=True, help="Print the whole answer as JSON.")
@llm_options
def ask(
    question: tuple[str, ...],
    index: Path | None,
    collection: str | None,
    threshold: float | None,
    as_json: bool,
    llm_url: str | None,
    llm_model: str | None,
) -> None:
    """Answer one QUESTION. Exit code 0: answered, 1: the documents don't say, 2: something is wrong.

    \b
    Examples:
      qa ask "who plays Werner?"
      qa ask --json "when is it released?" | jq .answer
      qa ask --threshold 0 "who composed the music?"
      qa ask --collection notes "when is the next meeting?"
      qa ask --llm-url http://127.0.0.1:11434/v1 --llm-model llama3.2 "who plays Werner?"
    """
    given = llm_given(llm_url, llm_model)
    with explained():
        answerer = open_answerer(make_config(index, collection, threshold=threshold))
        answer = answerer.ask(" ".join(question))
        note_unanswered(answerer, answer)
    if as_json:
        click.echo(json.dumps(answer.to_dict(), ensure_ascii=False, indent=2))
    else:
        print_answer(answer)
        if given is not None:
            print_fluent(answer, answerer, *given)
    raise SystemExit(NOT_ANSWERED if answer.text is None and answer.note is None else ANSWERED)


def print_fluent(answer: Answer, answerer: Answerer, url: str, model: str) -> None:
    """What a model says about the answer, each doubtful sentence with why it is doubted."""
    from qa.fluent import FluentError, Writer

    try:
        texts = list(Writer(url, model, answerer).write(answer))
    except FluentError as error:
        fail(error)
    if not texts:
        return
    last = texts[-1]
    if last.state == "failed":
        click.echo(click.style(f"no text by {shown(model)}: {one_line(last.detail or '')}", dim=True), err=True)
        return
    click.echo(f"\nWritten by {shown(model)}, a language model:")
    for sentence in last.sentences:
        cites = "".join(f"[{number}]" for number in sentence.cites)
        doubt = "" if sentence.why is None else click.style(f"  unsupported: {one_line(sentence.why)}", fg="red")
        click.echo(f"  {one_line(sentence.text)} {cites}{doubt}")
    for source in last.sources:
        if any(source.number in sentence.cites for sentence in last.sentences):
            place = f"{shown(source.document.name)} [{source.start}:{source.end}]"
            click.echo(click.style(f"  [{source.number}] {place}", dim=True))


def print_answer(answer: Answer) -> None:
    from qa.types import NO_ANSWER

    if answer.text is None and answer.note is not None:
        click.echo("\n  ".join((answer.note, *answer.suggestions)))
        return
    if answer.text is None or answer.evidence is None:
        click.echo(click.style(NO_ANSWER, bold=True))
        for hit in answer.passages[:1]:
            click.echo(f"  nearest: {one_line(hit.passage.text)}")
            click.echo(click.style(f"  {shown(hit.document.name)} [{hit.passage.start}:{hit.passage.end}]", dim=True))
        return
    evidence = answer.evidence
    before = evidence.document.text[evidence.sentence_start : evidence.start]
    after = evidence.document.text[evidence.end : evidence.sentence_end]
    mark = click.style(f"[{one_line(answer.text)}]", bold=True, fg="green")
    click.echo(f"{click.style(one_line(answer.text), bold=True)}  ({answer.confidence:.0%} sure)")
    click.echo(f"  {one_line(before, ends=True)}{mark}{one_line(after, ends=True)}".rstrip())
    place = f"{shown(evidence.document.title)} - {shown(evidence.document.name)} [{evidence.start}:{evidence.end}]"
    click.echo(click.style(f"  {place}", dim=True))
    _print_parts(answer)


def _print_parts(answer: Answer) -> None:
    """The verdict on a yes/no question, the items of a list, the sentences of a summary."""
    if answer.verdict is not None:
        click.echo(f"  so: {'yes' if answer.verdict else 'no'}")
    if answer.note is not None:
        click.echo(f"  {answer.note}")
    for item in answer.items:
        click.echo(f"  - {one_line(item.document.text[item.start : item.end])} [{item.start}:{item.end}]")


@click.command()
@index_options
@threshold_option
def chat(index: Path | None, collection: str | None, threshold: float | None) -> None:
    """Ask one question after another in the terminal. An empty line or Ctrl-D ends it.

    \b
    Example:
      qa chat
    """
    from qa.types import Turn

    with explained():
        answerer = open_answerer(make_config(index, collection, threshold=threshold))
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
            note_unanswered(answerer, answer)
            if answer.read_as != answer.question:
                click.echo(click.style(f"understood as: {answer.read_as}", dim=True))
            print_answer(answer)
            history.append(Turn(answer.read_as, answer.text))
        except (QuestionError, IndexingError) as error:
            click.echo(click.style(str(error), fg="red"))


@click.command()
@index_options
@threshold_option
@serving_options
def serve(index: Path | None, collection: str | None, threshold: float | None, options: Options) -> None:
    """Serve the chat page on this machine; Ctrl-C stops it.

    \b
    Examples:
      qa serve
      qa serve --port 8080
      qa serve --host 0.0.0.0 --auth-file accounts.txt
      qa serve --mcp
      qa serve --llm-url http://127.0.0.1:11434/v1 --llm-model llama3.2
    """
    llm_given(options.llm_url, options.llm_model)
    with explained():
        answerer = open_answerer(make_config(index, collection, threshold=threshold))
        answerer.ask("what is it about?")  # the first question of a process is the slow one; let it be ours
    from ui.server import serve as serve_page

    def ready(address: str) -> None:
        click.echo(f"The chat is at {address}  (Ctrl-C stops it)")

    try:
        serve_page(answerer, options, on_ready=ready)
    except (OSError, ServingError) as error:  # the port is taken, the host is not this machine's, ...
        fail(error)
    finally:
        answerer.close()
