"""Files that the real tools wrote, read, and compared with what is in them by other means."""

import json
import re
from statistics import fmean, median

import pytest

from bisector.core.model.scenario import Better
from bisector.formats.results import figures_there, read_figure
from bisector.formats.results.problem import ResultProblem
from bisector.formats.results.tools import TOOLS
from tests.formats.results.fixtures import FIXTURES, content, document, metric, read

NOT_TRIED = {"jmh", "oha", "vegeta", "gatling"}
"""Tools that could not be had where this was written: their readers are from documentation, and no file is kept."""


def found(pattern: str, name: str) -> float:
    """The number that a pattern finds in a fixture."""
    match = re.search(pattern, content(name).decode(), re.MULTILINE)
    assert match is not None
    return float(match[1])


def test_every_tool_has_a_file_that_it_wrote_or_is_said_to_have_none() -> None:
    files = {path.name for path in FIXTURES.iterdir()}
    without = {tool for tool in TOOLS if not any(name.startswith(tool) for name in files)}
    assert without == NOT_TRIED
    said = {line.split()[0] for line in (FIXTURES / "VERSIONS").read_text().splitlines()}
    assert said == set(TOOLS) - NOT_TRIED


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*.*")), ids=lambda path: path.name)
def test_no_file_says_where_it_was_written(path: object) -> None:
    assert not re.search(rb"/(tmp|work|home)/", content(path.name))  # type: ignore[attr-defined]


class TestPytestBenchmark:
    FILE = document("pytest-benchmark.json")["benchmarks"]

    def test_a_test_is_its_rounds(self) -> None:
        one = self.FILE[0]
        text = content("pytest-benchmark.json")
        assert read("pytest-benchmark", text, select="test_sum[100]") == median(one["stats"]["data"])
        assert read("pytest-benchmark", text, select=one["fullname"]) == median(one["stats"]["data"])
        assert read("pytest-benchmark", text, select="test_sum[100]", statistic="min") == one["stats"]["min"]

    def test_tests_of_one_name_are_told_apart_by_their_modules(self) -> None:
        file = document("pytest-benchmark.json")
        one, other = (
            file["benchmarks"][2],
            {**file["benchmarks"][0], "name": "test_sorted", "fullname": "b.py::test_sorted"},
        )
        text = json.dumps({**file, "benchmarks": [one, other]}).encode()
        assert read("pytest-benchmark", text, select="b.py::test_sorted") == median(other["stats"]["data"])
        with pytest.raises(
            ResultProblem, match=r"'test_sorted' may be any of: test_sums.py::test_sorted, b.py::test_so"
        ):
            read("pytest-benchmark", text, select="test_sorted")

    def test_saved_files_have_statistics_alone(self) -> None:
        stats = document("pytest-benchmark-autosave.json")["benchmarks"][1]["stats"]
        assert "data" not in stats
        text = content("pytest-benchmark-autosave.json")
        for statistic in ("median", "mean", "min", "max"):
            assert read("pytest-benchmark", text, select="test_sum[1000]", statistic=statistic) == stats[statistic]
        with pytest.raises(ResultProblem, match=r"p95 of .* is not stated"):
            read("pytest-benchmark", text, select="test_sum[1000]", statistic="p95")

    def test_calls_a_second_are_better_when_higher(self) -> None:
        text = content("pytest-benchmark.json")
        ops = read("pytest-benchmark", text, select="test_sorted", quantity="ops")
        assert ops == self.FILE[2]["stats"]["ops"]
        assert metric("pytest-benchmark", quantity="ops").better is Better.HIGHER

    def test_numbers_that_a_test_left_beside_its_time_are_figures(self) -> None:
        text = content("pytest-benchmark.json")
        assert read("pytest-benchmark", text, select="test_sum[1000]", quantity="extra_info.size") == 1000


