"""Quantities as people read them: right to the digits shown, never in powers of ten where a unit would do."""

import math
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bisector.core.model.verdict import Change
from bisector.formats.quantities import parse_duration, parse_share
from bisector.report import numbers
from bisector.report.numbers import Gauge

FACTORS = {"s": 1.0, "ms": 1e-3, "µs": 1e-6, "ns": 1e-9, "min": 60.0, "h": 3600.0, "d": 86400.0}
SIZES = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0834, "8.34 %"),
        (5.3, "530 %"),
        (0.0, "0 %"),
        (0.00005, "0.005 %"),
        (0.0999, "9.99 %"),
        (0.09996, "10.0 %"),
        (0.99996, "100 %"),
        (1e9, "1.00e+11 %"),
    ],
)
def test_percent(share: float, text: str) -> None:
    assert numbers.percent(share) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (1.0, "> 99.9 %"),
        (0.9995, "> 99.9 %"),
        (0.998, "99.8 %"),
        (0.95, "95 %"),
        (0.005, "0.5 %"),
        (0.0001, "< 0.1 %"),
        (0.0, "0 %"),
    ],
)
def test_probability_never_claims_certainty(share: float, text: str) -> None:
    assert numbers.probability(share) == text


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (0.0, "0 s"),
        (8.5e-5, "85.0 µs"),
        (0.0123, "12.3 ms"),
        (0.99999, "1.00 s"),
        (4.2, "4.20 s"),
        (59.96, "1 min"),
        (185, "3 min 5 s"),
        (3599.7, "1 h"),
        (7800, "2 h 10 min"),
        (86400 * 3 + 3600, "3 d 1 h"),
        (-0.5, "-500 ms"),
    ],
)
def test_seconds(duration: float, text: str) -> None:
    assert numbers.seconds(duration) == text


@pytest.mark.parametrize(
    ("count", "text"), [(512, "512 B"), (1023.9, "1.00 KiB"), (12.3 * 2**20, "12.3 MiB"), (1020 * 2**10, "0.996 MiB")]
)
def test_size(count: float, text: str) -> None:
    assert numbers.size(count) == text


@given(st.floats(1e-9, 1e7))
def test_a_duration_reads_back(duration: float) -> None:
    text = numbers.seconds(duration)
    parts = re.findall(r"([\d.,]+) (d|h|min|s|ms|µs|ns)", text)
    read = sum(float(number.replace(",", "")) * FACTORS[unit] for number, unit in parts)
    assert read == pytest.approx(duration, rel=0.02)
    assert "e" not in text


@given(st.floats(1, 1e15))
def test_a_size_reads_back(count: float) -> None:
    number, unit = numbers.size(count).split(" ")
    assert float(number) * SIZES[unit] == pytest.approx(count, rel=0.01, abs=0.5)


@given(st.floats(-1e4, 1e4))
def test_a_share_reads_back(share: float) -> None:
    read = float(numbers.percent(share).removesuffix(" %").replace(",", "")) / 100
    assert read == pytest.approx(share, rel=0.006, abs=6e-5)


@given(st.floats(0.5, 2.0), st.sampled_from(["s", "B", "", "ops"]), st.integers(-8, 8))
def test_a_gauge_writes_alike_values_alike(spread: float, unit: str, power: int) -> None:
    typical = 10.0**power
    gauge = Gauge.of([typical, typical * 1.1, typical * 0.9], unit)
    text = gauge.bare(typical * spread)
    assert float(text.replace(",", "")) * gauge.factor == pytest.approx(typical * spread, rel=0.006)
    if gauge.digits <= numbers.MOST_DIGITS and typical / gauge.factor < 1e8:
        assert len(text.partition(".")[2]) == gauge.digits


def test_values_about_one_second_share_a_unit() -> None:
    gauge = Gauge.of([0.999, 0.9995, 1.001], "s")
    assert (gauge.text(0.9995), gauge.text(1.001)) == ("0.9995 s", "1.0010 s")


def test_a_gauge_keeps_what_is_far_too_small_for_it() -> None:
    gauge = Gauge.of([1.0, 1.1], "s")
    assert gauge.bare(1e-7) == "1e-07"
    assert gauge.bare(0.0) == "0.000"


@given(st.floats(1e-6, 9.9))
def test_a_share_on_a_command_line_is_exact(share: float) -> None:
    assert parse_share(numbers.exact(share)) == share


@given(st.floats(0.001, 1e9))
def test_a_duration_on_a_command_line_is_exact(duration: float) -> None:
    assert parse_duration(f"{numbers.exact(duration)}s") == duration


@given(st.floats(-1e300, 1e300), st.floats(-1e300, 1e300))
@example(0.0, 5e-324)
def test_ticks_lie_within_and_can_be_told_apart(one: float, other: float) -> None:
    low, high = min(one, other), max(one, other)
    found = numbers.ticks(low, high)
    assert 1 <= len(found) <= 12
    if high > low and high - low > 1e-9 * max(abs(low), abs(high)) and len(found) > 1:
        step = found[1] - found[0]
        assert all(low - step * 1e-6 <= value <= high + step * 1e-6 for value in found)
        labels = numbers.tick_labels(found, Gauge.of(found, ""))
        assert len(set(labels)) == len(labels) or max(abs(low), abs(high)) / (high - low) > 100


def test_moments_that_no_calendar_has() -> None:
    assert numbers.moment(1_700_000_000) == "2023-11-14T22:13:20Z"
    assert [numbers.moment(when) for when in (10**18, -(10**18), 2**63)] == ["", "", ""]


def test_words() -> None:
    assert [numbers.count(n, "run") for n in (0, 1, 2, 1234)] == ["0 runs", "1 run", "2 runs", "1,234 runs"]
    assert [numbers.listing(words) for words in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]
    assert numbers.change(Change(relative=0.083, low=0.071, high=0.094)) == "+8.30 % (+7.10 % to +9.40 %)"
    assert [numbers.setting(share) for share in (0.95, 0.03, 0.999)] == ["95 %", "3 %", "99.9 %"]
    assert [numbers.whole_seconds(each) for each in (7.9, 65.0)] == ["7 s", "1 min 5 s"]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, None])
def test_json_has_no_number_that_is_none(value: float | None) -> None:
    assert numbers.json_number(value) is None


def test_json_numbers_have_nine_digits() -> None:
    assert numbers.json_number(1 / 3) == 0.333333333
