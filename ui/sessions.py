"""Which browser is asking: a signed token in a cookie that lives as long as the browser is open.

Nothing is kept for a browser that only looks; who a token belongs to can be told from the token itself.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from http.cookies import CookieError, SimpleCookie

__all__ = ["Sessions"]

_RANDOM_BYTES = 24


class Sessions:
    """Issues and knows the tokens of one server process. A restart, and every other user, makes them worthless.

    Args:
        port: part of the cookie's name, since browsers share cookies between the ports of a host.
    """

    def __init__(self, port: int) -> None:
        self.cookie = f"qa-session-{port}"
        self._key = secrets.token_bytes(32)

    def issue(self, user: str) -> str:
        """A new token for a browser that `user` ("" without a login) sits at."""
        random = secrets.token_urlsafe(_RANDOM_BYTES)
        return f"{random}.{self._signature(random, user)}"

    def known(self, token: str, user: str) -> bool:
        """Whether `token` was issued here, and to this user."""
        random, _, signature = token.partition(".")
        return hmac.compare_digest(signature.encode(), self._signature(random, user).encode())

    def _signature(self, random: str, user: str) -> str:
        return hmac.new(self._key, f"{random}\0{user}".encode("utf-8", "replace"), hashlib.sha256).hexdigest()

    def token_in(self, cookie_header: str, user: str) -> str | None:
        """The valid token in a Cookie header; None when there is none."""
        try:
            morsel = SimpleCookie(cookie_header).get(self.cookie)
        except CookieError:
            return None
        if morsel is None or not self.known(morsel.value, user):
            return None
        return morsel.value

    def set_cookie(self, token: str, *, secure: bool) -> str:
        """The Set-Cookie header for a token: no script reads it, no other site sends it, no disk keeps it."""
        return f"{self.cookie}={token}; Path=/; HttpOnly; SameSite=Strict" + ("; Secure" if secure else "")
