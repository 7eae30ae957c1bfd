"""Any value a tool can write comes back in its unit, and nothing but a plain problem comes of what it cannot."""

import contextlib
import json
import math
from collections.abc import Callable
from statistics import median
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bisector.formats.results import read_value
from bisector.formats.results.figures import condensed
from bisector.formats.results.problem import ResultProblem
from bisector.formats.results.tools import TOOLS
from tests.formats.results.fixtures import FIXTURES, USAGE, content, metric, read

FILES = sorted(path.name for path in FIXTURES.iterdir() if path.suffix in (".json", ".txt", ".csv", ".jsonl"))
SECONDS = st.floats(1e-9, 1e6)
VALUES = st.lists(SECONDS, min_size=1, max_size=9)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def tool_of(name: str) -> str:
    return max((tool for tool in TOOLS if name.startswith(tool)), key=len)


def _changed(name: str, path: tuple[str | int, ...], value: Any) -> bytes:
    """A fixture with another value at one place."""
    document = json.loads(content(name))
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return json.dumps(document).encode()


WRITERS: dict[str, tuple[Callable[[list[float]], bytes], float, dict[str, Any]]] = {
    "pytest-benchmark": (
        lambda them: _changed("pytest-benchmark.json", ("benchmarks", 2, "stats", "data"), them),
        1,
        {"select": "test_sorted"},
    ),
    "pyperf": (lambda them: _changed("pyperf-one.json", ("benchmarks", 0, "runs"), [{"values": them}]), 1, {}),
    "hyperfine": (lambda them: _changed("hyperfine-one.json", ("results", 0, "times"), them), 1, {}),
    "google-benchmark": (
        lambda them: json.dumps(
            {"context": {}, "benchmarks": [{"name": "a", "real_time": each, "time_unit": "us"} for each in them]}
        ).encode(),
        1e6,
        {},
    ),
    "go-bench": (lambda them: "\n".join(f"BenchmarkX-8 \t 20\t {each!r} ns/op" for each in them).encode(), 1e9, {}),
    "criterion": (
        lambda them: json.dumps({"iters": [1.0] * len(them), "times": them, "sampling_mode": "Flat"}).encode(),
        1e9,
        {},
    ),
    "k6": (
        lambda them: b"\n".join(
            [
                b'{"type":"Metric","metric":"a","data":{"type":"trend","contains":"time"}}',
                *(json.dumps({"type": "Point", "metric": "a", "data": {"value": each}}).encode() for each in them),
            ]
        ),
        1e3,
        {"unit": "s"},
    ),
    "jmh": (
        lambda them: json.dumps(
            [{"benchmark": "a.B.c", "mode": "avgt", "primaryMetric": {"scoreUnit": "ms/op", "rawData": [them]}}]
        ).encode(),
        1e3,
        {},
    ),
    "hey": (
        lambda them: "\n".join(["response-time,status-code", *(f"{each!r},200" for each in them)]).encode(),
        1,
        {},
    ),
    "asv": (
        lambda them: json.dumps(
            {
                "version": 2,
                "result_columns": ["result", "params", "samples"],
                "results": {"a.time_b": [[them[0]], [], [them]]},
            }
        ).encode(),
        1,
        {},
    ),
}


@pytest.mark.parametrize("tool", WRITERS)
@settings(max_examples=40, deadline=None)
@given(values=VALUES)
def test_inner_values_come_back_in_seconds(tool: str, values: list[float]) -> None:
    write, units_a_second, more = WRITERS[tool]
    found = read(tool, write(values), **more)
    assert found == pytest.approx(median(values) / units_a_second, rel=1e-12)


