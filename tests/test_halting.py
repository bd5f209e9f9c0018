"""Streams that are ended from outside, also while they wait."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from ui.halting import Halt


class Numbers:
    """0, 1, 2 and then nothing for a long time, or an error."""

    def __init__(self, then: Exception | None = None) -> None:
        self.closed = False
        self.then = then

    async def stream(self) -> AsyncGenerator[int, None]:
        try:
            for number in range(3):
                yield number
            if self.then is not None:
                raise self.then
            await asyncio.sleep(60)
        finally:
            self.closed = True


def test_a_stream_that_waits_is_ended_from_another_thread() -> None:
    async def run() -> tuple[list[int], str | None, bool]:
        numbers, halt = Numbers(), Halt[str]()
        seen: list[int] = []
        async with aclosing(numbers.stream()) as stream, aclosing(halt.until(stream)) as pieces:
            async for number in pieces:
                seen.append(number)
                if number == 2:
                    threading.Timer(0.05, halt.call, ["stopped"]).start()
        return seen, halt.last, numbers.closed

    assert asyncio.run(asyncio.wait_for(run(), 30)) == ([0, 1, 2], "stopped", True)


def test_nothing_is_given_after_the_call_and_closing_closes_the_stream() -> None:
    async def run() -> list[int]:
        numbers, halt = Numbers(), Halt[str]()
        seen: list[int] = []
        async with aclosing(numbers.stream()) as stream, aclosing(halt.until(stream)) as pieces:
            async for number in pieces:
                seen.append(number)
                halt.call()
        async with aclosing(numbers.stream()) as stream, aclosing(Halt[str]().until(stream)) as pieces:
            async for _ in pieces:
                break
        assert numbers.closed and not any("anext" in repr(task) for task in asyncio.all_tasks())
        return seen

    assert asyncio.run(run()) == [0]


def test_an_error_of_the_stream_comes_through_and_a_call_after_the_end_is_nothing() -> None:
    async def run() -> Halt[str]:
        halt = Halt[str]()
        with pytest.raises(ValueError, match="broken"):
            async with aclosing(halt.until(Numbers(ValueError("broken")).stream())) as pieces:
                async for _ in pieces:
                    pass
        return halt

    asyncio.run(run()).call("late")
