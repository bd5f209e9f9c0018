"""Commands that change what is in an index: `qa build`, `qa add`, `qa sync`, `qa remove`."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from qa.config import Config
from ui.console import bar, explained, fail, index_options, make_config, shown

if TYPE_CHECKING:
    from index.build import BuildReport
    from index.handle import Index
    from index.plan import Plan
    from index.types import Encoder

__all__ = ["add", "build", "remove", "sync"]

SOME_FAILED = 1
_INTERRUPTED = "interrupted; what was finished is kept, and the next run goes on from there"

encoder_option = click.option(
    "--encoder",
    type=click.Choice(["onnx", "sentence-transformers"]),
    default="onnx",
    show_default=True,
    help="What embeds the passages; the vectors are the same but for rounding.",
)
dry_run_option = click.option("--dry-run", is_flag=True, help="Show what would be done, change nothing.")


def _encoder(name: str) -> Callable[[], Encoder]:
    from qa.default import bulk_encoder

    if name == "onnx":
        return bulk_encoder
    from index.encoder import SentenceTransformerEncoder

    return SentenceTransformerEncoder


@contextmanager
def _opened(config: Config, *, for_show: bool = False) -> Iterator[Index]:
    """The index of `config`, made where there is none; `for_show` makes it nowhere that stays."""
    from index.handle import Index
    from qa.pipeline import index_exists

    with tempfile.TemporaryDirectory(prefix="qa-plan-") as folder:
        nowhere = for_show and not index_exists(config.index)
        with Index.open(Path(folder) if nowhere else config.index, create=not for_show or nowhere) as index:
            yield index


@click.command()
@index_options
@click.option("--seeds", type=click.Path(path_type=Path), help="Folder of articles; default $QA_SEEDS or seeds/.")
@click.option("--fresh", is_flag=True, help="Set the present index aside (renamed, not deleted) and build anew.")
@encoder_option
def build(index: Path | None, collection: str | None, seeds: Path | None, fresh: bool, encoder: str) -> None:
    """Bring the index into step with the folder of articles; only what changed is embedded.

    \b
    Examples:
      qa build
      qa build --seeds my-articles --index my-index
      qa build --fresh
    """
    from qa.default import build as build_index

    config = make_config(index, collection, seeds=seeds)
    with explained(_INTERRUPTED), bar("indexing", " passages") as progress:
        done = build_index(config, fresh=fresh, progress=progress, encoder=_encoder(encoder))
    _print_report(config, done)
    if not done.written and not done.unchanged:
        fail(f"{config.seeds} holds no readable text file; put .txt or .md files there")


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@index_options
@dry_run_option
@encoder_option
def add(paths: tuple[str, ...], index: Path | None, collection: str | None, dry_run: bool, encoder: str) -> None:
    """Add files, folders (with all in them) and globs; what has not changed since is passed over.

    What a .gitignore or .qaignore in a folder leaves out is left out. Exit code 0: all taken in, 1: some files could
    not be read, which are named, 2: something is wrong.

    \b
    Examples:
      qa add report.pdf my-notes/
      qa add --collection work "reports/**/*.pdf"
      qa add --dry-run my-notes/
    """
    from qa.pipeline import index_exists

    config = make_config(index, collection)
    wanted: list[str | Path] = list(paths)
    if index is None and config.seeds is not None and config.seeds.is_dir() and not index_exists(config.index):
        wanted.insert(0, config.seeds)  # the default collection holds the seeds, too
    with explained(_INTERRUPTED):
        _take_in(config, wanted, encoder, synchronise=False, dry_run=dry_run)


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@index_options
@dry_run_option
@click.option("--watch", is_flag=True, help="Go on and follow the folder until Ctrl-C.")
@click.option("--yes", is_flag=True, help="Remove the documents of a folder that has become empty without asking.")
@encoder_option
def sync(
    folder: Path, index: Path | None, collection: str | None, dry_run: bool, watch: bool, yes: bool, encoder: str
) -> None:
    """Add a FOLDER and keep the index in step with it: what changed is replaced, what vanished removed.

    Only documents that came from the folder are ever removed. Exit codes as of `qa add`.

    \b
    Examples:
      qa sync my-articles --dry-run
      qa sync my-articles
      qa sync my-articles --collection work --watch
    """
    if dry_run and watch:
        raise click.UsageError("--dry-run and --watch exclude each other")
    config = make_config(index, collection)
    with explained(_INTERRUPTED):
        failed = _take_in(config, [folder], encoder, synchronise=True, dry_run=dry_run, yes=yes, end=not watch)
        if watch:
            from ui.watching import follow

            click.echo(f"following {shown(folder)}; Ctrl-C ends it")
            for _ in follow(folder):
                failed = _take_in(config, [folder], encoder, synchronise=True, end=False, watched=failed)


def _take_in(
    config: Config,
    paths: list[str | Path],
    encoder: str,
    *,
    synchronise: bool,
    dry_run: bool = False,
    yes: bool = False,
    end: bool = True,
    watched: tuple[str, ...] | None = None,
) -> tuple[str, ...]:
    """Add or synchronise, and say what was done. Returns what failed; with `end` exits with 1 if anything did.

    While a folder is followed, `watched` is what failed last time: nothing is said when nothing is new.
    """
    from index.build import add_files, plan_files

    words, overlap = config.passage_words, config.passage_overlap
    with _opened(config, for_show=dry_run) as opened:
        store = opened.store
        if dry_run or synchronise:
            plan = plan_files(store, paths, synchronise=synchronise, words=words, overlap=overlap)
            if dry_run:
                _print_plan(plan)
                raise SystemExit(SOME_FAILED if plan.failed else 0)
            emptied = plan.remove and not plan.read and not plan.unchanged
            if emptied and not yes and not _may_empty(len(plan.remove), watched is not None):
                return ()
        with bar("embedding", " passages") as progress:
            done = add_files(
                store, paths, _encoder(encoder), synchronise=synchronise, words=words, overlap=overlap,
                progress=progress,
            )  # fmt: skip
    failed = tuple(str(error) for error in done.failed)
    if watched is None or done.written or done.removed or failed != watched:
        _print_report(config, done)
    if end and failed:
        raise SystemExit(SOME_FAILED)
    return failed


def _may_empty(documents: int, watching: bool) -> bool:
    """Whether to go on when a folder holds nothing any more: it may just not be mounted."""
    question = f"the folder holds no documents any more; remove all {documents} that came from it?"
    if watching:
        click.echo(f"{question} Not while following; run `qa sync --yes`", err=True)
        return False
    return click.confirm(question, err=True)


def _print_plan(plan: Plan) -> None:
    for sign, what, names in (
        ("+", "new", plan.new),
        ("~", "changed", plan.changed),
        ("-", "to remove", plan.remove),
    ):
        for name in names:
            click.echo(f"{sign} {shown(name)}  ({what})")
    for error in plan.failed:
        click.echo(click.style("left out: ", fg="yellow") + shown(error), err=True)
    click.echo(
        f"{len(plan.new)} new, {len(plan.changed)} changed, {len(plan.remove)} to remove, "
        f"{len(plan.unchanged)} unchanged; nothing was done"
    )


def _print_report(config: Config, done: BuildReport) -> None:
    for error in done.failed:
        click.echo(click.style("left out: ", fg="yellow") + shown(error), err=True)
    click.echo(
        f"{config.index}: {len(done.written)} written, {len(done.unchanged)} unchanged, "
        f"{len(done.removed)} removed, {len(done.failed)} left out"
    )


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME|GLOB...")
@index_options
@dry_run_option
@click.option("--yes", is_flag=True, help="Do not ask first.")
def remove(names: tuple[str, ...], index: Path | None, collection: str | None, dry_run: bool, yes: bool) -> None:
    """Remove documents from the index by name or glob; the files stay where they are.

    Exit code 0: removed, 1: nothing was, 2: something is wrong.

    \b
    Examples:
      qa remove report.pdf
      qa remove "old/*" --dry-run
      qa remove --collection work "*.csv" --yes
    """
    from index.handle import Index, matching

    config = make_config(index, collection)
    with explained(), Index.open(config.index) as opened:
        known = [entry.name for entry in opened.documents()]
        for pattern in names:
            if not matching(known, (pattern,)):
                click.echo(f"no document matches {shown(pattern)}; `qa list` names them", err=True)
        found = matching(known, names)
        for name in found:
            click.echo(f"- {shown(name)}")
        if dry_run or not found:
            click.echo(f"{len(found)} to remove; nothing was done")
            raise SystemExit(0 if found else 1)
        if not yes and not click.confirm(f"Remove {len(found)} document(s) from {config.index}?", err=True):
            raise SystemExit(1)
        removed = sum(opened.store.remove(name) for name in found)
    click.echo(f"{config.index}: {removed} removed")
