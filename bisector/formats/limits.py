"""Limits as people write them: "seconds=1.2" for the median, "p95:seconds=1.5" for another quantile."""

import re

from bisector.core.search.limits import MEDIAN, Limit
from bisector.errors import UsageError

_LIMIT = re.compile(r"(?:(?P<quantile>median|p\d{1,2}(?:\.\d+)?):)?(?P<metric>.+)=(?P<bound>[^=]+)")


def parse_limit(text: str, *, upper: bool) -> Limit:
    """The limit in `text`; UsageError for what is none."""
    found = _LIMIT.fullmatch(text.strip())
    try:
        if found is None or found["metric"].endswith(":"):
            raise ValueError
        bound = float(found["bound"])
        if bound != bound or abs(bound) == float("inf"):
            raise ValueError
    except ValueError:
        then = "Write METRIC=NUMBER for the median, or p95:METRIC=NUMBER for another quantile"
        raise UsageError(f"not a limit: {text[:100]!r}", then=then) from None
    named = found["quantile"]
    quantile = MEDIAN if named in (None, "median") else float(named[1:]) / 100
    return Limit(metric=found["metric"], quantile=quantile, bound=bound, upper=upper)
