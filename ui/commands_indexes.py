"""Commands that look at indexes and copy them: `qa list`, `qa collections`, `qa export`, `qa import`."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ui.console import bar, explained, fail, index_options, make_config, shown

if TYPE_CHECKING:
    from index.types import Entry

__all__ = ["collections", "export", "import_documents", "list_documents"]


@click.command("list")
@index_options
@click.option("--json", "as_json", is_flag=True, help="Print the documents as JSON.")
def list_documents(index: Path | None, collection: str | None, as_json: bool) -> None:
    """List the documents of an index.

    \b
    Examples:
      qa list
      qa list --collection work --json
    """
    from index.handle import Index

    with explained(), Index.open(make_config(index, collection).index) as opened:
        entries = opened.documents()
    if as_json:
        click.echo(json.dumps([asdict(entry) for entry in entries], ensure_ascii=False, indent=2))
    else:
        click.echo(_table(entries))


def _table(entries: list[Entry]) -> str:
    rows = [("name", "title", "date", "passages", "added")]
    rows += [(shown(e.name), shown(e.title), e.date or "", str(e.passages), (e.added or "")[:10]) for e in entries]
    # a name is what `qa remove` is told, so it is never cut
    name, title, date, passages = (max(len(row[column]) for row in rows) for column in range(4))
    title = min(title, 50)
    lines = [
        f"{row[0]:{name}}  {row[1][:title]:{title}}  {row[2]:{date}}  {row[3]:>{passages}}  {row[4]}" for row in rows
    ]
    return "\n".join([*(line.rstrip() for line in lines), f"{len(entries)} document(s)"])


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the collections as JSON.")
def collections(as_json: bool) -> None:
    """List the collections there are, with their documents and passages.

    \b
    Example:
      qa collections
    """
    from index.collections import DEFAULT, collection_folder, collection_names
    from index.errors import IndexingError
    from index.handle import Index
    from qa.config import default_index_folder
    from qa.pipeline import index_exists

    folders = {DEFAULT: default_index_folder()} if index_exists(default_index_folder()) else {}
    folders |= {name: collection_folder(name) for name in collection_names()}
    rows: list[dict[str, object]] = []
    for name, folder in folders.items():
        row: dict[str, object] = {"name": name, "folder": str(folder)}
        try:
            with Index.open(folder) as opened:
                row["documents"], row["passages"] = opened.store.counts()
        except IndexingError as error:  # one that is damaged should not hide the others
            row["problem"] = str(error)
        rows.append(row)
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for row in rows:
        holds = row.get("problem") or f"{row['documents']} documents, {row['passages']} passages"
        click.echo(f"{row['name']}: {holds}  ({row['folder']})")
    if not rows:
        click.echo("no collection yet; `qa add --collection NAME PATH` makes one")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@index_options
def export(file: Path, index: Path | None, collection: str | None) -> None:
    """Write settings, documents and passages to a FILE of JSON lines; - is standard output. `qa import` reads it back.

    \b
    Examples:
      qa export backup.jsonl
      qa export --collection work - | jq .name
    """
    from index.exporting import export_lines
    from index.handle import Index

    with explained(), Index.open(make_config(index, collection).index) as opened:
        if str(file) == "-":
            for line in export_lines(opened.store):
                click.echo(line)
            return
        part = file.with_name(f"{file.name}.part")
        try:
            with part.open("w", encoding="utf-8") as target:
                for line in export_lines(opened.store):
                    target.write(f"{line}\n")
            os.replace(part, file)  # noqa: PTH105 - replaces what stands there, on every system
        except OSError as error:
            fail(f"{file} cannot be written ({error.strerror or error})")
        click.echo(f"{file}: {len(opened)} document(s)")


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@index_options
def import_documents(file: Path, index: Path | None, collection: str | None) -> None:
    """Take in a FILE that `qa export` wrote; documents replace those of their names, others stay.

    \b
    Examples:
      qa import backup.jsonl
      qa import --collection copy backup.jsonl
    """
    from index.exporting import import_file
    from index.handle import Index
    from qa.default import bulk_encoder

    config = make_config(index, collection)
    done = 0
    with explained(), Index.open(config.index, create=True) as opened, bar("embedding", " passages") as progress:

        def embedded(passages: int) -> None:
            nonlocal done
            done += passages
            progress(done, done)

        written = import_file(
            opened.store,
            file,
            bulk_encoder,
            words=config.passage_words,
            overlap=config.passage_overlap,
            embedded=embedded,
        )
    click.echo(f"{config.index}: {len(written)} written")
