"""The benchmark tools whose files can be read, and what their figures mean where a scenario does not say it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bisector.core.model.scenario import Better
from bisector.formats.results import (
    artillery,
    asv,
    criterion,
    gatling,
    go_bench,
    google_benchmark,
    hey,
    hyperfine,
    jmh,
    k6,
    k6_words,
    locust,
    oha,
    pyperf,
    pytest_benchmark,
    vegeta,
    wrk,
)
from bisector.formats.results.figures import Figure

TIME = ("s", Better.LOWER)
RATE = ("1/s", Better.HIGHER)
LOAD = {"": TIME, "latency": TIME, "time": TIME, "rate": RATE, "transfer": ("B/s", Better.HIGHER)}
UNKNOWN = ("", Better.LOWER)


@dataclass(frozen=True, kw_only=True, slots=True)
class Tool:
    """A tool: the reader of its files, and unit and direction of each quantity ("" is the one it is there for).

    The file has the last word on both; these are what a report says before any file has been read.
    """

    read: Callable[[bytes], list[Figure]]
    usual: Mapping[str, tuple[str, Better]] = field(default_factory=lambda: {"": TIME, "time": TIME})


TOOLS: Mapping[str, Tool] = {
    "pytest-benchmark": Tool(read=pytest_benchmark.read, usual={"": TIME, "time": TIME, "ops": RATE}),
    "pyperf": Tool(read=pyperf.read, usual={"": TIME, "time": TIME, "byte": ("B", Better.LOWER)}),
    "hyperfine": Tool(
        read=hyperfine.read,
        usual={"": TIME, "time": TIME, "user": TIME, "system": TIME, "memory": ("B", Better.LOWER)},
    ),
    "google-benchmark": Tool(
        read=google_benchmark.read,
        usual={
            "": TIME,
            "real_time": TIME,
            "cpu_time": TIME,
            "items_per_second": RATE,
            "bytes_per_second": ("B/s", Better.HIGHER),
        },
    ),
    "go-bench": Tool(
        read=go_bench.read,
        usual={"": TIME, **{key: (unit, better) for key, (unit, _, better) in go_bench.KNOWN.items()}},
    ),
    "jmh": Tool(read=jmh.read, usual={"": TIME, "thrpt": RATE, "avgt": TIME, "sample": TIME, "ss": TIME}),
    "criterion": Tool(read=criterion.read),
    "k6": Tool(read=k6.read, usual={"share": UNKNOWN, "trend": TIME, "rate": RATE}),
    "locust": Tool(read=locust.read, usual={**LOAD, "failures": UNKNOWN}),
    "wrk": Tool(read=wrk.read, usual=LOAD),
    "oha": Tool(read=oha.read, usual=LOAD),
    "vegeta": Tool(read=vegeta.read, usual=LOAD),
    "hey": Tool(read=hey.read, usual=LOAD),
    "artillery": Tool(read=artillery.read),
    "gatling": Tool(read=gatling.read, usual=LOAD),
    "asv": Tool(
        read=asv.read,
        usual={"": TIME, "time": TIME, "memory": ("B", Better.LOWER), "peak_memory": ("B", Better.LOWER)},
    ),
}


def usual_meaning(source: str, select: str, quantity: str) -> tuple[str, Better]:
    """Unit and better direction of a metric that says neither."""
    if source == "k6":
        return _of_k6(k6_words.plain(select), quantity)
    if source == "asv" and not quantity:
        kind = select.split("(", 1)[0].rsplit(".", 1)[-1].split("_", 1)[0]
        return (asv.KINDS[kind][1], Better.LOWER) if kind in asv.KINDS else TIME if not select else UNKNOWN
    return TOOLS[source].usual.get(quantity, UNKNOWN)


def _of_k6(name: str, quantity: str) -> tuple[str, Better]:
    if quantity in ("", "rate") and name in k6_words.THROUGHPUT:
        return ("B/s" if name.startswith("data_") else "1/s", Better.HIGHER)
    if name in k6_words.HIGHER_SHARES:
        return ("", Better.HIGHER)
    return TIME if quantity in ("", "trend") and (k6_words.is_time(name) or not name) else UNKNOWN
