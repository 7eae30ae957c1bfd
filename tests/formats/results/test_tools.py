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


def test_every_tool_has_a_file_that_it_wrote_or_is_said_to_have_none() -> None:
    files = {path.name for path in FIXTURES.iterdir()}
    without = {tool for tool in TOOLS if not any(name.startswith(tool) for name in files)}
    assert without == NOT_TRIED
    said = {line.split()[0] for line in (FIXTURES / "VERSIONS").read_text().splitlines()}
    assert said == set(TOOLS) - NOT_TRIED


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*.*")), ids=lambda path: path.name)
def test_no_file_says_where_it_was_written(path: object) -> None:
    assert not re.search(rb"/(tmp|home)/", content(path.name))  # type: ignore[attr-defined]


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
