"""What the commands have in common: options, errors as one line, the progress bar, text that is safe in a terminal."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from index.collections import DEFAULT, collection_folder
from index.errors import IndexingError, StoreError
from qa.config import Config
from qa.errors import QuestionError

if TYPE_CHECKING:
    from qa.pipeline import Answerer

__all__ = [
    "ANSWERED",
    "BROKEN",
    "NOT_ANSWERED",
    "bar",
    "explained",
    "fail",
    "index_options",
    "make_config",
    "one_line",
    "open_answerer",
    "shown",
    "threshold_option",
]

ANSWERED, NOT_ANSWERED, BROKEN = 0, 1, 2

F = TypeVar("F", bound=Callable[..., Any])


def fail(message: object) -> NoReturn:
    """Print an error and end with exit code 2."""
    click.echo(click.style("error: ", fg="red", bold=True) + str(message), err=True)
    raise SystemExit(BROKEN)


@contextmanager
def explained(interrupted: str = "interrupted") -> Iterator[None]:
    """Errors that a person can act on become one line and exit code 2; Ctrl-C becomes `interrupted` and 130."""
    from qa.evaluation import GoldError

    try:
        yield
    except (IndexingError, QuestionError, GoldError) as error:
        fail(error)
    except KeyboardInterrupt:
        click.echo(interrupted, err=True)
        raise SystemExit(130) from None


@contextmanager
def bar(label: str, unit: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on standard error that is told (done, total); shown once there is something to do."""
    from tqdm import tqdm

    shown: tqdm[Any] | None = None

    def progress(done: int, total: int) -> None:
        nonlocal shown
        if shown is None:
            shown = tqdm(total=total, desc=label, unit=unit, file=sys.stderr)
        shown.total = total
        shown.update(done - shown.n)

    try:
        yield progress
    finally:
        if shown is not None:
            shown.close()


def open_answerer(config: Config) -> Answerer:
    """The index of `config`, built first where there is none."""
    from qa.default import open_or_build

    with bar("indexing", " passages") as progress:
        return open_or_build(config, progress)


def index_options(command: F) -> F:
    """The options --index and --collection."""
    command = click.option(
        "--collection", metavar="NAME", help="Named collection to use, or its path; see `qa collections`."
    )(command)
    return click.option(
        "--index", type=click.Path(path_type=Path), help="Index folder; default $QA_INDEX or the user's data directory."
    )(command)


threshold_option = click.option("--threshold", type=click.FloatRange(0, 1), help="Least confidence to answer with.")


def make_config(
    index: Path | None = None,
    collection: str | None = None,
    *,
    seeds: Path | None = None,
    threshold: float | None = None,
) -> Config:
    """The configuration that the options of a command amount to."""
    try:
        config = Config(threshold=threshold)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if index is not None and collection is not None:
        raise click.UsageError("--index and --collection exclude each other")
    if index is not None:
        config = dataclasses.replace(config, index=index)
    if collection is not None and collection != DEFAULT:
        try:
            config = dataclasses.replace(config, index=collection_folder(collection), seeds=None)
        except StoreError as error:
            raise click.UsageError(str(error)) from error
    if seeds is not None:
        config = dataclasses.replace(config, seeds=seeds)
    return config


def one_line(text: str, *, ends: bool = False) -> str:
    """Text on one line, with nothing in it that could act on a terminal; `ends` keeps a space at either end."""
    line = " ".join(text.split())
    if ends and line:
        line = (" " if text[0].isspace() else "") + line + (" " if text[-1].isspace() else "")
    return "".join(c if c.isprintable() else "?" for c in line)


def shown(name: object) -> str:
    """A name or message as it can be printed: line breaks and control characters escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(name))
