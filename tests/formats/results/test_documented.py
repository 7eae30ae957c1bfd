"""Readers of tools that could not be had where this was written: documents made here as the tools' documentation says.

They show that the readers do what was understood, not that the tools write this.
"""

import json
from typing import Any, ClassVar

import pytest

from bisector.core.model.scenario import Better
from bisector.formats.results import figures_there, read_figure
from bisector.formats.results.problem import ResultProblem
from tests.formats.results.fixtures import metric, read


def jmh(mode: str, unit: str, raw: list[list[float]], **more: object) -> bytes:
    metrics = {"score": raw[0][0], "scoreError": "NaN", "scoreConfidence": ["NaN", "NaN"], "scoreUnit": unit}
    second = {"·gc.alloc.rate.norm": {"score": 24.0, "scoreUnit": "B/op", "rawData": [[24.0]]}}
    entry = {"jmhVersion": "1.37", "benchmark": "org.example.Sums.total", "mode": mode, "forks": len(raw)}
    return json.dumps(
        [{**entry, "primaryMetric": {**metrics, "rawData": raw}, "secondaryMetrics": second, **more}]
    ).encode()


class TestJmh:
    def test_iterations_of_all_forks_are_inner_values(self) -> None:
        text = jmh("avgt", "us/op", [[1.0, 2.0], [4.0, 8.0]])
        figure = read_figure(metric("jmh"), text, {})
        assert figure.values == (1e-6, 2e-6, 4e-6, 8e-6)
        assert read("jmh", text, select="Sums.total") == read("jmh", text, select="total") == pytest.approx(3e-6)

    def test_throughput_is_a_second_and_has_to_be_meant(self) -> None:
        text = jmh("thrpt", "ops/ms", [[3.0, 5.0]])
        assert read("jmh", text, better="higher") == 4000
        with pytest.raises(ResultProblem, match='higher is better, and the metric says lower: write better = "higher"'):
            read("jmh", text)
        assert metric("jmh", quantity="thrpt").better is Better.HIGHER

    def test_parameters_are_part_of_the_name(self) -> None:
        text = jmh("avgt", "ns/op", [[10.0]], params={"n": "100", "kind": "a"})
        assert next(each.benchmark for each in figures_there(metric("jmh"), text, {})) == (
            "org.example.Sums.total (n=100, kind=a)"
        )
        assert read("jmh", text, select="org.example.Sums.total (n=100, kind=a)") == 1e-8

    def test_a_histogram_is_read_by_its_percentiles(self) -> None:
        document = json.loads(jmh("sample", "ms/op", [[1.0]]))
        primary = document[0]["primaryMetric"]
        del primary["rawData"]
        primary |= {"rawDataHistogram": [[[[1, 2]]]], "scorePercentiles": {"50.0": 2.0, "95.0": 7.0}}
        text = json.dumps(document).encode()
        assert read("jmh", text) == 0.002
        assert read("jmh", text, statistic="p95") == 0.007

    def test_what_a_profiler_adds_is_a_quantity(self) -> None:
        text = jmh("avgt", "ns/op", [[10.0]])
        assert read("jmh", text, quantity="gc.alloc.rate.norm", unit="B/op") == 24


class TestOha:
    DOCUMENT: ClassVar[dict[str, Any]] = {
        "summary": {
            "successRate": 1.0,
            "total": 2.0,
            "slowest": 0.5,
            "fastest": 0.1,
            "average": 0.2,
            "requestsPerSec": 50.0,
        },
        "latencyPercentiles": {"p50": 0.15, "p95": 0.4, "p99.9": None},
        "statusCodeDistribution": {"200": 98},
        "errorDistribution": {"aborted due to deadline": 2},
    }

    def test_seconds_and_requests_a_second(self) -> None:
        text = json.dumps(self.DOCUMENT).encode()
        assert read("oha", text) == 0.15
        assert read("oha", text, statistic="p95") == 0.4
        assert read("oha", text, quantity="rate") == 50

    @pytest.mark.parametrize(
        "part", [{"statusCodeDistribution": {"200": 98, "503": 2}}, {"errorDistribution": {"x": 2}}]
    )
    def test_failures_are_no_result(self, part: dict[str, Any]) -> None:
        with pytest.raises(ResultProblem, match=r"2 of 100 requests failed; allow_failures = 0.02 would accept it"):
            read("oha", json.dumps({**self.DOCUMENT, **part}).encode())


class TestVegeta:
    DOCUMENT: ClassVar[dict[str, Any]] = {
        "latencies": {"total": 900, "mean": 3_000_000, "50th": 2_000_000, "95th": 9_000_000, "max": 10_000_000},
        "requests": 300,
        "rate": 100.1,
        "throughput": 99.5,
        "success": 1,
        "status_codes": {"200": 300},
        "errors": [],
    }

    def test_nanoseconds_are_seconds_and_the_rate_is_what_was_answered(self) -> None:
        text = json.dumps(self.DOCUMENT).encode()
        assert read("vegeta", text) == 0.002
        assert read("vegeta", text, statistic="p95") == 0.009
        assert read("vegeta", text, quantity="rate") == 99.5

    def test_failures_are_no_result(self) -> None:
        with pytest.raises(ResultProblem, match="30 of 300 requests failed"):
            read("vegeta", json.dumps({**self.DOCUMENT, "success": 0.9}).encode())


