"""What stands behind the page: the queue, sessions, logins, people's documents, verdicts, logs, tools."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import http.client
import io
import json
import logging
import os
import signal
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import pytest
from browsing import fake, serving
from click.testing import CliRunner
from conftest import WordEncoder, WordReader

from index.store import SqliteStore
from index.types import Document
from qa.confidence import load_calibration
from qa.config import MODEL_FOLDER, Config
from qa.pipeline import Answerer
from qa.rereading import Rereading
from qa.types import Answer, Candidate, Evidence, SpanLogits, Tokens
from ui import asking, logs
from ui.auth import Accounts, AuthFileError, line_for
from ui.cli import main
from ui.desk import BusyError, ClosedError, Desk
from ui.exchange import OWN, exchange_of
from ui.feedback import Feedback, FeedbackError, gold_rows
from ui.intake import remove_leftovers
from ui.options import Options
from ui.sessions import Sessions
from ui.uploads import RefusedError, Uploads, clean_name

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """In a thread of its own: the browser's driver has an event loop in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


# -- the desk ---------------------------------------------------------------------------------------------------


def test_the_desk_works_in_turn_and_turns_away_what_is_too_much() -> None:
    desk, go = Desk(1, waiting=2), threading.Event()

    async def crowd() -> list[Any]:
        tasks = [asyncio.create_task(desk.run(lambda n=n: go.wait(5) and n)) for n in range(5)]  # type: ignore[misc]
        await asyncio.sleep(0.05)
        assert desk.inside == 3
        go.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    results = run(crowd())
    assert results[:3] == [0, 1, 2]
    assert all(isinstance(result, BusyError) and "try again" in str(result) for result in results[3:])
    assert desk.inside == 0


def test_who_gives_up_does_not_block_the_desk() -> None:
    desk = Desk(1, waiting=0)

    async def give_up() -> int:
        task = asyncio.create_task(desk.run(lambda: time.sleep(0.2)))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(BusyError):
            await desk.run(lambda: 1)
        assert await desk.quiet(2)
        return await desk.run(lambda: 2)

    assert run(give_up()) == 2


def test_a_closed_desk_finishes_what_it_has_and_takes_no_more() -> None:
    desk = Desk(1, waiting=5)

    async def close() -> list[int]:
        tasks = [asyncio.create_task(desk.run(lambda n=n: time.sleep(0.05) or n)) for n in range(3)]  # type: ignore[misc]
        await asyncio.sleep(0.01)
        desk.close()
        with pytest.raises(ClosedError, match="stopping"):
            await desk.run(lambda: 9)
        assert await desk.quiet(5)
        return list(await asyncio.gather(*tasks))

    assert run(close()) == [0, 1, 2]


# -- who is asking ----------------------------------------------------------------------------------------------


def test_only_tokens_issued_here_to_this_user_are_known() -> None:
    sessions = Sessions(7860)
    token = sessions.issue("ada")
    header = f"other=1; {sessions.cookie}={token}"
    assert sessions.token_in(header, "ada") == token
    assert sessions.token_in(header, "bob") is None and sessions.token_in(header, "") is None
    assert Sessions(7860).token_in(header, "ada") is None
    for wrong in (token[:-1] + ("0" if token[-1] != "0" else "1"), token.partition(".")[0], "", "\xe9.\xe9"):
        assert sessions.token_in(f"{sessions.cookie}={wrong}", "ada") is None
    assert len({sessions.issue("") for _ in range(100)}) == 100
    kept = sessions.set_cookie(token, secure=True)
    assert all(word in kept for word in ("HttpOnly", "SameSite=Strict", "Secure")) and "Max-Age" not in kept