class TestPyperf:
    def test_values_of_all_workers_are_inner_values_and_warmups_are_not(self) -> None:
        runs = document("pyperf-two.json")["benchmarks"][1]["runs"]
        values = [value for run in runs for value in run.get("values", [])]
        assert len(values) == 6
        figure = read_figure(metric("pyperf", select="sorted"), content("pyperf-two.json"), {})
        assert list(figure.values) == values

    def test_the_name_of_a_single_benchmark_is_at_the_top(self) -> None:
        assert [each.benchmark for each in TOOLS["pyperf"].read(content("pyperf-one.json"))] == ["timeit"]

    def test_bytes_are_bytes_and_have_to_be_said(self) -> None:
        values = [run["values"][0] for run in document("pyperf-memory.json")["benchmarks"][0]["runs"]]
        assert read("pyperf", content("pyperf-memory.json"), select="sum", unit="B") == median(values)
        assert read("pyperf", content("pyperf-memory.json"), select="sum", quantity="byte") == median(values)
        with pytest.raises(ResultProblem, match='write unit = "B"'):
            read("pyperf", content("pyperf-memory.json"), select="sum")


class TestHyperfine:
    def test_runs_of_the_command_are_inner_values(self) -> None:
        times = document("hyperfine-one.json")["results"][0]["times"]
        text = content("hyperfine-one.json")
        assert read("hyperfine", text) == median(times)
        assert read("hyperfine", text, statistic="mean") == fmean(times)

    def test_user_and_system_time_are_means(self) -> None:
        user = document("hyperfine-one.json")["results"][0]["user"]
        assert read("hyperfine", content("hyperfine-one.json"), quantity="user", statistic="mean") == user
        with pytest.raises(ResultProblem, match=r"median of .* is not stated .* the tool states: mean"):
            read("hyperfine", content("hyperfine-one.json"), quantity="user")

    def test_commands_of_one_name_are_told_apart_by_their_parameters(self) -> None:
        text, results = content("hyperfine-two.json"), document("hyperfine-two.json")["results"]
        assert read("hyperfine", text, select="short (n=0.02)") == median(results[1]["times"])
        with pytest.raises(ResultProblem, match=r"'short' may be any of: short \(n=0.01\), short \(n=0.02\)"):
            read("hyperfine", text, select="short")

    def test_a_run_that_a_signal_ended_failed_and_codes_may_be_missing(self) -> None:
        file = document("hyperfine-one.json")
        text = json.dumps({"results": [{**file["results"][0], "exit_codes": [0, None, 0, 0]}]}).encode()
        with pytest.raises(ResultProblem, match="1 of 4 runs of the command did not end with 0"):
            read("hyperfine", text)
        without = json.dumps({"results": [{**file["results"][0], "exit_codes": None}]}).encode()
        assert read("hyperfine", without) == median(file["results"][0]["times"])

    def test_a_command_that_failed_is_no_result(self) -> None:
        with pytest.raises(ResultProblem, match="3 of 3 runs of the command did not end with 0"):
            read("hyperfine", content("hyperfine-failed.json"))


class TestGoogleBenchmark:
    def test_times_are_seconds_by_the_unit_of_each_benchmark(self) -> None:
        text = content("google-benchmark.json")
        entries = {each["name"]: each for each in document("google-benchmark.json")["benchmarks"]}
        assert read("google-benchmark", text, select="BM_Sum/64") == entries["BM_Sum/64"]["real_time"] / 1e9
        slow = entries["BM_Slow/real_time"]
        assert slow["time_unit"] == "us"
        cpu = read("google-benchmark", text, select=slow["name"], quantity="cpu_time")
        assert cpu == slow["cpu_time"] / 1e6

    def test_repetitions_are_inner_values_and_aggregates_are_not(self) -> None:
        name = "google-benchmark-repetitions.json"
        entries = document(name)["benchmarks"]
        single = [each for each in entries if each["run_type"] == "iteration" and each["run_name"] == "BM_Sum/64"]
        rates = [each["items_per_second"] for each in single]
        assert len(rates) == 3
        assert len(entries) > 6
        keys = {"select": "BM_Sum/64", "quantity": "items_per_second"}
        assert read("google-benchmark", content(name), **keys) == median(rates)
        assert metric("google-benchmark", **keys).better is Better.HIGHER

    def test_aggregates_alone_are_read_as_what_they_are(self) -> None:
        name = "google-benchmark-aggregates.json"
        entries = {each["aggregate_name"]: each for each in document(name)["benchmarks"]}
        assert read("google-benchmark", content(name), statistic="mean") == entries["mean"]["real_time"] / 1e9
        assert read("google-benchmark", content(name)) == entries["median"]["real_time"] / 1e9

    def test_counters_are_figures_and_one_that_was_skipped_is_none(self) -> None:
        text = content("google-benchmark.json")
        assert read("google-benchmark", text, select="BM_Sum/512", quantity="hits") == 3
        with pytest.raises(ResultProblem, match="skipped: on purpose"):
            read("google-benchmark", text, select="BM_Broken")


