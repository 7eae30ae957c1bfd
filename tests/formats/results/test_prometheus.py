"""What a service tells of itself before and after the load, read into one value; each way it can go wrong has words."""

import math
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from bisector.core.model.scenario import Metric
from bisector.formats.results import figures_there, read_value, wanted_files
from bisector.formats.results.exposition import parse, selector
from bisector.formats.results.problem import ResultProblem
from bisector.formats.results.statistic import quantile
from bisector.formats.scenario import scenario_from
from tests.formats.results.fixtures import USAGE

HEAD = b"HTTP/1.0 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\n\r\n"


def metric(**keys: object) -> Metric:
    run = {"command": ["load"], "service": {"command": ["x", "{port}"], "metrics": "http://127.0.0.1:{port}/metrics"}}
    table = {"name": "s", "run": run, "metrics": [{"name": "asked", "source": "prometheus", **keys}]}
    return scenario_from(table, where="here").metrics[0]


def files(before: str | bytes, after: str | bytes) -> Mapping[str, bytes]:
    told = [each if isinstance(each, bytes) else HEAD + each.encode() for each in (before, after)]
    return {"services/service.before": told[0], "services/service.after": told[1]}


def read(before: str | bytes, after: str | bytes, **keys: object) -> float:
    return read_value(metric(**keys), USAGE, b"", files(before, after))


REQUESTS = '# TYPE r_total counter\nr_total{code="200",m="GET"} %s\nr_total{code="500",m="GET"} %s\n'


def test_a_counter_is_read_by_how_far_it_went_on() -> None:
    before, after = REQUESTS % (10, 1), REQUESTS % (110, 4)
    assert read(before, after, select='r_total{code="500"}') == 3
    assert read(before, after, select="r_total") == 103, "all that match are added up"
    assert read(before, after, select='r_total{m="GET",code="200"}', quantity="delta") == 100
    assert read(before, after, select='r_total{code="500"}', quantity="last") == 4
    assert wanted_files((metric(select="r_total"),)) == ("services/service.after", "services/service.before")
    assert [each.benchmark for each in figures_there(metric(select="x"), b"", files(before, after))] == ["r_total"]


def test_a_series_that_came_with_its_first_event_was_at_0() -> None:
    before, after = "# TYPE r_total counter\n", '# TYPE r_total counter\nr_total{code="500"} 2\n'
    assert read(before, after, select='r_total{code="500"}') == 2
    assert read(before, before, select="r_total") == 0, "announced, and nothing of it happened"
    assert read(after, after, select='r_total{code="404"}') == 0, "none of that code happened"