def basic(name: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


def test_accounts_let_in_who_knows_the_password(tmp_path: Path) -> None:
    path = tmp_path / "accounts"
    path.write_text(f"# who may come in\n\n{line_for('ada', 'pass:wörd')}\n{line_for('bob', 'b')}\n", encoding="utf-8")
    accounts = Accounts(path)
    for _ in range(2):  # the second time from memory
        assert accounts.user(basic("ada", "pass:wörd")) == "ada"
        assert accounts.user(basic("bob", "b")) == "bob"
    for wrong in (basic("ada", "b"), basic("eve", "b"), basic("", ""), "Basic !!!", "Bearer x", "Basic YQ==", ""):
        assert accounts.user(wrong) is None
    path.write_text(line_for("bob", "b") + "\n", encoding="utf-8")
    os.utime(path, ns=(1, 1))
    assert accounts.user(basic("ada", "pass:wörd")) is None  # at once, without a restart
    assert accounts.user(basic("bob", "b")) == "bob"


@pytest.mark.parametrize("text", ["", "ada:secret\n", "ada\n", "a b:scrypt$1\n"])
def test_a_file_of_accounts_that_is_none_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "accounts"
    path.write_text(text)
    with pytest.raises(AuthFileError, match="qa password"):
        Accounts(path)
    with pytest.raises(AuthFileError, match="qa password"):
        Accounts(tmp_path / "none")


def test_a_line_for_the_file_of_accounts_comes_from_a_command(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["password", "ada"], input="secret\nsecret\n")
    assert done.exit_code == 0
    (tmp_path / "accounts").write_text(done.output.splitlines()[-1] + "\n")
    assert Accounts(tmp_path / "accounts").user(basic("ada", "secret")) == "ada"
    assert CliRunner().invoke(main, ["password", "a:b", "--password", "x"]).exit_code == 2


# -- people's documents -----------------------------------------------------------------------------------------


@pytest.fixture
def answerer(store: SqliteStore, encoder: WordEncoder, reader: WordReader) -> Answerer:
    config = Config(threshold=0.0, mend=False, window_tokens=64)
    return Answerer(store, encoder, reader, load_calibration(MODEL_FOLDER), config)


@pytest.fixture
def uploads(answerer: Answerer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[..., Uploads]]:
    made: list[Uploads] = []
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))

    def make(**options: Any) -> Uploads:
        made.append(Uploads(answerer, Options(**options)))
        return made[-1]

    yield make
    for one in made:
        one.close()
    assert list((tmp_path / "temporary").iterdir()) == []


def put(uploads: Uploads, token: str, name: str, text: str | bytes) -> str:
    shelf = uploads.opened(token, name)
    path = shelf.folder / "incoming"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return uploads.received(shelf, name, path).id


def settled(uploads: Uploads, token: str) -> dict[str, tuple[str, str | None]]:
    shelf = uploads.shelf(token)
    assert shelf is not None
    end = time.monotonic() + 60
    while any(upload.state not in ("ready", "failed") for upload in shelf.uploads()):
        assert time.monotonic() < end
        time.sleep(0.01)
    return {upload.name: (upload.state, upload.message) for upload in shelf.uploads()}


def told(uploads: Uploads, token: str | None, question: str, scope: str = "own") -> list[str]:
    """The names of the documents that passages come from."""

    def work(own: Answerer | None) -> list[str]:
        answer = asking.ask(uploads._answerer, own, scope, question)
        return sorted({hit.document.name for hit in answer.passages})

    return uploads.ask(token, work)


def test_what_one_brings_is_read_by_both_readers(answerer: Answerer, uploads: Callable[..., Uploads]) -> None:
    class Counting(WordReader):
        asked = 0

        def read(self, pairs: Sequence[tuple[Tokens, Tokens]]) -> list[SpanLogits]:
            self.asked += 1
            return super().read(pairs)

    second = Counting()
    answerer.config = dataclasses.replace(answerer.config, unsure=(0.0, 1.0))
    answerer.reading.second = Rereading(second, answerer.calibration, share=0.5, places=2, tokens=16)
    kept = uploads()
    put(kept, "one", "harbour.txt", "The harbour opened in 1902. Its lighthouse is green.")
    settled(kept, "one")
    assert told(kept, "one", "lighthouse is") == [OWN + "harbour.txt"]
    assert second.asked == 1