class TestGoBench:
    def test_lines_of_one_benchmark_are_its_inner_values(self) -> None:
        lines = re.findall(r"^BenchmarkAppend-\d+ .*?([\d.]+) ns/op", content("go-bench.txt").decode(), re.MULTILINE)
        assert len(lines) == 2
        assert read("go-bench", content("go-bench.txt"), select="BenchmarkAppend", statistic="max") == pytest.approx(
            max(map(float, lines)) / 1e9, rel=1e-15
        )

    def test_the_number_of_processors_may_be_left_out_of_a_name(self) -> None:
        text = content("go-bench.txt")
        full = next(name for name in (f.benchmark for f in TOOLS["go-bench"].read(text)) if "half=512" in name)
        assert read("go-bench", text, select=full) == read("go-bench", text, select="BenchmarkCopy/half=512")

    def test_other_units_are_other_quantities(self) -> None:
        text = content("go-bench.txt")
        assert read("go-bench", text, select="BenchmarkAppend", quantity="B/op") == 896
        assert read("go-bench", text, select="BenchmarkCopy/whole", quantity="hits/op") == 7
        rates = re.findall(r"^BenchmarkCopy/whole-\d+ .*?([\d.]+) MB/s", text.decode(), re.MULTILINE)
        keys = {"select": "BenchmarkCopy/whole", "quantity": "MB/s"}
        assert read("go-bench", text, **keys) == median(map(float, rates)) * 1e6
        assert metric("go-bench", **keys).better is Better.HIGHER


class TestCriterion:
    def test_samples_are_divided_by_their_iterations(self) -> None:
        sample = document("criterion-sample.json")
        each = [time / count / 1e9 for time, count in zip(sample["times"], sample["iters"], strict=True)]
        assert read("criterion", content("criterion-sample.json")) == median(each)

    def test_estimates_are_read_where_there_are_no_samples(self) -> None:
        estimates = document("criterion-estimates.json")
        for statistic in ("mean", "median"):
            value = read("criterion", content("criterion-estimates.json"), statistic=statistic)
            assert value == estimates[statistic]["point_estimate"] / 1e9

    def test_relative_estimates_are_refused_and_so_is_a_name(self) -> None:
        relative = b'{"mean": {"point_estimate": 0.01}, "median": {"point_estimate": 0.02}}'
        with pytest.raises(ResultProblem, match="relative to an earlier run"):
            read("criterion", relative)
        with pytest.raises(ResultProblem, match="leave out select"):
            read("criterion", content("criterion-sample.json"), select="total")


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


