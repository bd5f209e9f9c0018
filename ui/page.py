"""What surrounds the chat on its way to a browser: nothing foreign in the page, and headers that keep it so."""

from __future__ import annotations

import ipaddress
import re
import secrets
from collections.abc import Collection
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.sessions import Sessions

__all__ = ["STATIC", "TITLE", "GuardedPage", "allowed_hosts", "own_page"]

TITLE = "Ask your articles"
STATIC = Path(__file__).parent / "static"

_CLOSED = ("default-src 'none'", "frame-ancestors 'none'")
# Styles are set inline all over Gradio's page; scripts are not, so only those this server sends may run, and none of
# them may turn a string into code.
_OPEN = (
    *_CLOSED,
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'self'",
    "form-action 'self'",
)
_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
# Of Gradio's routes, those that this page and gradio_client use; none that takes, keeps or gives out files, proxies, or
# tells of the server itself.
_USED = re.compile(
    r"/(?:config|theme\.css|robots\.txt|favicon\.ico|healthz|documents(?:/[\w-]{1,64})?|"
    r"(?:static|assets|page)/[\w./@+-]+|"
    r"gradio_api/(?:info|app_id|startup-events|reset|cancel|queue/(?:join|data)|heartbeat/[\w-]+|"
    r"run/predict|(?:call|run|api)/answer(?:/[\w-]+)?))/?"
)
_MOST_BYTES = 2_000_000  # of a request that brings no document
_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")

_FOREIGN = re.compile(
    r"""<(?:link|script|img|iframe)\b[^>]*?=\s*["']?(?:https?:)?//[^>]*>(?:\s*</script>)?""", re.IGNORECASE
)
_ADVERT = re.compile(r"""<meta\s+(?:property|name)=["'](?:og|twitter):[^>]*>""", re.IGNORECASE)
_MANIFEST = re.compile(r"""<link\s+rel=["']manifest["'][^>]*>""", re.IGNORECASE)
# with a base, a link to a place in the page (#sources) leaves the page when its address has a query
_BASE = re.compile(r"<base\b[^>]*>", re.IGNORECASE)
_SCRIPT = re.compile(r"<script\b", re.IGNORECASE)
_HEAD_END = re.compile(r"</head>", re.IGNORECASE)
_OWN = (
    f"<title>{TITLE}</title>"
    '<meta name="color-scheme" content="light dark">'
    '<link rel="icon" type="image/svg+xml" href="./page/icon.svg">'
    '<link rel="stylesheet" href="./page/chat.css">'
    '<script defer src="./page/chat.js"></script>'
    '<script defer src="./page/history.js"></script>'
    '<script defer src="./page/feedback.js"></script>'
    '<script defer src="./page/uploads.js"></script>'
    "</head>"
)


def own_page(html: str, nonce: str) -> str:
    """Gradio's page without what points elsewhere, with this project's title, style and icon.

    Removed: links, scripts, images and frames of other hosts; the social media tags, which name other hosts; the
    manifest, which is not served; the base address. Each script gets the `nonce` that the policy asks for.
    """
    for unwanted in (_FOREIGN, _ADVERT, _MANIFEST, _BASE):
        html = unwanted.sub("", html)
    html = _HEAD_END.sub(lambda _: _OWN, html, count=1)
    return _SCRIPT.sub(f'<script nonce="{nonce}"', html)