def test_each_browser_has_its_own_documents_which_go_with_it(uploads: Callable[..., Uploads]) -> None:
    kept = uploads()
    put(kept, "one", "mill.txt", "The mill opened in 1877.")
    put(kept, "two", "mine.txt", "The mine opened in 1801.")
    assert settled(kept, "one") == {"mill.txt": ("ready", None)} and settled(kept, "two")
    assert told(kept, "one", "what opened?") == [OWN + "mill.txt"]
    assert told(kept, "two", "what opened?") == [OWN + "mine.txt"]
    assert told(kept, None, "what opened?") == told(kept, "three", "what opened?") == []
    folder = kept.shelf("one").folder  # type: ignore[union-attr]
    assert folder.stat().st_mode & 0o077 == 0 and not list(folder.glob("*.upload"))
    kept.seen("one", "tab 1")
    kept.seen("one", "tab 2")
    kept.left("one", "tab 1")
    kept._left.update({token: since - 100 for token, since in kept._left.items()})
    kept.sweep()
    assert kept.shelf("one") is not None  # the other tab is open
    kept.left("one", "tab 2")
    kept.sweep()
    assert kept.shelf("one") is not None  # a reload closes and opens
    kept._left.update({token: since - 100 for token, since in kept._left.items()})
    kept.sweep()
    assert kept.shelf("one") is None and kept.shelf("two") is not None and not folder.exists()


def test_documents_of_a_browser_not_heard_of_are_removed(uploads: Callable[..., Uploads]) -> None:
    kept = uploads(upload_idle_minutes=10)
    put(kept, "one", "mill.txt", "The mill opened in 1877.")
    settled(kept, "one")
    shelf = kept.shelf("one")
    assert shelf is not None
    shelf.used -= 500
    kept.sweep()
    assert kept.shelf("one") is shelf
    told(kept, "one", "what opened?")  # a sign of life
    shelf.used -= 500
    kept.sweep()
    assert kept.shelf("one") is shelf
    begun, go = threading.Event(), threading.Event()
    asked = threading.Thread(target=lambda: kept.ask("one", lambda own: (begun.set(), go.wait(5), own.ask("mill?"))))  # type: ignore[union-attr]
    asked.start()
    begun.wait(5)
    shelf.used -= 700
    kept.sweep()
    assert kept.shelf("one") is None and shelf.folder.exists()  # what is being answered is answered
    go.set()
    asked.join()
    assert not shelf.folder.exists()


def test_limits_on_number_text_time_and_browsers(uploads: Callable[..., Uploads]) -> None:
    kept = uploads(upload_files=2, upload_characters=9000, upload_browsers=2)
    put(kept, "one", "a.txt", "word " * 1000)
    put(kept, "one", "b.txt", "word " * 1000)
    states = settled(kept, "one")
    assert sorted(state for state, _ in states.values()) == ["failed", "ready"]
    message = next(message for state, message in states.values() if state == "failed")
    assert (
        message == "it holds about 2 pages of text; together your documents can have 3 pages, and have 2 pages already"
    )
    with pytest.raises(RefusedError, match="the most there can be"):
        kept.opened("one", "c.txt")
    with kept._changed, pytest.raises(RefusedError, match="many documents are waiting"):  # nobody takes one up
        kept._jobs.extend([None] * 50)  # type: ignore[list-item]
        try:
            kept.opened("one", "b.txt")
        finally:
            kept._jobs.clear()
    kept.opened("one", "b.txt")  # to take the place of the other
    kept.opened("two", "a.txt")
    with pytest.raises(RefusedError, match="Too many people"):
        kept.opened("three", "a.txt")


def test_a_document_that_takes_too_long_or_is_removed_meanwhile_is_given_up(
    uploads: Callable[..., Uploads], encoder: WordEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = uploads(upload_seconds=1)
    kind = type(encoder)  # not WordEncoder: pytest imports conftest.py under a name of its own
    encode = kind.encode
    slowly = threading.Event()

    def slow(self: WordEncoder, texts: list[str]) -> Any:
        slowly.set()
        time.sleep(0.3)
        return encode(self, texts)

    monkeypatch.setattr(kind, "encode", slow)
    text = "The mill opened in the year 1877 and its wheel is made of larch. " * 5000
    put(kept, "one", "long.txt", text)
    assert "takes longer than 1 seconds" in str(settled(kept, "one")["long.txt"])
    slowly.clear()
    identifier = put(kept, "one", "gone.txt", text)
    slowly.wait(5)
    assert kept.shelf("one").remove(identifier)  # type: ignore[union-attr]
    begin = time.monotonic()
    put(kept, "two", "short.txt", "The mine opened.")
    assert settled(kept, "two") == {"short.txt": ("ready", None)}
    assert time.monotonic() - begin < 25  # the long one would have taken 30 seconds more
    assert told(kept, "one", "what opened?") == []


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/notes.txt", "notes.txt"),
        ("C:\\docs\\notes.txt", "notes.txt"),
        ("a\u202etxt.md", "atxt.md"),
        ("x" * 300 + ".txt", "x" * 120 + ".txt"),
        ("<b>.txt", "<b>.txt"),
    ],
)
def test_names_of_files_are_cleaned(given: str, kept: str) -> None:
    assert clean_name(given) == kept


