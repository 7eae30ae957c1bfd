"""Units and checked strings. Inside, a time is in seconds and a size in bytes; formatting is the report's business."""

import hashlib
import re
from typing import NewType

Seconds = float
Bytes = int
Sha = NewType("Sha", str)
"""A full, lower-case git object name, 40 or 64 hexadecimal digits."""

_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def parse_sha(text: str) -> Sha:
    """Return `text` as an object name; ValueError unless it is a full one in lower case."""
    if not _SHA.fullmatch(text):
        raise ValueError(f"not a full object name: {text[:80]!r}")
    return Sha(text)


def digest(*parts: str | bytes) -> str:
    """SHA-256 of `parts`, each framed by its length, in hexadecimal: no two different lists share an encoding."""
    state = hashlib.sha256()
    for part in parts:
        raw = part.encode() if isinstance(part, str) else part
        state.update(len(raw).to_bytes(8, "big"))
        state.update(raw)
    return state.hexdigest()