class TestGatling:
    @staticmethod
    def stats(name: str, milliseconds: float, ko: object = "-") -> dict[str, Any]:
        times = ("minResponseTime", "maxResponseTime", "meanResponseTime", "percentiles1", "percentiles3")
        return {
            "name": name,
            "numberOfRequests": {"total": "150", "ok": "150", "ko": ko},
            **{key: {"total": str(milliseconds), "ok": str(milliseconds), "ko": "-"} for key in times},
            "meanNumberOfRequestsPerSecond": {"total": "15.5", "ok": "15.5", "ko": "-"},
        }

    def test_requests_of_a_report_and_all_together(self) -> None:
        inner = {
            "req_login-1": {"type": "REQUEST", "name": "login", "path": "login", "stats": self.stats("login", 429)}
        }
        whole = {
            "type": "GROUP",
            "name": "Global Information",
            "path": "",
            "stats": self.stats("x", 600),
            "contents": inner,
        }
        text = json.dumps(whole).encode()
        assert read("gatling", text, select="login") == 0.429
        assert read("gatling", text, select="All Requests", statistic="p95") == 0.6
        assert read("gatling", text, select="login", quantity="rate") == 15.5

    def test_the_global_statistics_are_read_alone(self) -> None:
        assert read("gatling", json.dumps(self.stats("All Requests", 250)).encode(), statistic="mean") == 0.25

    def test_failures_are_no_result(self) -> None:
        with pytest.raises(ResultProblem, match="15 of 150 requests failed"):
            read("gatling", json.dumps(self.stats("All Requests", 250, ko="15")).encode())


class TestK6Version2:
    @staticmethod
    def summary(version: str = "1.0.0", failed: float = 0.0) -> bytes:
        trend = {"avg": 245.67, "min": 123.45, "med": 234.5, "max": 456.78, "p(95)": 421.25}
        metrics = [
            {"name": "http_req_duration", "type": "trend", "contains": "time", "values": trend},
            {"name": "http_reqs", "type": "counter", "contains": "default", "values": {"count": 1500, "rate": 24.75}},
            {
                "name": "http_req_failed",
                "type": "rate",
                "values": {"rate": failed, "passes": 1500 * failed, "fails": 0},
            },
        ]
        return json.dumps({"version": version, "metadata": {}, "config": {}, "results": {"metrics": metrics}}).encode()

    def test_the_summary_of_version_2_is_read(self) -> None:
        assert read("k6", self.summary(), select="http_req_duration", statistic="p95") == 0.42125
        assert read("k6", self.summary(), select="http_reqs") == 24.75

    def test_failures_and_other_versions_are_told(self) -> None:
        with pytest.raises(ResultProblem, match=r"of .* requests failed"):
            read("k6", self.summary(failed=0.02), select="http_req_duration")
        with pytest.raises(ResultProblem, match=r"its summary is of version '2.0.0', '1.0.0' can be read"):
            read("k6", self.summary(version="2.0.0"), select="http_req_duration")


@pytest.mark.parametrize(
    ("source", "text", "told"),
    [
        ("pyperf", b'{"benchmarks": [], "version": "2.0"}', "its format is '2.0', '1.0' can be read"),
        ("asv", b'{"results": {}, "version": 3}', "its format is version 3, 2 can be read"),
        (
            "google-benchmark",
            b'{"context": {"json_schema_version": 2}, "benchmarks": []}',
            "its format is version 2, 1 can be read",
        ),
        ("artillery", b'{"aggregate": {"latency": {}}}', "it is of a version before 2"),
        ("hyperfine", b'{"runs": []}', "this is not what hyperfine writes, or another version of it"),
        ("pytest-benchmark", b'{"results": []}', "this is not what pytest-benchmark writes"),
        ("pytest-benchmark", b'{"benchmarks": [], "machine_info": {}}', "no benchmark in what pytest-benchmark wrote"),
        ("locust", b"[]", "Locust made no request"),
        ("locust", b"Method,Name,Error,Occurrences\r\n", "the one whose name ends with _stats.csv"),
        ("gatling", b"var stats = {\n    type: 'GROUP'", "not JSON"),
        ("go-bench", b"PASS\nok", "no line of a Go benchmark"),
        ("go-bench", b"BenchmarkX 10 12 ns/op 3", "a figure without its unit"),
        ("wrk", b"unable to connect", "no summary of wrk"),
        ("hey", b"Usage: hey", "no summary of hey"),
        ("k6", b'{"type":"Point","metric":"x","data":{"value":1}}', "x has values and is not declared"),
        ("hyperfine", b"", "there is nothing where hyperfine should have written"),
    ],
)
def test_another_version_or_another_tool_is_told_as_that(source: str, text: bytes, told: str) -> None:
    with pytest.raises(ResultProblem) as raised:
        read(source, text)
    assert told in str(raised.value)
