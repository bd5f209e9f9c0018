"""What `qa serve` can be told, in one frozen object, and its command-line options."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import click

__all__ = ["Options", "ServingError", "llm_given", "llm_options", "serving_options"]


class ServingError(Exception):
    """What was asked for cannot be served; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Options:
    """How the chat is served.

    Attributes:
        host, port: where to listen; port 0 takes a free one.
        allow_host: names besides localhost that a server may be called by which listens on this machine only, such as
            that of a proxy before it.
        auth_file: `name:hash` lines of those who may come in; None lets everyone in.
        mcp: whether the tools `answer` and `search` are offered at /mcp.
        waiting: questions that may wait for their turn; more are turned away with a message.
        logging: whether events are written to standard error as JSON lines.
        log_questions: whether these tell what was asked.
        uploads: whether people may add documents of their own.
        upload_megabytes: largest file.
        upload_files: most files of one browser.
        upload_characters: most text of one browser's files together; about 3,000 make a page.
        upload_seconds: longest time to receive a file, and to read and index it.
        upload_idle_minutes: uploads are removed when their browser has not been heard of for so long.
        llm_url: where the API of an OpenAI-compatible server begins, whose model puts answers into words; None: no
            model does.
        llm_model: the name the server knows the model by.
        llm_first_seconds, llm_seconds: how long its first piece of text, and the whole of it, are waited for.
        upload_browsers: most browsers that may have files here at the same time.
    """

    host: str = "127.0.0.1"
    port: int = 7860
    allow_host: tuple[str, ...] = ()
    auth_file: Path | None = None
    mcp: bool = False
    waiting: int = 50
    logging: bool = False
    log_questions: bool = False
    uploads: bool = True
    upload_megabytes: int = 25
    upload_files: int = 20
    upload_characters: int = 2_000_000
    upload_seconds: int = 300
    upload_idle_minutes: float = 60
    upload_browsers: int = 100
    llm_url: str | None = None
    llm_model: str | None = None
    llm_first_seconds: float = 30
    llm_seconds: float = 90


_DEFAULT = Options()
_LLM = (
    click.option(
        "--llm-url", metavar="URL",
        help="Let a model put answers into words: where its OpenAI-compatible API begins, such as "
        "http://127.0.0.1:11434/v1 (Ollama). $QA_LLM_KEY may hold its key.",
    ),
    click.option("--llm-model", metavar="NAME", help="The name that server knows the model by."),
)  # fmt: skip
_at_least_1 = click.IntRange(1)
_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option("--host", default=_DEFAULT.host, show_default=True, help="Address to listen on."),
    click.option("--port", default=_DEFAULT.port, show_default=True, type=click.IntRange(0, 65535), help="Port."),
    click.option("--allow-host", multiple=True, help="Name that a proxy calls this server by; may be repeated."),
    click.option(
        "--auth-file", type=click.Path(path_type=Path), help="Let in only the accounts of this file (`qa password`)."
    ),
    click.option("--mcp", is_flag=True, help="Offer the tools `answer` and `search` to MCP clients at /mcp."),
    click.option(
        "--waiting", default=_DEFAULT.waiting, show_default=True, type=click.IntRange(0),
        help="Questions that may wait; more are turned away.",
    ),
    click.option("--log-questions", is_flag=True, help="Let the log on standard error tell what was asked."),
    click.option("--uploads/--no-uploads", default=True, show_default=True, help="Let people add their own documents."),
    click.option(
        "--upload-megabytes", default=_DEFAULT.upload_megabytes, show_default=True, type=_at_least_1,
        help="Largest file.",
    ),
    click.option(
        "--upload-files", default=_DEFAULT.upload_files, show_default=True, type=_at_least_1,
        help="Most files of one browser.",
    ),
    click.option(
        "--upload-idle-minutes", default=_DEFAULT.upload_idle_minutes, show_default=True,
        type=click.FloatRange(0, min_open=True), help="Uploads are removed after so long without a sign of life.",
    ),
    *_LLM,
    click.option(
        "--llm-first-seconds", default=_DEFAULT.llm_first_seconds, show_default=True,
        type=click.FloatRange(0, min_open=True), help="Longest wait for the model's first words.",
    ),
    click.option(
        "--llm-seconds", default=_DEFAULT.llm_seconds, show_default=True, type=click.FloatRange(0, min_open=True),
        help="Longest wait for all of its text.",
    ),
)  # fmt: skip


def llm_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a click command the options --llm-url and --llm-model."""
    for option in reversed(_LLM):
        command = option(command)
    return command


def llm_given(url: str | None, model: str | None) -> tuple[str, str] | None:
    """Both of --llm-url and --llm-model, or None where neither is given.

    Raises:
        click.UsageError: one is given without the other.
    """
    if (url is None) != (model is None):
        raise click.UsageError("--llm-url and --llm-model go together: one says where the model is, the other its name")
    return None if url is None or model is None else (url, model)


def serving_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a click command the options of serving; its function gets them as one argument, `options`."""
    names = {field.name for field in fields(Options)}

    @functools.wraps(command)
    def with_options(**given: Any) -> Any:
        serving = {name: given.pop(name) for name in list(given) if name in names}
        return command(**given, options=Options(**serving, logging=True))

    for option in reversed(_OPTIONS):
        with_options = option(with_options)
    return with_options
