"""Ending a stream from outside: by another event of the page, whichever thread that runs in.

Gradio can cancel an event itself, but only after the event that cancels it has been dealt with: what the stream sends
in between would be shown over what took its place.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Generic, TypeVar

__all__ = ["Halt"]

T = TypeVar("T")
L = TypeVar("L")


class Halt(Generic[L]):
    """Ends one stream. To be made in the event loop that the stream runs in.

    Attributes:
        last: given by whoever ended it; None when nobody did, or gave nothing.
    """

    def __init__(self) -> None:
        self.last: L | None = None
        self._loop = asyncio.get_running_loop()
        self._called = asyncio.Event()

    @property
    def called(self) -> bool:
        """Whether the stream is to end, or has."""
        return self._called.is_set()

    def call(self, last: L | None = None) -> None:
        """End the stream, without waiting for that. May be called from any thread, even after the stream's end."""
        self.last = last
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._called.set)

    async def until(self, stream: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
        """What the stream gives until this is called, also while the stream waits for something."""
        calling = asyncio.ensure_future(self._called.wait())
        coming: asyncio.Future[T] | None = None
        try:
            while True:
                coming = asyncio.ensure_future(anext(stream))
                await asyncio.wait((coming, calling), return_when=asyncio.FIRST_COMPLETED)
                if self.called:
                    return
                try:
                    one = coming.result()
                except StopAsyncIteration:
                    return
                yield one
        finally:
            calling.cancel()
            if coming is not None:
                coming.cancel()
                await asyncio.gather(coming, return_exceptions=True)  # else the stream cannot be closed