@pytest.mark.parametrize(
    ("before", "after", "keys", "told"),
    [
        (b"", REQUESTS % (1, 1), {}, "before the load the service did not answer"),
        (REQUESTS % (1, 1), b"", {}, "after the load the service did not answer"),
        (b"SSH-2.0-x\r\n", REQUESTS % (1, 1), {}, "did not answer by HTTP"),
        (b"HTTP/1.1 404 Not Found\r\n\r\n", "", {}, "answered with status 404"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nr_total 1\n", "", {}, "cut off"),
        (REQUESTS % (5, 1), REQUESTS % (3, 1), {}, "was at 5 before the load and is down to 3"),
        (REQUESTS % (5, 1), '# TYPE r_total counter\nr_total{code="200",m="GET"} 9\n', {}, "is gone after it"),
        (
            "process_start_time_seconds 1\nr_total 1\n",
            "process_start_time_seconds 2\nr_total 9\n",
            {},
            "another process",
        ),
        ("", REQUESTS % (1, 1), {"select": "q_total"}, "tells no 'q_total'; did you mean 'r_total'?"),
        (REQUESTS % (1, 1), REQUESTS % (1, 1), {"select": 'r_total{kode="500"}'}, "no label 'kode' (it has: code, m)"),
        ("r_total NaN\n", "r_total NaN\n", {}, "not a finite number"),
        ("r_total 1\n", "r_total +Inf\n", {}, "not a finite number"),
        ("g 1\n", "h 1\n", {"select": "g", "quantity": "last"}, "tells no g"),
        ("r_total 1\nr_total 2\n", "", {}, "line 2 of the service's metrics is there twice"),
        ("r_total one\n", "", {}, "line 1 of the service's metrics cannot be read"),
        ('r_total{a="b} 1\n', "", {}, "line 1 of the service's metrics cannot be read"),
    ],
)
def test_what_cannot_be_read_is_told(before: str, after: str, keys: dict[str, object], told: str) -> None:
    with pytest.raises(ResultProblem) as problem:
        read(before, after, **{"select": "r_total", **keys})
    assert told in str(problem.value)


def test_a_file_that_is_gone_is_told() -> None:
    with pytest.raises(ResultProblem, match="before the load is gone"):
        read_value(metric(select="x"), USAGE, b"", {})


def test_a_gauge_may_go_down() -> None:
    told = "# TYPE g gauge\ng %s\n"
    assert read(told % 5, told % 3, select="g") == -2


HISTOGRAM = """# TYPE d_seconds histogram
d_seconds_bucket{{le="0.1"}} {0}
d_seconds_bucket{{le="0.2"}} {1}
d_seconds_bucket{{le="+Inf"}} {2}
d_seconds_sum {3}
d_seconds_count {2}
"""


def test_quantiles_and_shares_are_of_what_came_during_the_load() -> None:
    before, after = HISTOGRAM.format(100, 100, 100, 1.0), HISTOGRAM.format(150, 200, 200, 16.0)
    asked = {"select": "d_seconds", "quantity": "histogram"}
    assert read(before, after, statistic="median", **asked) == pytest.approx(0.1)
    assert read(before, after, statistic="p75", **asked) == pytest.approx(0.15)
    assert read(before, after, statistic="mean", **asked) == pytest.approx(0.15)
    assert read(before, after, statistic="share<=0.1", **asked) == pytest.approx(0.5)
    assert read(before, after, statistic="share>0.1", **asked) == pytest.approx(0.5)
    assert metric(**asked, statistic="p95").unit == "s"
    assert metric(**asked, statistic="share<=0.1").unit == ""


@pytest.mark.parametrize(
    ("after", "statistic", "told"),
    [
        (HISTOGRAM.format(1, 1, 1, 1), "p95", "nothing was observed"),
        (HISTOGRAM.format(1, 1, 9, 1), "p95", "lies beyond the last bucket, 0.2"),
        (HISTOGRAM.format(1, 1, 9, 1), "max", "there is no max of a histogram"),
        (HISTOGRAM.format(9, 5, 9, 1), "p95", "do not add up"),
        ('d_seconds{quantile="0.5"} 1\nd_seconds_sum 1\nd_seconds_count 1\n', "p95", "is a summary"),
        ("other 1\n", "p95", "tells no 'd_seconds_bucket'"),
    ],
)
def test_a_histogram_that_tells_nothing_is_told(after: str, statistic: str, told: str) -> None:
    with pytest.raises(ResultProblem) as problem:
        read(HISTOGRAM.format(1, 1, 1, 1), after, select="d_seconds", quantity="histogram", statistic=statistic)
    assert told in str(problem.value)


@given(st.lists(st.floats(0.001, 9.9), min_size=1, max_size=200), st.integers(1, 99))
def test_a_quantile_lies_in_the_bucket_of_the_true_one(values: list[float], percent: int) -> None:
    bounds = [0.01, 0.1, 0.5, 1, 2, 5, 10]
    registry = CollectorRegistry()
    histogram = Histogram("d_seconds", "", buckets=bounds, registry=registry)
    before = generate_latest(registry)
    for value in values:
        histogram.observe(value)
    asked = {"select": "d_seconds", "quantity": "histogram", "statistic": f"p{percent}"}
    found = read(before.decode(), generate_latest(registry).decode(), **asked)
    # The value of which so large a share is not above it: without interpolation between two.
    true = sorted(values)[max(0, math.ceil(percent / 100 * len(values)) - 1)]
    upper = next(bound for bound in bounds if true <= bound)
    lower = max([0.0, *(bound for bound in bounds if bound < upper)])
    assert lower <= found <= upper
    assert quantile([found], 0.5) == found


labels = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=12)


@given(st.dictionaries(st.tuples(labels, labels), st.floats(allow_nan=False), max_size=5), st.booleans())
def test_the_reader_reads_what_the_reference_reads(values: dict[tuple[str, str], float], stamped: bool) -> None:
    registry = CollectorRegistry()
    gauge = Gauge("g", 'help with "quotes" \\ and a\nline', ["a", "b"], registry=registry)
    for label, value in values.items():
        gauge.labels(*label).set(value)
    Counter("c", "", registry=registry).inc()
    text = generate_latest(registry).decode()
    expected = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    told = text.replace(" 1.0\n", " 1.0 1700000000000\n") if stamped else text
    assert {(each.name, each.labels): each.value for each in parse(told).series} == expected


def test_openmetrics_with_exemplars_and_chunks_is_read() -> None:
    body = '# TYPE r counter\nr_total{code="5} 0 0"} 4 # {trace="x"} 1 1.5\nr_created 1.7e9\n# EOF\n'
    assert parse(body).named("r_total")[0].value == 4
    assert parse(body).named("r_total")[0].label_map == {"code": "5} 0 0"}
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nr_to\r\n7\r\ntal 41\n\r\n0\r\n\r\n"
    assert read(chunked, HEAD + b"r_total 42\n", select="r_total") == 1
    with pytest.raises(ResultProblem, match="cut off"):
        read(chunked[:-9], HEAD + b"r_total 42\n", select="r_total")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("up", ("up", {})),
        (' a:b_total{x="1", y="{}"} ', ("a:b_total", {"x": "1", "y": "{}"})),
        ('a{x="1",}', ("a", {"x": "1"})),
        ("a{}", ("a", {})),
        ("9a", None),
        ("a{x=1}", None),
        ('a{x="1"} 3', None),
        ("rate(a[5m])", None),
    ],
)
def test_a_selector_is_a_name_and_labels(text: str, found: object) -> None:
    assert selector(text) == found
