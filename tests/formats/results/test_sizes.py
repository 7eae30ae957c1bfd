"""Exponents and slopes as a run's value, and how often something was said: from what was written below {out}."""

import json

import pytest

from bisector.core.model.scenario import Metric
from bisector.formats.results import counting, read_figure, read_value
from bisector.formats.results.problem import ResultProblem
from bisector.formats.scenario import scenario_from
from tests.formats.results.fixtures import USAGE

SIZES = [1000, 2000, 4000, 8000]
LINEAR = b"0 20000000 10000 500\n" + b"".join(b"%d %d %d 900\n" % (n, 2e7 + 1e4 * n, 1e4 + n**2 / 100) for n in SIZES)


def scenario(*metrics: dict[str, object], **run: object) -> tuple[Metric, ...]:
    table = {"name": "s", "run": {"command": ["x", "{size}"], "sizes": SIZES, **run}, "metrics": list(metrics)}
    return scenario_from(table, where="here").metrics


def value(metric: Metric, content: bytes = LINEAR, printed: bytes = b"") -> float:
    return read_value(metric, USAGE, printed, {"services/sizes": content})


def test_the_exponent_is_what_is_left_when_the_fixed_cost_is_gone() -> None:
    wall, cpu = scenario({"name": "w", "source": "growth"}, {"name": "c", "source": "growth", "quantity": "cpu"})[:2]
    assert value(wall) == pytest.approx(1.0, abs=1e-4)
    assert value(cpu) == pytest.approx(2.0, abs=1e-4)
    assert value(wall, LINEAR.partition(b"\n")[2]) == pytest.approx(1.0, abs=1e-3), "without size 0 as well"
    assert "fixed cost 0.02" in read_figure(wall, b"", {"services/sizes": LINEAR}).note


def test_what_each_size_took_is_a_metric_of_its_own() -> None:
    found = {metric.name: metric for metric in scenario({"name": "w", "source": "growth"}, size_zero=True)}
    assert list(found) == ["w", *(f"w at {size}" for size in (0, *SIZES))]
    assert value(found["w at 2000"]) == pytest.approx(0.04)
    assert (found["w at 0"].unit, found["w"].unit, found["w"].min_effect) == ("s", "", 0.1)


def test_values_that_the_program_prints_at_each_size_can_grow() -> None:
    found = scenario({"name": "w", "source": "growth", "select": r"regex:took (\d+)"})
    printed = b"".join(b"took %d\n" % (size**2) for size in SIZES)
    content = LINEAR.partition(b"\n")[2]
    assert value(found[0], content, printed) == pytest.approx(2.0, abs=1e-3)
    assert [value(each, content, printed) for each in found[1:]] == [size**2 for size in SIZES]
    with pytest.raises(ResultProblem, match="4 sizes were run, and 3 values match"):
        value(found[0], content, printed[10:])


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"1000 5\n", "something else wrote"),
        (b"\xff", "something else wrote"),
        (b"1 0 0 0\n2 1 1 1\n4 1 1 1\n", "no time at all"),
        (b"1 1 1 1\n2 1 1 1\n", "too few"),
    ],
)
def test_what_cannot_be_read_is_told(content: bytes, told: str) -> None:
    with pytest.raises(ResultProblem, match=told):
        value(scenario({"name": "w", "source": "growth"})[0], content)


def plain(**keys: object) -> Metric:
    table = {"name": "s", "run": {"command": ["x"]}, "metrics": [{"name": "v", **keys}]}
    return scenario_from(table, where="here").metrics[0]


def test_memory_grows_by_bytes_a_second() -> None:
    metric = plain(source="slope")
    looks = b"".join(b"%d %d\n" % (at * 1e8, 5e6 + 1e5 * at) for at in range(50)) + b"5000000000 0\n"
    assert read_value(metric, USAGE, b"", {"services/memory": looks}) == pytest.approx(1e6)
    assert metric.unit == "B/s"
    shrinking = b"".join(b"%d %d\n" % (at * 1e8, 9e6 - 1e5 * at) for at in range(50))
    assert read_value(metric, USAGE, b"", {"services/memory": shrinking}) == pytest.approx(-1e6)
    with pytest.raises(ResultProblem, match="7 values are too few"):
        read_value(metric, USAGE, b"", {"services/memory": b"1 1\n" * 7})
    with pytest.raises(ResultProblem, match="something else wrote"):
        read_value(metric, USAGE, b"", {"services/memory": b"1\n"})
    with pytest.raises(ResultProblem, match="is gone"):
        read_value(metric, USAGE, b"", {})


def test_a_list_grows_over_its_times_or_from_its_first_to_its_last() -> None:
    pairs = [[10 - at, 3 + 2 * (10 - at)] for at in range(10)]
    text = json.dumps({"latencies": pairs, "plain": [1 + at / 9 for at in range(10)], "one": 1}).encode()
    assert read_value(plain(source="slope", select="latencies"), USAGE, text, {}) == pytest.approx(2)
    assert read_value(plain(source="slope", select="plain"), USAGE, text, {}) == pytest.approx(1)
    filed = plain(source="slope", select="plain", file="l.json")
    assert read_value(filed, USAGE, b"", {"l.json": text}) == pytest.approx(1)
    for select, told in (("one", "no list"), ("other", "there is no 'other'")):
        with pytest.raises(ResultProblem, match=told):
            read_value(plain(source="slope", select=select), USAGE, text, {})


def test_how_often_something_is_said_is_a_number_and_0_is_one() -> None:
    metric = plain(source="count:^SELECT .* FROM t", file="sql.log")
    log = b"SELECT a FROM t\nINSERT\nSELECT b FROM t\n"
    assert read_value(metric, USAGE, b"", {"sql.log": log}) == 2
    assert read_value(metric, USAGE, b"", {"sql.log": b""}) == 0
    with pytest.raises(ResultProblem, match="did not write"):
        read_value(metric, USAGE, b"", {})
    with pytest.raises(ResultProblem, match="grew too large"):
        read_value(metric, USAGE, b"", {"sql.log": counting.CUT + log})