@pytest.mark.parametrize("name", ["", "..", ".txt", "a.exe", "a", "\x00", "/"])
def test_names_without_a_known_format_are_refused(name: str) -> None:
    with pytest.raises(RefusedError, match="no format") as caught:
        clean_name(name)
    assert caught.value.status == 415


def test_what_a_killed_server_left_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for name in (f"qa-uploads-{2**22 + 1}-dead", f"qa-uploads-{os.getpid()}-mine", "qa-uploads-x-odd", "other"):
        (tmp_path / name).mkdir()
    remove_leftovers()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "other", f"qa-uploads-{os.getpid()}-mine", "qa-uploads-x-odd",
    ]  # fmt: skip


# -- one answer of two ------------------------------------------------------------------------------------------


def answer_of(text: str | None, confidence: float, name: str) -> Answer:
    document = Document(name, name, f"It is {text}.")
    evidence = Evidence(document, 6, 6 + len(text or ""), document.text, 0, len(document.text))
    candidate = Candidate(text or "x", confidence / 2, evidence)
    return Answer("q?", "q?", text, confidence, None if text is None else evidence, (), (candidate,))


@pytest.mark.parametrize(
    ("own", "shared", "said"),
    [
        (("a", 0.6), ("b", 0.9), "b"),
        (("a", 0.9), ("b", 0.6), "a"),
        (("a", 0.7), ("b", 0.7), "a"),
        ((None, 0.9), ("b", 0.6), "b"),
        (("a", 0.6), (None, 0.9), "a"),
        ((None, 0.2), (None, 0.1), None),
    ],
)
def test_the_surer_of_two_answers_is_given_and_the_other_stands_beside_it(
    own: tuple[str | None, float], shared: tuple[str | None, float], said: str | None
) -> None:
    merged = asking.merged(answer_of(*own, OWN + "a.txt"), answer_of(*shared, "b.txt"))
    assert merged.text == said
    both = {own[0], shared[0]} - {None, said}
    assert both <= {candidate.text for candidate in merged.alternatives[:1]}
    confidences = [candidate.confidence for candidate in merged.alternatives]
    assert confidences == sorted(confidences, reverse=True)


# -- verdicts ---------------------------------------------------------------------------------------------------


def test_verdicts_become_gold_the_last_one_counting(tmp_path: Path) -> None:
    path = tmp_path / "feedback.jsonl"
    kept = Feedback(path)
    right = exchange_of("1", answer_of("Ann", 0.9, "a.txt"))
    kept.keep(right, "down", "Bob")
    kept.keep(right, "up", None)
    kept.keep(exchange_of("2", answer_of("Cid", 0.9, "secret\udc80.txt")), "down", None)
    kept.keep(exchange_of("3", answer_of("secret", 0.9, OWN + "diary.txt")), "down", "also secret")
    assert [(row["question"], row["answers"]) for row in gold_rows(path)] == [("q?", ["Ann"])]
    assert "secret.txt" not in path.read_text() and "diary" not in path.read_text() and "also" not in path.read_text()
    assert path.stat().st_mode & 0o077 == 0
    done = CliRunner().invoke(main, ["feedback", "--index", str(tmp_path), "--out", str(tmp_path / "gold.jsonl")])
    assert done.exit_code == 0 and "1 questions" in done.output
    assert json.loads((tmp_path / "gold.jsonl").read_text())["answers"] == ["Ann"]


