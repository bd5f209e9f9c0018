"""The chat page: a conversation on the left, the sources of the answer in focus on the right."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
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

from ui.conversation import Conversation
from ui.escaping import escape
from ui.page import STATIC, TITLE
from ui.panel import empty_panel
from ui.talk import Shown, Talk, explained

__all__ = ["EXAMPLES", "build_app", "mount"]

EXAMPLES = ("What is it about?", "Who is in it?", "When does it come out?", "Where did it take place?")
_QUEUED = 1000  # events of all kinds; questions have a queue of their own, which ends much sooner

_TOOLS = (
    '<div class="qa-tools"><button type="button" name="history" class="qa-tool" title="Earlier conversations">Earlier'
    '</button><button type="button" name="export" class="qa-tool" title="Save this conversation as Markdown">Export'
    "</button></div>"
)
_WELCOME = (
    "<strong>Ask a question</strong>Every answer is an exact quote from the documents, shown where it stands. "
    "What they don't say is not made up."
)
_ADD = "<br><br>Drop documents of your own here to ask about them. Only you see them, and they go when you leave."
_SCOPES = [("Everything", "all"), ("My documents", "own"), ("The collection", "shared")]


def build_app(talk: Talk, cookie: str, examples: Sequence[str] = EXAMPLES, *, uploads: bool = True) -> gr.Blocks:
    """The page's components and what they do, not yet served.

    Each browser tab has a conversation of its own. `examples` are questions to click on; `cookie` is the name of the
    cookie that tells browsers apart.
    """

    async def ask(
        typed: str, said: Conversation, scope: str, event: gr.EventData, request: gr.Request
    ) -> AsyncIterator[tuple[Any, ...]]:
        clicked = isinstance(event.target, gr.Button) and event.target.value in examples
        question = str(event.target.value) if clicked else typed
        first = True
        async for shown in talk.ask(question, typed if clicked else "", said, scope, request.cookies.get(cookie)):
            yield outputs(shown, said if first else shown.said)
            first = False

    def outputs(shown: Shown, said: Conversation) -> tuple[Any, ...]:
        return (
            shown.said.shown(),
            gr.skip() if shown.panel is None else shown.panel,
            gr.skip() if shown.box is None else shown.box,
            said,
            gr.skip() if shown.record is None else f'<div class="qa-record" hidden>{escape(shown.record)}</div>',
        )

    async def write(said: Conversation) -> AsyncIterator[tuple[Any, ...]]:
        """Let the model write under the answer; leaves the page as it is where there is nothing to write."""
        nothing = True
        async with aclosing(talk.write(said)) as pieces:
            async for shown in pieces:
                nothing = False
                yield outputs(shown, shown.said)
        if nothing:  # of an event that yields nothing at all, Gradio would show just that: an empty conversation
            yield (gr.skip(),) * 5

    def stop(said: Conversation) -> tuple[Any, ...]:
        shown = talk.stop(said)
        return outputs(shown, shown.said)

    def look_back(said: Conversation, event: gr.SelectData) -> Any:
        """Show the sources of the message clicked."""
        number = event.index if isinstance(event.index, int) else event.index[0]
        panel = said.sources_of(number)
        return gr.skip() if panel is None else panel

    def clear(said: Conversation) -> tuple[Any, ...]:
        shown = talk.clear(said)
        return (*outputs(shown, shown.said)[:4], "")

    def command(text: str, said: Conversation) -> tuple[Any, ...]:
        shown = talk.command(said, text)
        return (gr.skip(),) * 5 if shown is None else outputs(shown, shown.said)

    async def answer(question: str) -> dict[str, Any]:
        """Answer one question from the collection: the answer or null, its confidence, where it stands, and the
        passages found."""
        try:
            return (await talk.answer(question, via="api")).to_dict()
        except Exception as error:
            raise gr.Error(explained(error), print_exception=False) from error

    # as types, not as the texts of them that this module's annotations are: they are what programs are told
    answer.__annotations__ = {"question": str, "return": dict[str, Any]}
    hidden: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    # questions wait at the desk, which says so when too many do; Gradio lets all of them through to it
    unlimited: dict[str, Any] = {"concurrency_limit": None}
    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True) as app:
        said = gr.State(Conversation())
        with gr.Row(elem_id="bar"):
            gr.Markdown(f"# {TITLE}", elem_id="title")
            gr.Markdown(_TOOLS, elem_id="tools", sanitize_html=True)
            clearing = gr.Button("New", size="sm", elem_id="clear", scale=0)
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
                    placeholder=_WELCOME + (_ADD if uploads else ""),
                )
                with gr.Row(elem_id="examples"):
                    chips = [gr.Button(example, size="sm", scale=0, min_width=0) for example in examples]
                if uploads:
                    gr.Markdown('<div id="documents"></div>', elem_id="shelf", sanitize_html=True)
                scope = gr.Radio(_SCOPES, value="all", label="Where to look", elem_id="scope", container=False)
                with gr.Row(elem_id="ask"):
                    if uploads:
                        adding = '<button type="button" name="add" id="add" title="Add documents"></button>'
                        gr.Markdown(adding, elem_id="adding", sanitize_html=True)
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
                    if talk.writes:  # seen while something is written; not in the text, which changes too fast to click
                        stopping = gr.Button("Stop", scale=0, elem_id="stop")
            with gr.Column(elem_id="side"):
                sources = gr.Markdown(
                    empty_panel(), elem_id="sources", sanitize_html=True, latex_delimiters=[], header_links=False
                )
        # what static/*.js is told and tells
        record = gr.Markdown("", elem_id="record", sanitize_html=True, latex_delimiters=[])
        commands = gr.Textbox(label="Command", elem_id="command", container=False)
        shown = [conversation, sources, box, said, record]
        # one listener for all ways of asking, so that a second question waits until the first one is answered
        asking = gr.on(
            [box.submit, send.click, *(chip.click for chip in chips)],
            ask,
            [box, said, scope],
            shown,
            **hidden,
            **unlimited,
        )
        if talk.writes:
            # an event of its own, which a newer question, "Stop", "New" and commands end (ui/halting.py says how)
            asking.then(write, [said], shown, trigger_mode="multiple", **hidden, **unlimited)
            stopping.click(stop, [said], shown, queue=False, **hidden)
        conversation.select(look_back, [said], [sources], queue=False, **hidden)
        clearing.click(clear, [said], shown, queue=False, cancels=[asking], **hidden)
        commands.change(command, [commands, said], shown, queue=False, **hidden)
        gr.api(answer, api_name="answer", **unlimited)
    app.queue(max_size=_QUEUED)
    return app


def mount(web: fastapi.FastAPI, blocks: gr.Blocks, listening: tuple[Any, ...]) -> None:
    """Put the page at the root of a web app that listens at (host, port)."""
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


def _theme() -> gr.themes.Base:
    """Fonts that the reader's machine has: plain names, which Gradio takes from there and loads from nowhere."""
    return gr.themes.Base(
        primary_hue="indigo",
        neutral_hue="slate",
        radius_size="lg",
        font=["system-ui", "-apple-system", "'Segoe UI'", "Roboto", "'Noto Sans'", "sans-serif"],
        font_mono=["ui-monospace", "Menlo", "Consolas", "monospace"],
    )
