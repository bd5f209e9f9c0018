"""A login for the page and for programs: HTTP Basic, against a file of `name:hash` lines.

Passwords are hashed with scrypt (RFC 7914). Basic sends them with every request, so a server that is reached over a
network needs a proxy with TLS in front.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from pathlib import Path

import anyio.to_thread
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from ui import logs
from ui.options import ServingError

__all__ = ["Accounts", "AuthFileError", "Gate", "line_for"]

_N, _R, _P = 2**14, 8, 1  # 16 MB and some 50 ms a try: OWASP's recommendation for a busy machine
_NAME = re.compile(r"[^\s:\x00-\x1f\x7f]{1,64}")
_HASH = re.compile(r"scrypt\$(\d{1,8})\$(\d{1,3})\$(\d{1,3})\$([A-Za-z0-9+/=]{16,})\$([A-Za-z0-9+/=]{24,})")
_REMEMBERED = 1000
_CHALLENGE = {"www-authenticate": 'Basic realm="Ask your articles", charset="UTF-8"', "cache-control": "no-store"}


class AuthFileError(ServingError):
    """The file of accounts cannot be read, or a line of it is not as described; names file and line."""


def line_for(name: str, password: str) -> str:
    """A line for the file: `name:scrypt$n$r$p$salt$hash`.

    Raises:
        ValueError: a name with a colon or white space, or no password.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"a name has 1 to 64 characters, no colon and no white space; got {name!r}")
    if not password:
        raise ValueError("the password is empty; choose one")
    salt = secrets.token_bytes(16)
    digest = _digest(password, salt, _N, _R, _P)
    return f"{name}:scrypt${_N}${_R}${_P}${_text(salt)}${_text(digest)}"


def _digest(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    secret = password.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(secret, salt=salt, n=n, r=r, p=p, maxmem=2 * 128 * n * r * p + 2**20, dklen=32)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


class Accounts:
    """The accounts of a file, which is read again whenever it has changed.

    Raises:
        AuthFileError: the file cannot be read, holds no account, or a line of it is no `name:hash`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int] | None = None
        self._hashes: dict[str, str] = {}
        self._nobody = line_for("nobody", secrets.token_urlsafe()).partition(":")[2]
        self._key = secrets.token_bytes(32)
        self._remembered: dict[bytes, str] = {}  # credentials that were right, as HMACs: scrypt is slow on purpose
        self._read()

    def _read(self) -> None:
        try:
            status = self._path.stat()
            stamp = (status.st_mtime_ns, status.st_size)
            if stamp == self._stamp:
                return
            lines = self._path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise AuthFileError(
                f"{self._path} cannot be read ({error}); make lines for it with `qa password`"
            ) from error
        found: dict[str, str] = {}
        for number, line in enumerate(lines, start=1):
            if not line.strip() or line.startswith("#"):
                continue
            name, _, hashed = line.strip().partition(":")
            if not _NAME.fullmatch(name) or not _HASH.fullmatch(hashed):
                raise AuthFileError(f"{self._path}:{number} is no `name:hash` line; make one with `qa password NAME`")
            found[name] = hashed
        if not found:
            raise AuthFileError(f"{self._path} holds no account; make a line for it with `qa password NAME`")
        self._stamp, self._hashes, self._remembered = stamp, found, {}

    def user(self, authorization: str) -> str | None:
        """Whose right name and password an Authorization header holds; None when it holds none. May take 50 ms."""
        try:
            self._read()
        except AuthFileError as error:  # a file that is just being written: those known stay
            logs.event("auth-file", problem=str(error))
        scheme, _, encoded = authorization.partition(" ")
        if scheme.lower() != "basic":
            return None
        key = hmac.digest(self._key, encoded.strip().encode("utf-8", "replace"), "sha256")
        if key in self._remembered:
            return self._remembered[key]
        try:
            name, colon, password = base64.b64decode(encoded.strip(), validate=True).decode("utf-8").partition(":")
        except (binascii.Error, UnicodeDecodeError, ValueError):
            return None
        # an unknown name takes as long as a wrong password
        found = _HASH.fullmatch(self._hashes.get(name, self._nobody))
        if found is None or not colon:
            return None
        n, r, p, salt, wanted = found.groups()
        right = _digest(password, base64.b64decode(salt), int(n), int(r), int(p))
        if not hmac.compare_digest(right, base64.b64decode(wanted)) or name not in self._hashes:
            return None
        if len(self._remembered) >= _REMEMBERED:
            self._remembered.clear()
        self._remembered[key] = name
        return name


class Gate:
    """ASGI middleware: lets only the users of `accounts` in; `scope["qa_user"]` says who it is. `/healthz` is open."""

    def __init__(self, app: ASGIApp, accounts: Accounts) -> None:
        self._app = app
        self._accounts = accounts
        self._tries = anyio.CapacityLimiter(2)  # guessing passwords must not take all of the machine

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or scope["path"] == "/healthz":
            await self._app(scope, receive, send)
            return
        header = next((value for name, value in scope["headers"] if name == b"authorization"), b"").decode("latin-1")
        user = None
        if header:
            user = await anyio.to_thread.run_sync(self._accounts.user, header, limiter=self._tries)
        if user is not None:
            await self._app({**scope, "qa_user": user}, receive, send)
        elif scope["type"] == "http":
            if header:
                logs.event("login-refused", client=(scope.get("client") or ("",))[0])
                await anyio.sleep(0.5)
            challenge = {
                "www-authenticate": 'Basic realm="Ask your articles", charset="UTF-8"',
                "cache-control": "no-store",
            }
            await PlainTextResponse("a name and a password are needed", status_code=401, headers=challenge)(
                scope, receive, send
            )
