"""Before any route: how large a body may be, who may come in, from where a form may be sent."""

import hmac
from collections.abc import Sequence
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "bisector"
OPEN = ("/health", "/ready", "/login", "/static/")
"""What needs no token: it says nothing of any job. Hooks prove themselves otherwise."""
HOOKS = "/v1/hooks/"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
SECURITY = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class TooLarge(Exception):
    """A body went on for longer than is allowed."""


class Guard:
    """ASGI middleware. A body that is declared, or turns out to be, too large is refused before it is read whole."""

    def __init__(self, app: ASGIApp, *, tokens: Sequence[str], body_bytes: int) -> None:
        """Without `tokens` everybody who reaches the server is let in."""
        self._app = app
        self._tokens = [token.encode() for token in tokens]
        self._most = body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, or answer it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        started = False

        async def sent(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                known = {name.lower() for name, _ in message["headers"]}
                extra = [
                    (n.lower().encode(), v.encode()) for n, v in SECURITY.items() if n.lower().encode() not in known
                ]
                message = {**message, "headers": [*message["headers"], *extra]}
            await send(message)

        try:
            await self._app(scope, self._bounded(receive), sent)
        except TooLarge:
            if started:
                raise
            await _problem(413, "the body is too large")(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        headers, path, method = Headers(scope=scope), str(scope["path"]), str(scope["method"])
        declared = headers.get("content-length", "0")
        if not declared.isascii() or not declared.isdigit() or int(declared[:15]) > self._most:
            return _problem(413, "the body is too large")
        if path.startswith(HOOKS):
            return None
        if method not in SAFE and not same_origin(headers):
            return _problem(403, "this request comes from another site")
        if self._tokens and not path.startswith(OPEN) and not self._let_in(headers):
            if method in SAFE and "text/html" in headers.get("accept", ""):
                return RedirectResponse("/login", 303)
            return _problem(401, "a token is needed", {"WWW-Authenticate": "Bearer"})
        return None

    def _let_in(self, headers: Headers) -> bool:
        kind, _, token = headers.get("authorization", "").partition(" ")
        given = token.strip().encode("utf-8", "replace") if kind.lower() == "bearer" else cookie(headers)
        return sum(hmac.compare_digest(given, known) for known in self._tokens) > 0

    def _bounded(self, receive: Receive) -> Receive:
        taken = 0

        async def bounded() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self._most:
                raise TooLarge
            return message

        return bounded


def cookie(headers: Headers) -> bytes:
    """The token that a browser was given; empty without."""
    try:
        found: Any = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return b""
    return str(found.value).encode("utf-8", "replace") if found is not None else b""


def same_origin(headers: Headers) -> bool:
    """Whether a request that changes something was not made by another site's page. Programs send neither header."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host", "")


def _problem(status: int, what: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": what}, status, headers=headers)
