"""The `qa` command. Heavy imports happen inside the commands that need them, so that asking starts fast."""

from __future__ import annotations

import click

from ui import (
    commands_asking,
    commands_changes,
    commands_documents,
    commands_indexes,
    commands_measuring,
    commands_serving,
)

__all__ = ["main"]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="article-qa")
def main() -> None:
    """Ask questions about your articles; every answer is an exact quote, with its source.

    \b
    Examples:
      qa ask "who plays Werner?"
      qa chat
      qa serve --port 7860
      qa add report.pdf my-notes/
      qa sync my-articles
    """


for _command in (
    commands_asking.ask,
    commands_asking.chat,
    commands_asking.serve,
    commands_documents.build,
    commands_documents.add,
    commands_documents.sync,
    commands_documents.remove,
    commands_indexes.list_documents,
    commands_indexes.collections,
    commands_indexes.export,
    commands_indexes.import_documents,
    commands_changes.diff,
    commands_changes.report,
    commands_measuring.evaluate,
    commands_measuring.calibrate,
    commands_measuring.doctor,
    commands_serving.password,
    commands_serving.feedback,
):
    main.add_command(_command)


if __name__ == "__main__":
    main()
