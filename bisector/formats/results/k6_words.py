"""What k6 calls things, for all the forms in which it writes them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bisector.core.model.scenario import Better
from bisector.formats.results.figures import Figure

TOOL = "k6"
FAILED_REQUESTS = "http_req_failed"
LOWER_SHARES = frozenset({FAILED_REQUESTS})
HIGHER_SHARES = frozenset({"checks"})
THROUGHPUT = frozenset({"http_reqs", "iterations", "ws_msgs_sent", "ws_msgs_received", "data_sent", "data_received"})
TIMES = frozenset({"iteration_duration", "group_duration", "ws_connecting", "ws_session_duration", "grpc_req_duration"})
NO_TIMES = frozenset({FAILED_REQUESTS})


def plain(name: str) -> str:
    """A metric's name without the tags of a sub-metric."""
    return name.split("{", 1)[0]


def is_time(name: str) -> bool:
    """Whether a metric is one of k6's own times."""
    own = plain(name)
    return own in TIMES or (own.startswith(("http_req_", "browser_web_vital_")) and own not in NO_TIMES)


def usual_content(name: str) -> str:
    """What a metric contains, in k6's words, for forms that do not say it; "" where it may be anything."""
    return "time" if is_time(name) else "data" if plain(name) in ("data_sent", "data_received") else ""


def figure_of(
    name: str,
    kind: str,
    contains: str,
    *,
    value: float | None = None,
    stated: Mapping[str, float] | None = None,
    values: Sequence[float] = (),
) -> Figure:
    """A figure of k6 in our units. `kind` is trend, rate (a second), count, share, or value (of a gauge)."""
    time, unit = contains == "time", {"time": "s", "data": "B"}.get(contains, "")
    seconds = (lambda each: each / 1000) if time and kind in ("trend", "value") else float
    inner = (value,) if value is not None else values
    return Figure(
        benchmark=name,
        quantity=kind,
        unit={"rate": f"{unit or '1'}/s", "share": "", "count": "" if time else unit}.get(kind, unit),
        better=_better(plain(name), kind, time=time),
        values=tuple(seconds(each) for each in inner),
        stated={key: seconds(each) for key, each in (stated or {}).items()},
    )


def _better(name: str, kind: str, *, time: bool) -> Better | None:
    if kind == "trend" and time:
        return Better.LOWER
    if kind == "rate" and name in THROUGHPUT:
        return Better.HIGHER
    if kind == "share":
        return Better.LOWER if name in LOWER_SHARES else Better.HIGHER if name in HIGHER_SHARES else None
    return None


def with_failures(figures: Sequence[Figure], told: str, part: float) -> list[Figure]:
    """The figures of a run in which something failed; the shares that count the failures themselves stay sound."""
    counting = LOWER_SHARES | HIGHER_SHARES
    return [
        each if plain(each.benchmark) in counting else replace(each, failed=told, failed_share=part) for each in figures
    ]