class GuardedPage:
    """ASGI middleware: what every request and every reply has to pass.

    Rewrites the page at `/`, sets security headers on every reply, closes routes that are not used, turns away
    requests that other sites' pages make, and those that are too large. Lets through no cookie but a valid session
    token, and gives a browser that opens the page one.

    Args:
        sessions: issues and knows the tokens.
        biggest: most bytes of a document.
        extra: one more path that is served.
        hosts: names that the server may be called by; any, when there are none. A page of a foreign name that leads
            to this machine (DNS rebinding) would else read what it serves.
    """

    def __init__(
        self, app: ASGIApp, sessions: Sessions, biggest: int, *, extra: str | None = None, hosts: Collection[str] = ()
    ) -> None:
        self._app = app
        self._sessions = sessions
        self._biggest = biggest
        self._extra = extra
        self._hosts = frozenset(name.lower() for name in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            path, headers = scope["path"], Headers(scope=scope)
            problem = self._problem(path, scope["method"], headers)
            if problem is not None:
                message, status = problem
                reply = PlainTextResponse(message, status_code=status, headers=_headers(_CLOSED))
                await reply(scope, receive, send)
                return
            upload = path == "/documents" and scope["method"] == "POST"
            receive = _limited(receive, self._biggest if upload else _MOST_BYTES)
            token = self._sessions.token_in(headers.get("cookie", ""), scope.get("qa_user", ""))
            scope = {**scope, "headers": self._with_token(scope["headers"], token)}
            if path == "/":
                await self._page(scope, receive, send, token)
            else:
                await self._app(scope, receive, _guarded(send))

    def _problem(self, path: str, method: str, headers: Headers) -> tuple[str, int] | None:
        """Why a request is turned away, and with which status."""
        if path != "/" and path != self._extra and not _USED.fullmatch(path):
            return "not found", 404
        host = headers.get("host", "").lower()
        name = host.rpartition(":")[0] if re.search(r":\d+$", host) else host
        if self._hosts and name not in self._hosts:
            return "this server is not called by that name; see `qa serve --allow-host`", 421
        origin = headers.get("origin")
        if method not in ("GET", "HEAD") and origin is not None and origin.lower().partition("://")[2] != host:
            return "requests of other sites are not answered", 403
        length = headers.get("content-length", "0")
        most = self._biggest if path == "/documents" and method == "POST" else _MOST_BYTES
        if not length.isdecimal() or int(length) > most:
            return f"the request is too large; at most {most / 1e6:.0f} MB are taken", 413
        return None

    def _with_token(self, headers: list[tuple[bytes, bytes]], token: str | None) -> list[tuple[bytes, bytes]]:
        kept = [(name, value) for name, value in headers if name != b"cookie"]
        return kept if token is None else [*kept, (b"cookie", f"{self._sessions.cookie}={token}".encode("latin-1"))]

    async def _page(self, scope: Scope, receive: Receive, send: Send, token: str | None) -> None:
        cookie = None
        if token is None:
            token = self._sessions.issue(scope.get("qa_user", ""))
            cookie = self._sessions.set_cookie(token, secure=scope.get("scheme") == "https")
        # uncompressed, so that it can be read
        plain = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
        await _Rewriting(send, cookie).run(self._app, {**scope, "headers": plain}, receive)


def _guarded(send: Send) -> Send:
    async def send_guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            _set_headers(message, _headers(_CLOSED))
        await send(message)

    return send_guarded


def _limited(receive: Receive, most: int) -> Receive:
    """`receive` that ends the connection when a body grows larger than was let in."""
    size = 0

    async def receive_limited() -> Message:
        nonlocal size
        message = await receive()
        if message["type"] == "http.request":
            size += len(message.get("body", b""))
            if size > most:
                return {"type": "http.disconnect"}
        return message

    return receive_limited


def allowed_hosts(address: str, named: Collection[str]) -> list[str]:
    """The names that a server may be called by which listens at `address`; any ([]) where others can reach it."""
    loopback = ipaddress.ip_address(address).is_loopback
    return [*_LOOPBACK_NAMES, address, *named] if loopback else []


class _Rewriting:
    """Holds one reply back until it is whole, then sends it as `own_page`."""

    def __init__(self, send: Send, cookie: str | None) -> None:
        self._send = send
        self._cookie = cookie
        self._start: Message = {}
        self._body = bytearray()

    async def run(self, app: ASGIApp, scope: Scope, receive: Receive) -> None:
        await app(scope, receive, self._collect)

    async def _collect(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
        elif message["type"] == "http.response.body":
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._finish()

    async def _finish(self) -> None:
        nonce = secrets.token_urlsafe(16)
        body = own_page(self._body.decode("utf-8"), nonce).encode("utf-8")
        headers = _headers((*_OPEN, f"script-src 'self' 'nonce-{nonce}'"))
        if body:  # the reply to HEAD has none, and keeps the length it came with
            headers["content-length"] = str(len(body))
        headers["cache-control"] = "no-store"  # a nonce is for one reply
        _set_headers(self._start, headers)
        if self._cookie is not None:
            self._start["headers"].append((b"set-cookie", self._cookie.encode("latin-1")))
        await self._send(self._start)
        await self._send({"type": "http.response.body", "body": body})


def _headers(policy: tuple[str, ...]) -> dict[str, str]:
    return {**_HEADERS, "content-security-policy": "; ".join(policy)}


def _set_headers(start: Message, headers: dict[str, str]) -> None:
    kept = [(name, value) for name, value in start.get("headers", []) if name.decode("latin-1").lower() not in headers]
    start["headers"] = [*kept, *((name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items())]
