"""What surrounds the chat on its way to a browser: nothing foreign in the page, and headers that keep it so."""

from __future__ import annotations

import re
import secrets
from pathlib import Path

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["STATIC", "TITLE", "GuardedPage", "own_page"]

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
# Gradio's routes that this page has no use for: uploads, files, proxying, logins, its own diagnostics.
_UNUSED = re.compile(
    r"/(?:gradio_api/(?:upload|file|proxy|stream|process_recording|component_server|custom_component|vibe|undo-vibe|"
    r"deep_link|runs|run-history|dev|profiling)|monitoring|login|logout|manifest\.json|pwa_icon)"
)

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
    """ASGI middleware: rewrites the page at `/`, sets security headers on every reply, closes unused routes."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif _UNUSED.match(scope["path"]):
            await PlainTextResponse("not found", status_code=404, headers=_headers(_CLOSED))(scope, receive, send)
        elif scope["path"] == "/":
            # uncompressed, so that it can be read
            plain = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
            await _Rewriting(send).run(self._app, {**scope, "headers": plain}, receive)
        else:

            async def send_guarded(message: Message) -> None:
                if message["type"] == "http.response.start":
                    _set_headers(message, _headers(_CLOSED))
                await send(message)

            await self._app(scope, receive, send_guarded)


class _Rewriting:
    """Holds one reply back until it is whole, then sends it as `own_page`."""

    def __init__(self, send: Send) -> None:
        self._send = send
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
        await self._send(self._start)
        await self._send({"type": "http.response.body", "body": body})


def _headers(policy: tuple[str, ...]) -> dict[str, str]:
    return {**_HEADERS, "content-security-policy": "; ".join(policy)}


def _set_headers(start: Message, headers: dict[str, str]) -> None:
    kept = [(name, value) for name, value in start.get("headers", []) if name.decode("latin-1").lower() not in headers]
    start["headers"] = [*kept, *((name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items())]