class TestAsv:
    def test_parameters_are_part_of_a_name(self) -> None:
        results = document("asv.json")["results"]["sums.Sizes.time_sum"][0]
        assert read("asv", content("asv.json"), select="sums.Sizes.time_sum(1000, 'up')") == results[2]
        with pytest.raises(ResultProblem, match=r"did you mean .*\(there is: .*time_sum\(100, 'up'\)"):
            read("asv", content("asv.json"), select="sums.Sizes.time_sum")

    def test_samples_are_inner_values_where_they_were_kept(self) -> None:
        row = document("asv-samples.json")["results"]["sums.time_one"]
        place = document("asv-samples.json")["result_columns"].index("samples")
        figure = read_figure(metric("asv", select="sums.time_one"), content("asv-samples.json"), {})
        assert list(figure.values) == row[place][0]

    def test_memory_is_bytes_and_what_is_tracked_is_itself(self) -> None:
        results = document("asv.json")["results"]
        asked = metric("asv", select="sums.peakmem_list")
        assert (asked.unit, asked.better) == ("B", Better.LOWER)
        assert read("asv", content("asv.json"), select="sums.peakmem_list") == results["sums.peakmem_list"][0][0]
        assert read("asv", content("asv.json"), select="sums.track_count", better="higher") == 42

    @pytest.mark.parametrize("name", ["sums.time_fails", "sums.time_skipped"])
    def test_a_benchmark_that_failed_is_no_result(self, name: str) -> None:
        with pytest.raises(ResultProblem, match="failed or was skipped"):
            read("asv", content("asv.json"), select=name)


def test_what_is_there_is_listed_when_nothing_is_selected() -> None:
    with pytest.raises(ResultProblem, match=r"3 benchmarks; select one of: test_sum\[100\], test_sum\[1000\], test_so"):
        read("pytest-benchmark", content("pytest-benchmark.json"))
    with pytest.raises(ResultProblem, match=r"no benchmark 'test_sort'; did you mean 'test_sorted'"):
        read("pytest-benchmark", content("pytest-benchmark.json"), select="test_sort")
    with pytest.raises(ResultProblem, match=r"no quantity 'op'; did you mean 'ops'\? \(there is: time, ops\)"):
        read("pytest-benchmark", content("pytest-benchmark.json"), select="test_sorted", quantity="op")


def test_a_metric_called_like_a_benchmark_needs_no_selection() -> None:
    text = content("pytest-benchmark.json")
    assert read("pytest-benchmark", text, name="test_sorted") == read("pytest-benchmark", text, select="test_sorted")


def test_a_direction_or_unit_that_the_file_contradicts_is_refused() -> None:
    text = content("hyperfine-one.json")
    with pytest.raises(ResultProblem, match='lower is better, and the metric says higher: write better = "lower"'):
        read("hyperfine", text, better="higher")
    with pytest.raises(ResultProblem, match='is read in s, and the metric says ms: write unit = "s"'):
        read("hyperfine", text, unit="ms")


def test_two_results_of_one_name_are_not_mixed() -> None:
    file = document("hyperfine-one.json")
    text = json.dumps({"results": file["results"] * 2}).encode()
    with pytest.raises(
        ResultProblem, match=r"2 results are called 'sleep 0.01 \(time\)'; give them names of their own"
    ):
        read("hyperfine", text)


def test_what_the_runner_told_of_a_file_stands_beside_the_problem() -> None:
    problem = ResultProblem("the run did not write {out}/a.json as a regular file")
    assert problem.with_cause("a.json: it is over 16 MiB").endswith("regular file (a.json: it is over 16 MiB)")
    assert problem.with_cause("") == str(problem)


def test_failures_can_be_allowed_up_to_a_share() -> None:
    text = content("locust-failed.json")
    keys = {"select": "GET /broken", "statistic": "mean"}
    assert read("locust", text, allow_failures=1.0, **keys) > 0
    with pytest.raises(ResultProblem, match="requests failed"):
        read("locust", text, allow_failures=0.99, **keys)


def test_values_that_are_read_in_different_ways_are_not_compared() -> None:
    plain = metric("json", select="a")
    assert plain.reading() == "asked json  a median"
    others = [metric("json", select="a", **more) for more in ({"quantity": "b"}, {"allow_failures": 0.1})]
    assert len({each.reading() for each in (plain, *others)}) == 3


def test_what_is_there_can_be_shown() -> None:
    figures = figures_there(metric("wrk"), content("wrk-latency.txt"), {})
    assert [(each.quantity, each.unit) for each in figures] == [("latency", "s"), ("rate", "1/s"), ("transfer", "B/s")]
    assert figures_there(metric("json"), b"{}", {}) == []
