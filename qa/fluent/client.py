"""Chat messages -> pieces of text, streamed from an OpenAI-compatible server. The only file that imports `openai`.

Nothing but the address given is contacted: no proxy of the environment is used, and no redirect is followed. No key
but $QA_LLM_KEY is sent.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import ssl
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from qa.fluent.errors import ServerError, SetUpError
from qa.fluent.limits import Limits

if TYPE_CHECKING:
    from openai import AsyncOpenAI

__all__ = ["KEY_VARIABLE", "Client"]

KEY_VARIABLE = "QA_LLM_KEY"
# The library adds figures about this machine, and whatever OPENAI_* variables say: meant for other servers.
_HEADERS = frozenset("host accept connection content-type content-length transfer-encoding".split())
_SAID = 200  # characters of a server's own message that are passed on


class Client:
    """A model behind an OpenAI-compatible server.

    Args:
        url: where its API begins, such as http://127.0.0.1:11434/v1 for Ollama.
        model: the name the server knows it by.
        key: sent to the server as a bearer token; $QA_LLM_KEY by default.

    Raises:
        SetUpError: the address is none, or the package `openai` is not installed.
    """

    def __init__(self, url: str, model: str, limits: Limits | None = None, *, key: str | None = None) -> None:
        self.url = _checked(url)
        self.model = model.strip()
        if not self.model:
            raise SetUpError("the name of the model is empty; name one that the server has, with --llm-model")
        try:  # now, since it takes seconds: the first question is not to wait for it
            importlib.import_module("openai.resources.chat.completions")
        except ImportError as error:
            raise SetUpError("fluent answers need the package openai; run `pip install 'article-qa[llm]'`") from error
        self.limits = limits if limits is not None else Limits()
        self._key = (key if key is not None else os.environ.get(KEY_VARIABLE, "")).strip() or "none"
        if not self._key.isascii() or not self._key.isprintable():
            raise SetUpError(f"the key in ${KEY_VARIABLE} holds characters that no key has; was it copied whole?")
        self._certificates = ssl.create_default_context()

    async def stream(self, messages: list[dict[str, str]]) -> AsyncGenerator[str, None]:
        """The pieces of the model's reply, as they come.

        Raises:
            ServerError: the server is not reached, slow, refuses, or breaks off.
        """
        limits, begin = self.limits, time.monotonic()
        deadline = begin + limits.total_seconds
        first = True
        ended = False
        async with self._opened() as client, _explained(self):
            until = min(deadline, begin + limits.connect_seconds + limits.first_seconds)
            request: Any = {"model": self.model, "messages": messages, "stream": True,
                            "max_tokens": limits.tokens, "temperature": 0.0}  # fmt: skip
            chunks = await self._in_time(client.chat.completions.create(**request), until, first)
            try:
                while True:
                    try:
                        chunk = await self._in_time(anext(chunks), until, first)
                    except StopAsyncIteration:
                        break
                    text, last = _read(chunk)
                    ended = ended or last
                    if text:
                        first, until = False, deadline
                        yield text
            finally:
                await chunks.close()
        if not ended:
            raise ServerError(f"{self.url} broke off before the end", "broke off in the middle")

    async def check(self) -> None:
        """Ask the server for its list of models.

        Raises:
            ServerError: it is not there, refuses, or does not have this one.
        """
        async with self._opened() as client, _explained(self):
            until = time.monotonic() + 2 * self.limits.connect_seconds
            listed = await self._in_time(client.get("/models", cast_to=object), until, True)
        names = [one.get("id") for one in listed.get("data") or ()] if isinstance(listed, dict) else []
        if names and self.model not in names and f"{self.model}:latest" not in names:
            shown = ", ".join(str(name)[:60] for name in names[:8])
            raise ServerError(f"{self.url} has no model {self.model!r}; it has: {shown}")

    async def _in_time(self, work: Any, until: float, first: bool) -> Any:
        try:
            return await asyncio.wait_for(work, max(0.0, until - time.monotonic()))
        except asyncio.TimeoutError as error:
            limit = self.limits.first_seconds if first else self.limits.total_seconds
            what = "sent no text within" if first else "had not finished after"
            raise ServerError(f"{self.url} {what} {limit:g} seconds", "took too long") from error

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[AsyncOpenAI]:
        from openai import AsyncOpenAI, DefaultAsyncHttpxClient, Timeout

        from qa.fluent.caps import cap

        timeout = Timeout(self.limits.total_seconds, connect=self.limits.connect_seconds)

        async def only_ours(request: Any) -> None:
            for name in [name for name in request.headers if name.lower() not in _HEADERS]:
                del request.headers[name]
            ours = {"authorization": f"Bearer {self._key}", "user-agent": "article-qa", "accept-encoding": "identity"}
            request.headers.update(ours)

        web = DefaultAsyncHttpxClient(
            trust_env=False,
            follow_redirects=False,
            timeout=timeout,
            verify=self._certificates,
            event_hooks={"request": [only_ours], "response": [cap]},
        )
        async with AsyncOpenAI(
            base_url=self.url, api_key=self._key, timeout=timeout, max_retries=0, http_client=web
        ) as client:
            yield client


def _read(chunk: Any) -> tuple[str, bool]:
    """The text of a chunk, and whether it ends the reply."""
    choices = getattr(chunk, "choices", None)
    if choices is None:
        raise ValueError("a chunk without choices")
    if not choices:  # figures about the request
        return "", False
    text = choices[0].delta.content
    if text is not None and not isinstance(text, str):
        raise ValueError("a chunk whose text is none")
    return text or "", choices[0].finish_reason is not None


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url.strip())
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        good = False
    if not good or parts.query or parts.fragment:
        raise SetUpError(
            f"{url!r} is no address of a model server; one looks like http://127.0.0.1:11434/v1 (Ollama), "
            "http://127.0.0.1:8080/v1 (llama.cpp) or http://127.0.0.1:8000/v1 (vLLM)"
        )
    if parts.username is not None or parts.password is not None:
        raise SetUpError(f"the address must not hold a password; put the key into ${KEY_VARIABLE}")
    return url.strip().rstrip("/")


@asynccontextmanager
async def _explained(client: Client) -> AsyncIterator[None]:
    """What goes wrong between here and the server, in words for people."""
    import openai

    try:
        yield
    except ServerError:
        raise
    except openai.APITimeoutError as error:
        wait = f"{client.limits.connect_seconds:g} seconds"
        raise ServerError(f"{client.url} could not be reached in {wait}", "cannot be reached") from error
    except openai.APIConnectionError as error:
        if isinstance(error.__cause__, ServerError):
            raise error.__cause__ from error
        cause = type(error.__cause__).__name__
        if "Connect" in cause:
            message = f"{client.url} cannot be reached; does the server run there?"
            raise ServerError(message, "cannot be reached") from error
        raise ServerError(f"{client.url} broke off before the end", "broke off in the middle") from error
    except openai.APIStatusError as error:
        raise ServerError(_status(client, error.status_code, error.body), "reported an error") from error
    except openai.APIError as error:
        raise ServerError(f"{client.url} reported an error: {str(error)[:_SAID]}", "reported an error") from error
    except (ValueError, TypeError, AttributeError, IndexError, KeyError) as error:
        raise ServerError(f"{client.url} sent something that is no chat completion", "sent no text") from error


def _status(client: Client, status: int, body: object) -> str:
    if status in (401, 403):
        return f"{client.url} wants another key (status {status}); set ${KEY_VARIABLE} to one it accepts"
    if status == 404:
        hint = "" if client.url.endswith("/v1") else f", or the address should be {client.url}/v1"
        return f"{client.url} does not know the model {client.model!r}{hint} (status 404)"
    if 300 <= status < 400:
        return f"{client.url} points elsewhere (status {status}); give the address it points to"
    said = body.get("message") if isinstance(body, dict) else None
    return f"{client.url} answered with status {status}" + (f": {said[:_SAID]}" if isinstance(said, str) else "")
