"""How much of a reply is held in memory: an event that never ends, or that unpacks into gigabytes, is cut off."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2

from qa.fluent.errors import ServerError

__all__ = ["EVENT_BYTES", "cap"]

EVENT_BYTES = 4 * 1024 * 1024  # a list of models is one event here, and has been seen with half of a megabyte
_ENDS = (b"\n\n", b"\r\n\r\n", b"\r\r")  # of an event; until there, the client keeps what comes


async def cap(response: httpx2.Response) -> None:
    """Let a response give at most `EVENT_BYTES` without the end of an event; reading more raises ServerError.

    Raises:
        ServerError: it is compressed, though nobody said that it may be.
    """
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise ServerError(f"{response.url} sent a compressed reply, which was not asked for", "sent no text")
    if isinstance(response.stream, httpx2.AsyncByteStream):
        response.stream = _Capped(response.stream, str(response.url))


class _Capped(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream, url: str) -> None:
        self._stream = stream
        self._url = url

    async def __aiter__(self) -> AsyncIterator[bytes]:
        held, tail = 0, b""
        async for piece in self._stream:
            seen = tail + piece
            end = max(seen.rfind(mark) + len(mark) if mark in seen else 0 for mark in _ENDS)
            held = len(seen) - end if end else held + len(piece)
            tail = seen[-3:]
            if held > EVENT_BYTES:
                raise ServerError(f"{self._url} sent {held:,} bytes without the end of an event", "sent no text")
            yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()
