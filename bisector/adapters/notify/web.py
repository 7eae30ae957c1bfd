"""Requests to addresses of the settings, and to nowhere else.

Only TLS, but for this machine itself and hosts that are named; no redirects; no proxy; the host's addresses are looked
at before one of them is connected to, and it is that one; an answer has a time and a size, and is never shown.
"""

import http.client
import ipaddress
import json
import socket
import ssl
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import SplitResult, urlsplit

from bisector.adapters import durable
from bisector.core.model.units import Seconds
from bisector.engine.notify import NotSent

PATIENCE: Seconds = 5.0
"""For one step: to connect, to hear something."""
DEADLINE: Seconds = 15.0
"""For the whole exchange, however slowly it drips."""
READS = ("GET", "HEAD")
LONGEST_ANSWER = 64 * 1024
LONGEST_WAIT: Seconds = 24 * 3600.0
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, kw_only=True)
class Exceptions:
    """Hosts that rules are lifted for."""

    http: Collection[str] = ()
    private: Collection[str] = ()


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a receiver answered."""

    status: int
    body: bytes

    def read(self) -> Any:
        """The body as JSON; NotSent."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise NotSent("the answer is not JSON") from None


class Web:
    """Sends requests."""

    def __init__(self, exceptions: Exceptions, *, patience: Seconds = PATIENCE, deadline: Seconds = DEADLINE) -> None:
        """Certificates are checked against those the system trusts."""
        self._exceptions = exceptions
        self._patience = patience
        self._deadline = deadline

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send `body` to be kept; NotSent unless the answer is 2xx."""
        return self.ask("POST", url, body, headers)

    def ask(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str], *, most: int = LONGEST_ANSWER
    ) -> Answer:
        """The answer to a request; NotSent unless it is 2xx, and unsure where the request may have been carried out.

        An answer of more than `most` bytes is not read.
        """
        parts, address = self._checked(url)
        seam = nullcontext() if method in READS else durable.step(f"send a {method}")
        with self._connected(parts, address) as connection, seam:
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            late = threading.Event()
            timer = threading.Timer(self._deadline, _hang_up, (connection.sock, late))
            timer.daemon = True
            timer.start()
            try:
                connection.request(method, target, body, {"User-Agent": "bisector", **headers})
                # Closed by itself: where the server ends the connection, the response is what holds it.
                with connection.getresponse() as response:
                    content = response.read(most + 1)
            except (OSError, http.client.HTTPException, ValueError) as error:
                slow = late.is_set() or isinstance(error, TimeoutError)
                what = "did not answer in time" if slow else f"broke off ({type(error).__name__})"
                raise NotSent(f"{parts.hostname} {what}", unsure=True) from None
            finally:
                timer.cancel()
        if late.is_set():
            # The connection was ended in the middle of a body, which reads like its end.
            raise NotSent(f"{parts.hostname} did not answer in time", unsure=True)
        return _judged(str(parts.hostname), response, content if len(content) <= most else b"")

    def _checked(self, url: str) -> tuple[SplitResult, tuple[Any, ...]]:
        """The parts of an address that may be used, and where its host is."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise NotSent("the address cannot be read") from None
        host = parts.hostname or ""
        if parts.scheme not in ("https", "http") or not host or parts.username or parts.password is not None:
            raise NotSent("the address is not https://HOST/…")
        if not url.isascii() or not url.isprintable() or " " in url:
            raise NotSent("the address has characters that no address has")
        here = _is_here(host)
        if parts.scheme == "http" and not here and host not in self._exceptions.http:
            raise NotSent(f"{host} is not told without TLS; `allow_http` would allow it")
        try:
            port = port or (443 if parts.scheme == "https" else 80)
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise NotSent(f"{host} has no address") from None
        for entry in found:
            problem = refusal(ipaddress.ip_address(str(entry[4][0]).partition("%")[0]), here=here)
            if problem and (problem == LINK_LOCAL or host not in self._exceptions.private):
                raise NotSent(f"{host} has {problem}" + ("" if problem == LINK_LOCAL else PRIVATE_ADVICE))
        return parts, found[0]

    @contextmanager
    def _connected(self, parts: SplitResult, found: tuple[Any, ...]) -> Iterator[http.client.HTTPConnection]:
        """A connection to the address that was looked at."""
        host = str(parts.hostname)
        family, kind, protocol, _, where = found
        plain = socket.socket(family, kind, protocol)
        try:
            plain.settimeout(self._patience)
            plain.connect(where)
            secure = parts.scheme == "https"
            joined = ssl.create_default_context().wrap_socket(plain, server_hostname=host) if secure else plain
        except (OSError, ValueError) as error:
            plain.close()
            raise NotSent(f"{host} cannot be reached: {_why(error)}") from None
        made = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = made(host, parts.port, timeout=self._patience)
        connection.sock = joined
        connection.auto_open = 0  # an ended connection must not be made anew, to whatever address
        try:
            yield connection
        finally:
            connection.close()


LINK_LOCAL = "a link-local address, which nobody is told at"
PRIVATE_ADVICE = "; `allow_private` would allow it"


def refusal(address: Address, *, here: bool) -> str:
    """Why this address is not connected to, "" where it may be; `here`: the settings name this machine itself."""
    inner = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None)
    if inner is not None:
        return refusal(inner, here=here)
    if address.is_loopback and here:
        return ""
    if address.is_link_local or address.is_multicast or address.is_unspecified:
        return LINK_LOCAL
    if not address.is_global or address in ipaddress.ip_network("64:ff9b::/96"):
        return "an address of a private network"
    return ""


def _is_here(host: str) -> bool:
    """Whether a host's name itself says that it is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _judged(host: str, response: http.client.HTTPResponse, content: bytes) -> Answer:
    status = response.status
    if 200 <= status < 300:
        return Answer(status=status, body=content)
    if 300 <= status < 400:
        raise NotSent(f"{host} answered {status}: redirects are not followed")
    raise Refusal(f"{host} answered {status}", status=status, after=_asked_for(response.getheader("Retry-After", "")))


class Refusal(NotSent):
    """The receiver answered that it did not take it."""

    def __init__(self, reason: str, *, status: int, after: Seconds = 0.0) -> None:
        """`status` of HTTP."""
        super().__init__(reason, after=after)
        self.status = status


def _asked_for(text: str) -> Seconds:
    """Retry-After: seconds, or a date."""
    if text.isascii() and text.isdigit() and len(text) < 10:
        return min(float(text), LONGEST_WAIT)
    try:
        until = parsedate_to_datetime(text)
        wait = (until if until.tzinfo else until.replace(tzinfo=UTC)) - datetime.now(UTC)
    except (ValueError, OverflowError):
        return 0.0
    return min(max(wait.total_seconds(), 0.0), LONGEST_WAIT)


def _hang_up(sock: Any, late: threading.Event) -> None:
    late.set()
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return f"TLS: {getattr(error, 'verify_message', '') or error.reason}"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return error.strerror or type(error).__name__ if isinstance(error, OSError) else type(error).__name__