@given(value=st.floats(0.01, 999.99), unit=st.sampled_from(["us", "ms", "s"]), rate=st.floats(0.01, 1e7))
def test_wrk_is_read_in_every_unit(value: float, unit: str, rate: float) -> None:
    text = (
        "  Thread Stats   Avg      Stdev     Max   +/- Stdev\n"
        f"    Latency   {value:.2f}{unit}  1.00us   2.00s  70.00%\n"
        f"  Latency Distribution\n     50%   {value:.2f}{unit}\n  12 requests in 1.00s, 3.00KB read\n"
        f"Requests/sec: {rate:9.2f}\nTransfer/sec:      3.00KB\n"
    ).encode()
    seconds = float(f"{value:.2f}") / {"us": 1e6, "ms": 1e3, "s": 1}[unit]
    assert read("wrk", text) == pytest.approx(seconds, rel=1e-12)
    assert read("wrk", text, statistic="mean") == pytest.approx(seconds, rel=1e-12)
    assert read("wrk", text, quantity="rate") == float(f"{rate:.2f}")
    assert read("wrk", text, quantity="transfer") == 3072


@given(
    times=st.dictionaries(st.integers(1, 60_000), st.integers(1, 50), min_size=1, max_size=9),
    failed=st.integers(0, 3),
)
def test_locust_counts_every_request_once(times: dict[int, int], failed: int) -> None:
    requests = sum(times.values())
    total = float(sum(key * count for key, count in times.items()))
    entry = {
        "name": "/",
        "method": "GET",
        "num_requests": requests,
        "num_failures": min(failed, requests),
        "total_response_time": total,
        "start_time": 10.0,
        "last_request_timestamp": 12.0,
        "response_times": {str(key): count for key, count in times.items()},
    }
    text = json.dumps([entry]).encode()
    keys: dict[str, Any] = {"allow_failures": 1.0, "select": "GET /"}
    assert read("locust", text, statistic="mean", **keys) == pytest.approx(total / requests / 1000, rel=1e-12)
    each = sorted(key for key, count in times.items() for _ in range(count))
    assert read("locust", text, statistic="p95", **keys) == each[math.ceil(0.95 * requests) - 1] / 1000
    assert read("locust", text, quantity="rate", **keys) == requests / 2


@given(values=VALUES, percent=st.integers(1, 99))
def test_a_percentile_lies_among_the_values_and_grows_with_its_rank(values: list[float], percent: int) -> None:
    found = condensed(values, f"p{percent}")
    assert min(values) <= found <= max(values)
    assert found <= condensed(values, "p99.9") or found == pytest.approx(condensed(values, "p99.9"))
    assert condensed(values, "p50") == pytest.approx(median(values))


def _only_problems(tool: str, text: bytes) -> None:
    """Read everything there is to read: a finite number, or a problem for people, and nothing else."""
    with contextlib.suppress(ResultProblem):
        for figure in TOOLS[tool].read(text):
            asked = metric(tool, select=figure.benchmark or "", quantity=figure.quantity, better="lower")
            with contextlib.suppress(ResultProblem):
                assert math.isfinite(read_value(asked, USAGE, text, {}))


@pytest.mark.parametrize("tool", TOOLS)
@settings(max_examples=40, deadline=None)
@given(text=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_junk_gives_a_plain_problem(tool: str, text: bytes) -> None:
    _only_problems(tool, text)


SMALL = [name for name in FILES if name.endswith(".json") and len(content(name)) < 20_000]


@pytest.mark.parametrize("name", SMALL)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_file_with_one_part_replaced_gives_a_plain_problem_or_a_number(name: str, data: st.DataObject) -> None:
    document = json.loads(content(name))
    place, depth = document, 0
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not keys:
            break
        key = data.draw(st.sampled_from(keys))
        depth += 1
        inner = place[key]
        if not isinstance(inner, dict | list) or (depth > 1 and data.draw(st.booleans())):
            if isinstance(place, dict) and data.draw(st.booleans()):
                del place[key]
            else:
                place[key] = data.draw(ANYTHING)
            break
        place = inner
    _only_problems(tool_of(name), json.dumps(document).encode())


@pytest.mark.parametrize("name", [name for name in FILES if name not in SMALL and name != "k6-points.jsonl"])
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_a_text_cut_or_with_a_part_replaced_gives_a_plain_problem_or_a_number(name: str, data: st.DataObject) -> None:
    text = content(name)[:3000]
    begin = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(begin, min(begin + 20, len(text))))
    _only_problems(tool_of(name), text[:begin] + data.draw(st.binary(max_size=10)) + text[end:])
