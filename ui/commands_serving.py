"""Commands around serving: a line for the file of accounts, and a gold file of what people thought."""

from __future__ import annotations

import json
from pathlib import Path

import click

__all__ = ["feedback", "password"]


@click.command()
@click.argument("name")
@click.password_option(help="The password; asked for when it is not given.")
def password(name: str, password: str) -> None:
    """Print a line for the accounts file of `qa serve --auth-file`: NAME with a hash of a password.

    \b
    Example:
      qa password ada >> accounts.txt
    """
    from ui.auth import line_for

    try:
        click.echo(line_for(name, password))
    except ValueError as error:
        raise click.UsageError(str(error)) from error


@click.command()
@click.option("--index", type=click.Path(path_type=Path), help="Index folder; default as in `qa ask`.")
@click.option("--out", type=click.Path(path_type=Path), help="Write here instead of standard output.")
def feedback(index: Path | None, out: Path | None) -> None:
    """Make a gold file, as `qa eval` reads it, of the thumbs up and down given on the chat page.

    \b
    Examples:
      qa feedback --out gold.jsonl
      qa eval gold.jsonl --misses
    """
    from qa.config import default_index_folder
    from ui.feedback import FILE_NAME, FeedbackError, gold_rows

    path = (index if index is not None else default_index_folder()) / FILE_NAME
    try:
        lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in gold_rows(path)]
    except FeedbackError as error:
        raise click.ClickException(str(error)) from error
    if out is None:
        click.echo("".join(lines), nl=False)
        return
    out.write_text("".join(lines), encoding="utf-8")
    click.echo(f"{out}: {len(lines)} questions")
