"""The chat page: a conversation on the left, the sources of the answer in focus on the right."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

# Read by Gradio and its libraries when they are imported: nothing may be reported, looked up or fetched anywhere.
os.environ.update(
    GRADIO_ANALYTICS_ENABLED="False",
    GRADIO_SHARE="False",
    GRADIO_MCP_SERVER="False",
    HF_HUB_OFFLINE="1",
    HF_HUB_DISABLE_TELEMETRY="1",
    DO_NOT_TRACK="1",
)

import fastapi
import gradio as gr
from fastapi.staticfiles import StaticFiles

from index.errors import IndexingError
from qa.errors import QuestionError
from qa.pipeline import Answerer
from qa.types import Turn
from qa.unanswered import note_unanswered
from ui import render
from ui.conversation import Conversation, Message
from ui.page import STATIC, TITLE, GuardedPage
from ui.serving import PortInUseError, address_of, listen, run

__all__ = ["EXAMPLES", "PortInUseError", "build_app", "serve"]

EXAMPLES = ("What is it about?", "Who is in it?", "When does it come out?", "Where did it take place?")

_AT_ONCE = 4  # questions answered at the same time; the others wait their turn
_WAITING = 200  # more than this many are turned away with a message

_log = logging.getLogger(__name__)


def build_app(answerer: Answerer, examples: Sequence[str] = EXAMPLES) -> gr.Blocks:
    """The page's components and what they do, not yet served.

    Each browser tab has a conversation of its own. `examples` are questions to click on.
    """

    def ask(typed: str, said: Conversation, event: gr.EventData) -> Iterator[tuple[Any, ...]]:
        """Show the question at once, then its answer; a question that could not be answered stays in the box."""
        clicked = isinstance(event.target, gr.Button) and event.target.value in examples
        question = str(event.target.value) if clicked else typed
        bubble = render.question_bubble(question)
        asked = said.plus(Message("user", bubble)) if question.strip() else said
        waiting = asked.plus(Message("assistant", render.waiting_bubble()))
        yield waiting.shown(), gr.skip(), typed if clicked else "", said
        try:
            found = answerer.ask(question, said.turns)
        except Exception as error:
            asked = asked.plus(Message("assistant", render.problem_bubble(_explained(error))))
            yield asked.shown(), gr.skip(), typed, asked
            return
        note_unanswered(answerer, found)
        panel = render.sources_panel(found)
        turn = Turn(found.read_as, found.text)
        reply = Message("assistant", render.answer_bubble(found), panel, turn)
        asked = said.plus(Message("user", bubble, panel), reply)
        asked = asked.looking_at(len(asked.messages) - 1)
        # the box was emptied already, and may hold the beginning of the next question by now
        yield asked.shown(), panel, gr.skip(), asked

    def look_back(said: Conversation, event: gr.SelectData) -> tuple[Any, ...]:
        """Show the sources of the message clicked."""
        looking = said.looking_at(event.index)
        if looking is said:  # nothing to show; nor may a question still being answered vanish from the page
            return gr.skip(), gr.skip(), gr.skip()
        return looking.shown(), looking.sources, looking

    def clear() -> tuple[Any, ...]:
        return [], render.empty_panel(), "", Conversation()

    def answer(question: str) -> dict[str, Any]:
        """Answer one question: the answer or null, its confidence, where it stands, and the passages found."""
        try:
            return answerer.ask(question).to_dict()
        except Exception as error:
            raise gr.Error(_explained(error), print_exception=False) from error

    hidden: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    limit: dict[str, Any] = {"concurrency_limit": _AT_ONCE, "concurrency_id": "answers"}
    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True) as app:
        said = gr.State(Conversation())
        with gr.Row(elem_id="bar"):
            gr.Markdown(f"# {TITLE}", elem_id="title")
            clearing = gr.Button("Clear", size="sm", elem_id="clear", scale=0)
        with gr.Row(elem_id="columns"):
            with gr.Column(elem_id="talk"):
                conversation = gr.Chatbot(
                    label="Conversation",
                    show_label=False,
                    elem_id="conversation",
                    height="auto",
                    render_markdown=False,  # the messages are HTML already, which Gradio sanitises once more
                    sanitize_html=True,
                    allow_tags=False,
                    latex_delimiters=[],
                    group_consecutive_messages=False,
                    autoscroll=False,  # static/chat.js scrolls, also for those who had scrolled up
                    buttons=[],
                    placeholder=(
                        "<strong>Ask a question</strong>Every answer is an exact quote from the articles, "
                        "shown where it stands. What they don't say is not made up."
                    ),
                )
                with gr.Row(elem_id="examples"):
                    chips = [gr.Button(example, size="sm", scale=0, min_width=0) for example in examples]
                with gr.Row(elem_id="ask"):
                    box = gr.Textbox(
                        label="Your question",
                        placeholder="Type a question",
                        show_label=False,
                        container=False,
                        lines=1,
                        max_lines=4,
                        autofocus=True,
                        elem_id="question",
                    )
                    send = gr.Button("Ask", variant="primary", scale=0, elem_id="send")
            with gr.Column(elem_id="side"):
                sources = gr.Markdown(
                    render.empty_panel(), elem_id="sources", sanitize_html=True, latex_delimiters=[], header_links=False
                )
        shown = [conversation, sources, box, said]
        # one listener for all ways of asking, so that a second question waits until the first one is answered
        asking = gr.on(
            [box.submit, send.click, *(chip.click for chip in chips)], ask, [box, said], shown, **hidden, **limit
        )
        conversation.select(look_back, [said], [conversation, sources, said], queue=False, **hidden)
        clearing.click(clear, None, shown, queue=False, cancels=[asking], **hidden)
        gr.api(answer, api_name="answer", **limit)
    app.queue(max_size=_WAITING)
    return app


def serve(
    answerer: Answerer, *, host: str = "127.0.0.1", port: int = 7860, on_ready: Callable[[str], None] | None = None
) -> None:
    """Serve the chat page until Ctrl-C or SIGTERM, then return. The caller closes the answerer.

    Args:
        host: address of this machine to listen on.
        port: port to listen on, never another one; 0 takes a free one.
        on_ready: called with the page's address once it can be opened.

    Raises:
        PortInUseError: another program has the port.
        OSError: this host or port cannot be listened on.
    """
    with listen(host, port) as listening:
        address = address_of(listening)
        web = _web_app(build_app(answerer), listening.getsockname())
        run(web, listening, lambda: on_ready(address) if on_ready is not None else None)


def _web_app(blocks: gr.Blocks, listening: tuple[Any, ...]) -> GuardedPage:
    web = fastapi.FastAPI(docs_url=None, redoc_url=None, openapi_url=None)  # the docs pages load scripts from a CDN

    @web.get("/healthz")
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    web.mount("/page", StaticFiles(directory=STATIC))
    gr.mount_gradio_app(
        web,
        blocks,
        "/",
        server_name=listening[0],
        server_port=listening[1],
        footer_links=[],
        run_history=False,
        enable_monitoring=False,
        ssr_mode=False,
        pwa=False,
        mcp_server=False,
        show_error=True,
        favicon_path=str(STATIC / "icon.svg"),
        theme=_theme(),
        app_kwargs={"openapi_url": None},
    )
    return GuardedPage(web)


def _theme() -> gr.themes.Base:
    """Fonts that the reader's machine has: plain names, which Gradio takes from there and loads from nowhere."""
    return gr.themes.Base(
        primary_hue="indigo",
        neutral_hue="slate",
        radius_size="lg",
        font=["system-ui", "-apple-system", "'Segoe UI'", "Roboto", "'Noto Sans'", "sans-serif"],
        font_mono=["ui-monospace", "Menlo", "Consolas", "monospace"],
    )


def _explained(error: Exception) -> str:
    """What a person is told of an error."""
    if isinstance(error, QuestionError):
        message = str(error)
        return message[:1].upper() + message[1:]
    if isinstance(error, IndexingError):
        return f"The index cannot be read: {error}"
    _log.error("a question was not answered", exc_info=error)
    return "Something went wrong and the question was not answered; the server's log says what. Please try again."
