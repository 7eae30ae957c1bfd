"""Who sent this: signatures over the raw bytes, compared in constant time, old ones refused where they carry a time."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from enum import StrEnum

from bisector.core.model.units import Seconds

REPLAY_WINDOW: Seconds = 300.0


class Scheme(StrEnum):
    """How a sender proves who it is."""

    BISECTOR = "bisector"
    """`X-Bisector-Signature: sha256=…` over "id.timestamp.body", with X-Bisector-Delivery and X-Bisector-Timestamp."""
    GITHUB = "github"
    """`X-Hub-Signature-256: sha256=…` over the body; it carries no time, so a replay is known by its delivery id."""
    GRAFANA = "grafana"
    """`X-Grafana-Alerting-Signature: …` over "timestamp:body" where X-Grafana-Alerting-Timestamp is sent."""
    BEARER = "bearer"
    """`Authorization: Bearer …`: for senders that cannot sign."""


SCHEME_OF = {
    "github": Scheme.GITHUB,
    "grafana": Scheme.GRAFANA,
    "alertmanager": Scheme.BEARER,
    "horreum": Scheme.BEARER,
}
"""What a source uses unless its settings say otherwise; all others use our own."""


def verified(scheme: Scheme, secrets: Sequence[str], headers: Mapping[str, str], body: bytes, now: Seconds) -> bool:
    """Whether one of the active `secrets` made this; headers with lower-case names. ValueError for an empty secret."""
    if not secrets or not all(secrets):
        raise ValueError("a hook without a secret would let anybody in")
    sent, signed = _sent(scheme, headers, body, now)
    if sent is None:
        return False
    # All are compared, so that the time taken does not tell which of them it was.
    return sum(hmac.compare_digest(sent, _expected(scheme, secret, signed)) for secret in secrets) > 0


def delivery(scheme: Scheme, headers: Mapping[str, str], body: bytes) -> str:
    """Name of this delivery, which is not done twice: the sender's own where it has one, else a digest of the body."""
    name = {Scheme.BISECTOR: "x-bisector-delivery", Scheme.GITHUB: "x-github-delivery"}.get(scheme)
    given = headers.get(name, "") if name else ""
    return given[:200] or hashlib.sha256(body).hexdigest()


def sign(secret: str, identifier: str, timestamp: int, body: bytes) -> str:
    """Our own signature header's value, for senders and for what is sent out."""
    signed = f"{identifier}.{timestamp}.".encode() + body
    return "sha256=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def _sent(scheme: Scheme, headers: Mapping[str, str], body: bytes, now: Seconds) -> tuple[bytes | None, bytes]:
    """The proof as sent, None where it is missing or too old, and the bytes that it is to be of."""
    match scheme:
        case Scheme.BEARER:
            kind, _, token = headers.get("authorization", "").partition(" ")
            return (token.strip().encode("utf-8", "replace") if kind.lower() == "bearer" else None), b""
        case Scheme.GITHUB:
            return _hexadecimal(headers.get("x-hub-signature-256", ""), "sha256="), body
        case Scheme.GRAFANA:
            stamp = headers.get("x-grafana-alerting-timestamp", "")
            if stamp and not _fresh(stamp, now):
                return None, b""
            signed = f"{stamp}:".encode() + body if stamp else body
            return _hexadecimal(headers.get("x-grafana-alerting-signature", ""), ""), signed
        case Scheme.BISECTOR:
            stamp = headers.get("x-bisector-timestamp", "")
            if not _fresh(stamp, now):
                return None, b""
            signed = f"{headers.get('x-bisector-delivery', '')}.{stamp}.".encode() + body
            return _hexadecimal(headers.get("x-bisector-signature", ""), "sha256="), signed


def _expected(scheme: Scheme, secret: str, signed: bytes) -> bytes:
    if scheme is Scheme.BEARER:
        return secret.encode()
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest().encode()


def _hexadecimal(header: str, prefix: str) -> bytes:
    return header.removeprefix(prefix).encode("utf-8", "replace")


def _fresh(stamp: str, now: Seconds) -> bool:
    return stamp.isascii() and stamp.isdigit() and len(stamp) < 12 and abs(int(stamp) - now) <= REPLAY_WINDOW
