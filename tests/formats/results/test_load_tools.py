"""Files that real tools which make load wrote, read, and compared with what is in them by other means."""

import re
from statistics import median

import pytest

from bisector.core.model.scenario import Better
from bisector.formats.results import read_figure
from bisector.formats.results.problem import ResultProblem
from bisector.formats.results.tools import TOOLS
from tests.formats.results.fixtures import content, document, metric, read


def found(pattern: str, name: str) -> float:
    """The number that a pattern finds in a fixture."""
    match = re.search(pattern, content(name).decode(), re.MULTILINE)
    assert match is not None
    return float(match[1])


class TestK6:
    def test_three_shapes_say_the_same_of_one_run(self) -> None:
        export = document("k6-export.json")["metrics"]["http_req_duration"]
        keys = {"select": "http_req_duration", "statistic": "p95"}
        by_export = read("k6", content("k6-export.json"), **keys)
        assert by_export == export["p(95)"] / 1000
        # The export and the points were written by one run; k6 makes its percentiles as we do.
        assert read("k6", content("k6-points.jsonl"), **keys) == pytest.approx(by_export, rel=1e-9)
        summary = document("k6-summary.json")["metrics"]["http_req_duration"]["values"]
        assert read("k6", content("k6-summary.json"), **keys) == summary["p(95)"] / 1000

    def test_times_are_seconds_data_bytes_and_other_trends_themselves(self) -> None:
        summary = document("k6-summary.json")["metrics"]
        text = content("k6-summary.json")
        assert read("k6", text, select="parse", unit="s") == summary["parse"]["values"]["med"] / 1000
        assert read("k6", text, select="length") == 4
        assert read("k6", text, select="data_sent", quantity="count") == summary["data_sent"]["values"]["count"]

    def test_throughput_is_better_when_higher(self) -> None:
        rate = document("k6-summary.json")["metrics"]["http_reqs"]["values"]["rate"]
        asked = metric("k6", select="http_reqs")
        assert (asked.unit, asked.better) == ("1/s", Better.HIGHER)
        assert read("k6", content("k6-summary.json"), select="http_reqs") == rate

    def test_failed_requests_make_a_run_unsound_and_their_share_can_be_read(self) -> None:
        with pytest.raises(ResultProblem, match="30 of 30 requests failed"):
            read("k6", content("k6-failed.json"), select="http_req_duration")
        assert read("k6", content("k6-failed.json"), select="http_req_failed") == 1
        assert read("k6", content("k6-points.jsonl"), select="http_req_failed") == 0

    def test_failures_are_counted_among_points(self) -> None:
        text = content("k6-points.jsonl")
        bad = re.sub(rb'("metric":"http_req_failed","type":"Point".*?"value":)0', rb"\g<1>1", text, count=2)
        assert bad != text
        with pytest.raises(ResultProblem, match=r"2 of 30 requests failed; allow_failures = 0.067 would accept it"):
            read("k6", bad, select="http_req_duration")
        unchecked = re.sub(rb'("metric":"checks","type":"Point".*?"value":)1', rb"\g<1>0", text, count=3)
        with pytest.raises(ResultProblem, match="3 of 30 checks failed"):
            read("k6", unchecked, select="http_req_duration")

    def test_points_are_inner_values(self) -> None:
        figure = read_figure(metric("k6", select="http_req_duration"), content("k6-points.jsonl"), {})
        assert len(figure.values) == 30