def test_the_file_of_verdicts_grows_no_further_than_it_may(tmp_path: Path) -> None:
    kept = Feedback(tmp_path / "feedback.jsonl", most_bytes=400)
    with pytest.raises(FeedbackError, match="full"):
        for _ in range(10):
            kept.keep(exchange_of("1", answer_of("Ann", 0.9, "a.txt")), "up", None)
    assert 100 < (tmp_path / "feedback.jsonl").stat().st_size <= 400
    with pytest.raises(FeedbackError, match="cannot be written"):
        Feedback(tmp_path / "none" / "feedback.jsonl").keep(exchange_of("1", answer_of("A", 1, "a")), "up", None)
    with pytest.raises(FeedbackError, match="cannot be read"):
        list(gold_rows(tmp_path / "none"))


# -- the log ----------------------------------------------------------------------------------------------------


def test_the_log_is_json_without_what_people_said() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    log = logging.getLogger("ui.events")
    log.addHandler(handler)
    level = log.level
    log.setLevel(logging.INFO)
    try:
        for messages in (False, True):
            handler.setFormatter(logs.JsonLines(messages=messages))
            logs.event("question", ms=12, outcome="answered")
            try:
                raise ValueError("secret")
            except ValueError:
                log.exception("failed")
    finally:
        log.removeHandler(handler)
        log.setLevel(level)
    rows = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [row["event"] for row in rows] == ["question", "failed", "question", "failed"]
    assert rows[0]["ms"] == 12 and rows[0]["level"] == "info" and rows[0]["time"].endswith("Z")
    assert rows[1]["error"] == "ValueError" and "test_serving.py" in rows[1]["at"][0]
    assert "secret" not in json.dumps(rows[:2]) and rows[3]["message"] == "secret"


# -- the server as a whole --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def guarded(built_index: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A server with a login and the tools, and the file that its log goes to."""
    folder = tmp_path_factory.mktemp("guarded")
    (folder / "accounts").write_text(line_for("ada", "secret") + "\n")
    wrapper = "import sys; sys.stderr = open(sys.argv.pop(1), 'w', buffering=1); from ui.cli import main; main()"
    log = folder / "log"
    arguments = ["-c", wrapper, str(log), "serve", "--port", "0", "--mcp", "--auth-file", str(folder / "accounts")]
    with serving(arguments, QA_INDEX=str(built_index)) as (address, _):
        yield address, log


def get(address: str, **headers: str) -> tuple[int, str]:
    request = urllib.request.Request(address, headers=headers)
    try:
        with urllib.request.urlopen(request) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_with_accounts_nothing_but_health_is_open(guarded: tuple[str, Path]) -> None:
    address, _ = guarded
    assert get(f"{address}/healthz") == (200, '{"status":"ok"}')
    for path in ("", "config", "documents", "mcp", "gradio_api/info", "page/chat.js"):
        assert get(f"{address}/{path}")[0] == 401
        assert get(f"{address}/{path}", authorization=basic("ada", "wrong"))[0] == 401
    assert get(address, authorization=basic("ada", "secret"))[0] == 200


def test_programs_ask_through_the_documented_endpoint(guarded: tuple[str, Path]) -> None:
    from gradio_client import Client

    address, log = guarded
    client = Client(address, headers={"Authorization": basic("ada", "secret")}, verbose=False)
    described = client.view_api(return_format="dict")["named_endpoints"]
    assert list(described) == ["/answer"]
    (parameter,) = described["/answer"]["parameters"]
    assert parameter["parameter_name"] == "question" and parameter["python_type"]["type"] == "str"
    (result,) = described["/answer"]["returns"]
    assert result["python_type"]["type"].startswith("dict")
    assert client.predict("who plays Werner?", api_name="/answer")["answer"] == "Louis Hofmann"
    rows = [json.loads(line) for line in log.read_text().splitlines()]
    asked = next(row for row in rows if row["event"] == "question")
    assert asked["via"] == "api" and asked["outcome"] == "answered" and asked["ms"] > 0
    assert "Werner" not in log.read_text() and "Hofmann" not in log.read_text()


