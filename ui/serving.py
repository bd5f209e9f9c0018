"""Listening on a port until told to stop."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from ui.desk import Desk

__all__ = ["PortInUseError", "address_of", "listen", "run"]

_STOP_SECONDS = 5  # for what is still being answered
_SEND_SECONDS = 0.5  # for the last answers to reach their pages


class PortInUseError(OSError):
    """Another program listens on the port already; the message says which port and what to do."""


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens on exactly this host and port; port 0 takes a free one.

    Raises:
        PortInUseError: another program has the port.
        OSError: the host is unknown or not this machine's, or the port is reserved; the message says so.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror as error:
        raise OSError(f"{host!r} is no address of this machine ({error.strerror}); try 127.0.0.1") from error
    family, kind, protocol, _, address = found[0]
    listening = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":  # elsewhere this would let two programs share the port
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(128)
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            raise PortInUseError(
                f"port {port} is taken by another program; stop that one, or choose another port with --port"
            ) from error
        raise OSError(f"cannot listen on port {port} of {host}: {error.strerror}") from error
    return listening


def address_of(listening: socket.socket) -> str:
    """What to type into a browser on this machine to reach a listening socket."""
    host, port = listening.getsockname()[:2]
    ip = ipaddress.ip_address(host)
    if ip.is_unspecified:  # "every address": none that a browser could open
        return f"http://127.0.0.1:{port}"
    return f"http://[{host}]:{port}" if ip.version == 6 else f"http://{host}:{port}"


def run(app: ASGIApp, listening: socket.socket, on_ready: Callable[[], None], desk: Desk) -> None:
    """Serve `app` until SIGINT or SIGTERM, then finish what the desk is at, and return.

    `on_ready` is called once requests are answered.
    """
    config = uvicorn.Config(
        app, log_config=None, log_level="warning", access_log=False, timeout_graceful_shutdown=_STOP_SECONDS
    )
    with _signals_end_quietly():
        _Server(config, on_ready, desk).run(sockets=[listening])


class _Server(uvicorn.Server):  # type: ignore[misc]
    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None], desk: Desk) -> None:
        super().__init__(config)
        self._on_ready = on_ready
        self._desk = desk

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._desk.close()
        if self._desk.inside and await self._desk.quiet(_STOP_SECONDS):
            await asyncio.sleep(_SEND_SECONDS)
        # an open page holds a stream of events open for as long as it lives: uvicorn would wait for it, so hang up
        for connection in list(self.server_state.connections):
            connection.transport.close()
        await super().shutdown(sockets)


@contextmanager
def _signals_end_quietly() -> Iterator[None]:
    """uvicorn stops on a signal and then raises it again; to this program having stopped is all it meant."""
    if threading.current_thread() is not threading.main_thread():  # where no signals arrive
        yield
        return
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
