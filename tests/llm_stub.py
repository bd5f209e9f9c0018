"""A small server that speaks the chat completions protocol over a real socket, and fails in every way it is told to.

The name of the model says what happens; `scripts` may name texts that are streamed word by word.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

FAILURES = ("silent", "drip", "ping", "status-500", "status-401", "status-404", "redirect", "cut", "unfinished",
            "malformed", "no-choices", "error-event", "not-a-stream", "endless", "no-newline", "no-event",
            "compressed", "status-500-endless")  # fmt: skip


@dataclass
class Stub:
    """What the server is to say, and what it was asked.

    `by_question` names, by the beginnings of questions, models to answer as instead of the one that is asked for.
    """

    scripts: dict[str, str] = field(default_factory=dict)
    pause: float = 0.0
    by_question: dict[str, str] = field(default_factory=dict)
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    hung_up: threading.Event = field(default_factory=threading.Event)
    flooded: int = 0
    url: str = ""
    close: Callable[[], None] = lambda: None

    @property
    def prompt(self) -> str:
        """The last request's user message."""
        return str(self.requests[-1]["messages"][1]["content"])


def _handler(stub: Stub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            stub.paths.append(self.path)
            self._whole(200, {"object": "list", "data": [{"id": name} for name in (*stub.scripts, *FAILURES)]})

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["content-length"])))
            stub.paths.append(self.path)
            stub.requests.append(request)
            stub.headers.append({name.lower(): value for name, value in self.headers.items()})
            try:
                asked = stub.prompt.partition("\nQuestion: ")[2]
                instead = (name for begin, name in stub.by_question.items() if asked.startswith(begin))
                self._answer(next(instead, request["model"]))
            except OSError:
                stub.hung_up.set()

        def _answer(self, model: str) -> None:
            if model == "status-500-endless":
                return self._flood("x" * 65_536, 500)
            if model.startswith("status-"):
                status = int(model.removeprefix("status-"))
                return self._whole(status, {"error": {"message": f"this went wrong: {status}"}})
            if model == "redirect":
                self.send_response(307)
                self.send_header("Location", stub.url + "/elsewhere")
                self.send_header("Content-Length", "0")
                return self.end_headers()
            if model == "not-a-stream":
                return self._whole(200, {"choices": [{"message": {"content": "Hello."}}]})
            if model in ("no-newline", "no-event"):
                return self._flood("data: " + "x" * 65_536 + ("\n" if model == "no-event" else ""), 200)
            self._head(200, {"Content-Encoding": "gzip"} if model == "compressed" else {})
            if model == "silent":
                return self._wait(lambda: None)
            if model == "ping":
                return self._wait(lambda: self._send(": still thinking\n\n"))
            if model == "endless":
                return self._wait(lambda: self._say("word " * 40), 0.0)
            if model == "drip":
                return self._wait(lambda: self._say("a"))
            if model not in stub.scripts:
                self._say("The first")
            if model == "malformed":
                return self._send('data: {"choices": [{"delta": {"con\n\n')
            if model == "no-choices":
                return self._send('data: {"hello": 1}\n\n')
            if model == "error-event":
                return self._send('data: {"error": {"message": "out of memory"}}\n\n')
            if model == "cut":
                self.wfile.flush()
                self.connection.shutdown(socket.SHUT_RDWR)
                return self.connection.close()
            if model != "unfinished":
                for word in stub.scripts[model].split(" "):
                    self._say(" " + word)
                    time.sleep(stub.pause)
                self._send('data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}\n\n')
                self._send('data: {"choices": [], "usage": {"total_tokens": 1}}\n\n')
                self._send("data: [DONE]\n\n")
            self.wfile.write(b"0\r\n\r\n")

        def _head(self, status: int, more: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked", **more}.items():
                self.send_header(name, value)
            self.end_headers()

        def _flood(self, text: str, status: int) -> None:
            """Far more than anybody should take, in one piece."""
            self._head(status, {})
            for _ in range(2_000):  # 128 MiB
                self._send(text)
                stub.flooded += len(text)

        def _wait(self, act: Any, pause: float = 0.1) -> None:
            end = time.monotonic() + 20
            self.connection.setblocking(True)
            while time.monotonic() < end:
                act()
                if pause:
                    time.sleep(pause)
                    self.connection.settimeout(0.001)
                    try:
                        if self.connection.recv(1) == b"":
                            return stub.hung_up.set()
                    except TimeoutError:
                        pass
                    self.connection.settimeout(None)

        def _say(self, text: str) -> None:
            chunk = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "stub",
                     "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]}  # fmt: skip
            self._send(f"data: {json.dumps(chunk)}\n\n")

        def _send(self, text: str) -> None:
            body = text.encode()
            self.wfile.write(f"{len(body):x}\r\n".encode() + body + b"\r\n")
            self.wfile.flush()

        def _whole(self, status: int, value: object) -> None:
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler


@contextmanager
def stub_server(scripts: dict[str, str] | None = None, *, pause: float = 0.0, port: int = 0) -> Iterator[Stub]:
    """A running stub; `scripts` are texts by the name of the model that writes them, `pause` the seconds for a word."""
    stub = Stub(dict(scripts or {}), pause)
    server = ThreadingHTTPServer(("127.0.0.1", port), _handler(stub))
    server.daemon_threads = True
    stub.url = f"http://127.0.0.1:{server.server_port}/v1"

    def close() -> None:
        server.shutdown()
        server.server_close()

    stub.close = close
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield stub
    finally:
        close()


if __name__ == "__main__":  # to try the page by hand: python tests/llm_stub.py "Some text [1]."
    with stub_server({"stub": sys.argv[1]}, pause=0.2) as running:
        sys.stdout.write(f"qa serve --llm-url {running.url} --llm-model stub\n")
        time.sleep(3600)
