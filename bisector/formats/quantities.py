"""What people type: percentages, durations, sizes."""

import re
from datetime import UTC, datetime

from bisector.core.model.units import Seconds
from bisector.errors import UsageError

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|min|h|d)?")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0, "": 1.0}


def parse_share(text: str) -> float:
    """ "3%" or "0.03" as 0.03; UsageError unless it is above 0 and below 10."""
    cleaned = text.strip()
    try:
        value = float(cleaned[:-1]) / 100 if cleaned.endswith("%") else float(cleaned)
    except ValueError:
        raise UsageError(f"not a share: {text!r}", then="Write it like 3% or 0.03") from None
    if not 0 < value < 10:
        raise UsageError(f"a share of {text} makes no sense here", then="Write it like 3% or 0.03")
    return value


def parse_duration(text: str) -> Seconds:
    """ "90", "90s", "30m", "1h30m" in seconds; UsageError for anything else."""
    cleaned = text.strip().replace(" ", "")
    parts = _DURATION.findall(cleaned)
    if not parts or "".join(f"{number}{unit}" for number, unit in parts) != cleaned:
        raise UsageError(f"not a duration: {text!r}", then="Write it like 90s, 30m or 1h30m")
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)


def parse_moment(text: str) -> str:
    """ "2026-01-31" (its beginning), "2026-01-31T12:00" or with an offset, as "2026-01-31T00:00:00Z"; UTC by default.

    UsageError for anything else.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
        aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(f"not a date: {text!r}", then="Write it like 2026-01-31 or 2026-01-31T12:00Z") from None
    return aware.strftime("%Y-%m-%dT%H:%M:%SZ")