def test_the_tools_answer_a_real_client(guarded: tuple[str, Path]) -> None:
    import httpx2
    from mcp import Client
    from mcp.client.streamable_http import streamable_http_client

    address, _ = guarded

    async def talk() -> tuple[Any, ...]:
        headers = {"Authorization": basic("ada", "secret")}
        async with httpx2.AsyncClient(headers=headers) as web:
            transport = streamable_http_client(f"{address}/mcp", http_client=web)
            async with Client(transport) as client:
                tools = await client.list_tools()
                answer = await client.call_tool("answer", {"question": "who plays Werner?"})
                refused = await client.call_tool("answer", {"question": "What is the capital of Australia?"})
                found = await client.call_tool("search", {"question": "Werner", "count": 2})
                empty = await client.call_tool("answer", {"question": "?"})
                return tools, answer, refused, found, empty

    tools, answer, refused, found, empty = run(talk())
    assert {tool.name: sorted(tool.input_schema["properties"]) for tool in tools.tools} == {
        "answer": ["question"], "search": ["count", "question"],
    }  # fmt: skip
    assert all(tool.description and tool.annotations.read_only_hint for tool in tools.tools)
    assert answer.structured_content["answer"] == "Louis Hofmann"
    assert "Werner Pfennig (Louis Hofmann)" in answer.structured_content["evidence"]["sentence"]
    assert refused.structured_content["answer"] is None
    passages = found.structured_content["result"]
    assert len(passages) == 2 and any("Werner" in passage["text"] for passage in passages)
    assert empty.is_error and "empty" in empty.content[0].text


def test_too_many_questions_are_turned_away_with_a_clear_message() -> None:
    from gradio_client import Client
    from gradio_client.exceptions import AppError

    slow = fake("time.sleep(1.5); return found(question, 'Ann won.', 'Ann')", "waiting=1")
    with serving(slow) as (address, _):
        clients = [Client(address, verbose=False) for _ in range(2)]
        jobs = [clients[n % 2].submit(f"who {n}?", api_name="/answer") for n in range(12)]
        outcomes = []
        for job in jobs:
            try:
                outcomes.append(job.result(timeout=60)["answer"])
            except AppError as error:
                outcomes.append(str(error))
    answered = [outcome for outcome in outcomes if outcome == "Ann"]
    busy = [outcome for outcome in outcomes if "Many people are asking" in outcome]
    assert len(answered) >= 3 and len(busy) >= 3 and len(answered) + len(busy) == 12


def test_what_is_being_answered_when_it_stops_is_finished(tmp_path: Path) -> None:
    from gradio_client import Client

    begun = tmp_path / "begun"
    body = f"open({str(begun)!r}, 'w').close(); time.sleep(2); return found(question, 'Ann won.', 'Ann')"
    with serving(fake(body)) as (address, process):
        job = Client(address, verbose=False).submit("who?", api_name="/answer")
        end = time.monotonic() + 30
        while not begun.exists() and time.monotonic() < end:
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        assert get(f"{address}/healthz") == (503, '{"status":"stopping"}')
        assert job.result(timeout=10)["answer"] == "Ann"
        output, _ = process.communicate(timeout=20)
    assert process.returncode == 0 and output == ""


def test_large_requests_are_cut_off(server: str) -> None:
    host = server.removeprefix("http://")
    for headers, body in [({"content-length": "3000000"}, b""), ({"transfer-encoding": "chunked"}, None)]:
        connection = http.client.HTTPConnection(host, timeout=20)
        connection.putrequest("POST", "/gradio_api/run/predict")
        for name, value in {**headers, "content-type": "application/json"}.items():
            connection.putheader(name, value)
        connection.endheaders()
        try:
            if body is None:
                for _ in range(40):
                    connection.send(b"186a0\r\n" + b" " * 100_000 + b"\r\n")
                connection.send(b"0\r\n\r\n")
            assert connection.getresponse().status in (400, 413, 422)
        except (ConnectionError, http.client.HTTPException):
            assert body is None  # hung up on
        finally:
            connection.close()
    assert get(f"{server}/healthz")[0] == 200


def test_a_missing_file_of_accounts_is_one_clear_line(built_index: Path, tmp_path: Path) -> None:
    environment = {"QA_INDEX": str(built_index)}
    done = CliRunner(env=environment).invoke(main, ["serve", "--port", "0", "--auth-file", str(tmp_path / "none")])
    assert done.exit_code == 2 and "qa password" in done.output and "Traceback" not in done.output