class TestLocust:
    def test_the_mean_is_exact_and_percentiles_are_the_tools_own(self) -> None:
        first = next(each for each in document("locust.json") if each["name"] == "/")
        mean = first["total_response_time"] / first["num_requests"] / 1000
        assert read("locust", content("locust.json"), select="GET /", statistic="mean") == mean
        assert read("locust", content("locust.json"), select="/", statistic="max") == first["max_response_time"] / 1000

    def test_the_table_and_the_json_are_read_alike(self) -> None:
        row = found(r"^GET,/,\d+,\d+,[\d.]+,([\d.]+),", "locust-stats.csv")
        assert read("locust", content("locust-stats.csv"), select="GET /", statistic="mean") == row / 1000
        rate = found(r"^,Aggregated,(?:[^,]+,){7}([\d.]+),", "locust-stats.csv")
        assert read("locust", content("locust-stats.csv"), select="Aggregated", quantity="rate") == rate
        names = [figure.benchmark for figure in TOOLS["locust"].read(content("locust.json"))]
        assert {*names} == {"GET /", "GET /item/[id]", "Aggregated"}

    def test_all_together_counts_every_request_once(self) -> None:
        entries = document("locust.json")
        total = sum(each["num_requests"] for each in entries)
        mean = sum(each["total_response_time"] for each in entries) / total / 1000
        assert read("locust", content("locust.json"), select="Aggregated", statistic="mean") == mean

    @pytest.mark.parametrize("name", ["locust-failed.json", "locust-failed-stats.csv"])
    def test_failed_requests_make_a_run_unsound(self, name: str) -> None:
        with pytest.raises(ResultProblem, match="requests failed"):
            read("locust", content(name), select="GET /broken")
        assert read("locust", content(name), select="GET /broken", quantity="failures") == 1


class TestWrk:
    def test_latency_and_rates_of_its_text(self) -> None:
        text = content("wrk-latency.txt")
        unit = {"us": 1e6, "ms": 1e3, "s": 1.0}
        match = re.search(r"50%\s+([\d.]+)(us|ms|s)", text.decode())
        assert match is not None
        assert read("wrk", text) == float(match[1]) / unit[match[2]]
        assert read("wrk", text, quantity="rate") == found(r"^Requests/sec:\s+([\d.]+)", "wrk-latency.txt")
        assert metric("wrk", quantity="rate").better is Better.HIGHER

    def test_without_its_option_there_is_no_median(self) -> None:
        with pytest.raises(ResultProblem, match=r"median of latency is not stated .* the tool states: mean, max"):
            read("wrk", content("wrk.txt"))
        assert read("wrk", content("wrk.txt"), statistic="mean") > 0

    @pytest.mark.parametrize(("name", "told"), [("wrk-failed.txt", "requests failed"), ("wrk-slow.txt", "not one")])
    def test_answers_that_say_no_and_no_answers_are_no_result(self, name: str, told: str) -> None:
        with pytest.raises(ResultProblem, match=told):
            read("wrk", content(name), statistic="mean")


class TestHey:
    def test_the_text_and_each_request(self) -> None:
        text = content("hey.txt")
        assert read("hey", text, statistic="mean") == found(r"Average:\s+([\d.]+)", "hey.txt")
        assert read("hey", text, statistic="p90") == found(r"^  90%+ in ([\d.]+)", "hey.txt")
        assert read("hey", text, quantity="rate") == found(r"Requests/sec:\s+([\d.]+)", "hey.txt")
        times = [float(line.split(",")[0]) for line in content("hey.csv").decode().splitlines()[1:]]
        assert read("hey", content("hey.csv")) == median(times)

    def test_lines_that_fill_up_its_text_are_no_percentiles(self) -> None:
        assert b"0% in 0.0000 secs" in content("hey-failed.txt")
        latency = TOOLS["hey"].read(content("hey-failed.txt"))[0]
        assert "p0" not in latency.stated
        assert min(latency.stated.values()) == latency.stated["min"]

    @pytest.mark.parametrize("name", ["hey-failed.txt", "hey-refused.txt"])
    def test_failures_are_no_result(self, name: str) -> None:
        with pytest.raises(ResultProblem, match="10 of 10 requests failed"):
            read("hey", content(name), statistic="mean")


class TestArtillery:
    def test_its_summaries_are_milliseconds(self) -> None:
        summary = document("artillery.json")["aggregate"]["summaries"]["http.response_time"]
        text = content("artillery.json")
        assert read("artillery", text, select="http.response_time") == summary["median"] / 1000
        assert read("artillery", text, select="http.response_time", statistic="p95") == summary["p95"] / 1000

    def test_errors_are_no_result(self) -> None:
        with pytest.raises(ResultProblem, match="10 of 10 requests failed"):
            read("artillery", content("artillery-failed.json"))
