"""All that is served, put together: the page, health, people's documents, the tools; before them login and guard."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fastapi
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.types import ASGIApp

from index.errors import IndexingError
from qa.pipeline import Answerer
from ui import logs
from ui.auth import Accounts, Gate
from ui.chat import build_app, mount
from ui.desk import Desk
from ui.feedback import FILE_NAME, Feedback
from ui.options import Options, ServingError
from ui.page import STATIC, GuardedPage, allowed_hosts
from ui.serving import address_of, listen, run
from ui.sessions import Sessions
from ui.talk import Talk
from ui.tools import PATH, Tools
from ui.upload_routes import upload_routes
from ui.uploads import Uploads

if TYPE_CHECKING:
    from qa.fluent import Writer

__all__ = ["serve"]

_AT_ONCE = max(2, min(4, os.cpu_count() or 2))  # questions answered at the same time


def serve(answerer: Answerer, options: Options | None = None, *, on_ready: Callable[[str], None] | None = None) -> None:
    """Serve the chat page until Ctrl-C or SIGTERM, then return; what is being answered then is finished first.

    The caller closes the answerer.

    Args:
        on_ready: called with the page's address once it can be opened.

    Raises:
        PortInUseError: another program has the port.
        OSError: this host or port cannot be listened on.
        AuthFileError: the file of accounts cannot be used.
        MissingExtraError: `mcp` is wanted and not installed.
        ServingError: the language model cannot be used as it was set up.
    """
    options = options if options is not None else Options()
    writer = _writer(answerer, options)
    accounts = None if options.auth_file is None else Accounts(options.auth_file)
    if options.logging:
        logs.set_up(messages=options.log_questions)
    desk = Desk(_AT_ONCE, options.waiting)
    with listen(options.host, options.port) as listening:
        uploads = Uploads(answerer, options) if options.uploads else None
        try:
            address = address_of(listening)
            app = _app(answerer, options, desk, uploads, accounts, writer, listening.getsockname())
            logs.event(
                "start", documents=_count(answerer), login=accounts is not None, mcp=options.mcp, llm=options.llm_model
            )
            run(app, listening, lambda: on_ready(address) if on_ready is not None else None, desk)
        finally:
            desk.shut()
            if uploads is not None:
                uploads.close()
            logs.event("stop")


def _writer(answerer: Answerer, options: Options) -> Writer | None:
    """What puts answers into words; imports nothing where no model is set up."""
    if options.llm_url is None and options.llm_model is None:
        return None
    if options.llm_url is None or options.llm_model is None:
        raise ServingError("--llm-url and --llm-model go together; give both, or none")
    from qa.fluent import Limits, SetUpError, Writer

    limits = Limits(first_seconds=options.llm_first_seconds, total_seconds=options.llm_seconds)
    try:
        return Writer(options.llm_url, options.llm_model, answerer, limits)
    except SetUpError as error:
        raise ServingError(str(error)) from error


def _count(answerer: Answerer) -> int | None:
    try:
        return answerer.store.counts()[0]
    except (IndexingError, AttributeError):
        return None


def _app(
    answerer: Answerer,
    options: Options,
    desk: Desk,
    uploads: Uploads | None,
    accounts: Accounts | None,
    writer: Writer | None,
    listening: tuple[Any, ...],
) -> ASGIApp:
    sessions = Sessions(listening[1])
    folder: Path | None = getattr(getattr(answerer, "store", None), "folder", None)  # not every store is a folder
    feedback = Feedback(None if folder is None else folder / FILE_NAME)
    talk = Talk(answerer, desk, uploads, feedback, log_questions=options.log_questions, writer=writer)

    async def answer(question: str) -> dict[str, Any]:
        return (await talk.answer(question, via="mcp")).to_dict()

    tools = Tools(answer, talk.search) if options.mcp else None

    @asynccontextmanager
    async def lifespan(_: fastapi.FastAPI) -> AsyncIterator[None]:
        if tools is None:
            yield
        else:
            async with tools.running():
                yield

    # the docs pages load scripts from a CDN
    web = fastapi.FastAPI(docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)

    @web.get("/healthz")
    async def healthz() -> JSONResponse:
        """200 while questions are answered, else 503; for whatever watches or balances, so it needs no login."""
        if desk.closed:
            return JSONResponse({"status": "stopping"}, 503)
        try:
            await desk.aside(answerer.store.counts)
        except IndexingError:
            return JSONResponse({"status": "the index cannot be read"}, 503)
        return JSONResponse({"status": "ok"})

    web.mount("/page", StaticFiles(directory=STATIC))
    if uploads is not None:
        web.router.routes.extend(upload_routes(uploads, sessions, desk))
    if tools is not None:
        web.router.routes.extend(tools.app.routes)
    mount(web, build_app(talk, sessions.cookie, uploads=uploads is not None), listening)
    biggest = options.upload_megabytes * 1_000_000
    hosts = allowed_hosts(listening[0], options.allow_host)
    guarded: ASGIApp = GuardedPage(web, sessions, biggest, extra=PATH if tools is not None else None, hosts=hosts)
    return guarded if accounts is None else Gate(guarded, accounts)
