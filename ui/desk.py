"""Where questions wait for their turn: a few threads that answer, a queue with an end, and a door that can close."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

__all__ = ["BusyError", "ClosedError", "Desk"]

T = TypeVar("T")


class BusyError(Exception):
    """More is waiting than is let in; the message is for people."""


class ClosedError(Exception):
    """The server is stopping; the message is for people."""


class Desk:
    """Runs work on a fixed number of threads, in the order it came.

    The threads live as long as the desk, so that what is kept per thread (a database connection) is kept a few times
    only, however many people ask.

    Args:
        at_once: how much is worked on at the same time.
        waiting: how much may wait beside that; what comes then is turned away at once.
    """

    def __init__(self, at_once: int, waiting: int) -> None:
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="desk")
        self._aside = ThreadPoolExecutor(1, thread_name_prefix="desk-aside")
        self._most = at_once + waiting
        self._inside = 0
        self._closed = False
        self._lock = threading.Lock()

    @property
    def inside(self) -> int:
        """How much is being worked on or waits."""
        return self._inside

    @property
    def closed(self) -> bool:
        """Whether nothing new is taken."""
        return self._closed

    async def run(self, work: Callable[[], T]) -> T:
        """The result of `work`, done on one of the threads. When the caller gives up, what has begun is finished.

        Raises:
            BusyError: too much is waiting.
            ClosedError: the desk is closed.
        """
        with self._lock:
            if self._closed:
                raise ClosedError("The server is stopping; please ask again in a moment.")
            if self._inside >= self._most:
                raise BusyError(
                    f"Many people are asking just now ({self._inside} questions are waiting); "
                    "please try again in a few seconds."
                )
            self._inside += 1
        try:
            future: Future[T] = self._threads.submit(work)
        except BaseException:
            self._leave(None)
            raise
        future.add_done_callback(self._leave)
        return await asyncio.wrap_future(future)

    async def aside(self, work: Callable[[], T]) -> T:
        """The result of something short that is no question, done on a thread of its own; also when closed."""
        return await asyncio.wrap_future(self._aside.submit(work))

    def _leave(self, _: object) -> None:
        with self._lock:
            self._inside -= 1

    def close(self) -> None:
        """Take nothing new; what is inside goes on."""
        with self._lock:
            self._closed = True

    async def quiet(self, seconds: float) -> bool:
        """Wait until nothing is inside, at most so long; whether that came about."""
        end = time.monotonic() + seconds
        while self._inside:
            if time.monotonic() >= end:
                return False
            await asyncio.sleep(0.02)
        return True

    def shut(self) -> None:
        """Close, drop what waits, and let the threads end; the desk must not be used afterwards."""
        self.close()
        for threads in (self._threads, self._aside):
            threads.shutdown(wait=True, cancel_futures=True)
