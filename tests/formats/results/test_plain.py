"""What a run printed, read into values."""

import contextlib
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bisector.core.model.samples import Usage
from bisector.core.model.scenario import Metric
from bisector.formats.results import read_value, wanted_files
from bisector.formats.results.problem import ResultProblem

USAGE = Usage(wall=1.5, cpu=1.25, peak_memory=4096)


def read(source: str, text: bytes, **more: object) -> float:
    return read_value(Metric(name="seconds", source=source, **more), USAGE, text, {})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("source", "text", "value"),
    [
        ("wall", b"", 1.5),
        ("cpu", b"nonsense", 1.25),
        ("peak_memory", b"", 4096.0),
        ("json", b'{"seconds": 0.25}', 0.25),
        ("json", b'hello\n{"seconds": 0.25, "other": 1}\n\n', 0.25),
        ("json", b'{"seconds": [3, 1, 2]}', 2.0),
        ("number", b"noise\n 42.5 \n", 42.5),
        ("printed", b"noise\n7\n", 7.0),
        ("printed", b'{"cpu_seconds": 2, "name": "x"}', 2.0),
        ("printed", b'{"seconds": 1, "cpu_seconds": 2}', 1.0),
        (r"regex:took (\S+) s", b"took 1.5 s\ntook 2.5 s\ntook 3.5 s", 2.5),
    ],
)
def test_values_are_read(source: str, text: bytes, value: float) -> None:
    assert read(source, text) == value


def test_a_path_leads_into_the_document() -> None:
    assert read("json", b'{"a": {"b": [1, {"c": 5}]}}', select="a.b.1.c") == 5
    assert read("json", b'{"a.b": 3}', select="a.b") == 3


def test_inner_values_give_one_value_by_the_chosen_statistic() -> None:
    for statistic, value in {"median": 2.0, "mean": 3.0, "min": 1.0, "max": 6.0}.items():
        assert read("json", b'{"seconds": [1, 2, 6]}', statistic=statistic) == value


@pytest.mark.parametrize(
    ("statistic", "value"),
    [
        ("p50", 50.5),
        ("p95", 95.05),
        ("p99.9", 99.901),
        ("share<=10", 0.10),
        ("share<10", 0.09),
        ("share>=99.5", 0.01),
        ("share>99", 0.01),
        ("share<=1e3", 1.0),
        ("share<=-1", 0.0),
    ],
)
def test_a_quantile_or_a_share_of_many_inner_values(statistic: str, value: float) -> None:
    text = json.dumps({"seconds": list(range(100, 0, -1))}).encode()
    assert read("json", text, statistic=statistic) == pytest.approx(value)


@pytest.mark.parametrize("values", [[3.0], [3.0, 3.0, 3.0]])
def test_quantiles_of_few_values_are_among_them(values: list[float]) -> None:
    for statistic in ("p0.1", "p50", "p99.99"):
        assert read("json", json.dumps({"seconds": values}).encode(), statistic=statistic) == 3.0


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40), st.integers(1, 99))
def test_a_quantile_has_its_share_of_the_values_on_either_side(values: list[float], percent: int) -> None:
    found = read("json", json.dumps({"seconds": values}).encode(), statistic=f"p{percent}")
    below = sum(value < found for value in values) / len(values)
    above = sum(value > found for value in values) / len(values)
    assert min(values) <= found <= max(values)
    assert below <= percent / 100 + 1 / len(values)
    assert above <= 1 - percent / 100 + 1 / len(values)


def test_a_file_is_read_instead_of_the_output() -> None:
    metric = Metric(name="seconds", source="json", file="result.json")
    assert wanted_files((metric,)) == ("result.json",)
    assert read_value(metric, USAGE, b"", {"result.json": b'{\n"seconds": 2\n}'}) == 2
    with pytest.raises(ResultProblem, match=r"did not write \{out\}/result.json"):
        read_value(metric, USAGE, b'{"seconds": 1}', {})


@pytest.mark.parametrize(
    ("source", "text", "told"),
    [
        ("json", b"", "printed nothing"),
        ("json", b"Traceback", "not JSON"),
        ("json", b'{"other": 1}', "there is no 'seconds'"),
        ("json", b'{"seconds": "fast"}', "not a number"),
        ("json", b'{"seconds": true}', "not a number"),
        ("json", b'{"seconds": null}', "not a number"),
        ("json", b'{"seconds": []}', "no value"),
        ("json", b'{"seconds": NaN}', "NaN is not a number in JSON"),
        ("json", b'{"seconds": 1e999}', "not a finite number"),
        ("json", b'{"seconds": 1, "seconds": 2}', "occurs twice"),
        ("json", b"[" * 100_000, "levels deep"),
        ("json", b'{"seconds": ' + b"9" * 5000 + b"}", "not JSON|too large"),
        ("number", b"", "printed nothing"),
        ("number", b"fast", "not a number"),
        ("number", b"nan", "not a finite number"),
        ("number", b"1e101", "no quantity is that large"),
        ("printed", b'{"a": 1, "b": 2}', "holds 2 numbers"),
        (r"regex:took (\S+) s", b"nothing here", "nothing in the output matches"),
        (r"regex:took (\S+) s", b"took long s", "could not convert"),
    ],
)
def test_a_result_that_cannot_be_used_is_said_to_be_one(source: str, text: bytes, told: str) -> None:
    with pytest.raises(ResultProblem, match=told):
        read(source, text)


def test_a_negative_time_is_no_result_but_a_negative_difference_is_one() -> None:
    with pytest.raises(ResultProblem, match="below zero"):
        read("json", b'{"seconds": -1}', unit="s")
    assert read("json", b'{"seconds": -1}', unit="points") == -1


@given(st.binary(max_size=300))
def test_junk_gives_a_finite_number_or_a_plain_problem(text: bytes) -> None:
    for source in ("json", "number", "printed", "regex:(.*)"):
        with contextlib.suppress(ResultProblem):
            assert math.isfinite(read(source, text))
