"""What people type."""

import pytest

from bisector.errors import UsageError
from bisector.formats.quantities import parse_duration, parse_moment, parse_share


@pytest.mark.parametrize(("text", "value"), [("3%", 0.03), ("0.03", 0.03), (" 12.5 % ", 0.125), ("150%", 1.5)])
def test_shares(text: str, value: float) -> None:
    assert parse_share(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "%", "three", "0", "-1%", "nan", "inf", "5000%"])
def test_no_shares(text: str) -> None:
    with pytest.raises(UsageError):
        parse_share(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [("90", 90), ("90s", 90), ("30m", 1800), ("1h30m", 5400), ("1.5h", 5400), ("500ms", 0.5), ("1d", 86400)],
)
def test_durations(text: str, value: float) -> None:
    assert parse_duration(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "m", "1x", "1h of work", "-3m", "1e3"])
def test_no_durations(text: str) -> None:
    with pytest.raises(UsageError):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2026-01-31", "2026-01-31T00:00:00Z"),
        ("2026-01-31T12:30", "2026-01-31T12:30:00Z"),
        ("2026-01-31T01:00+02:00", "2026-01-30T23:00:00Z"),
        (" 2026-01-31T12:30:10Z ", "2026-01-31T12:30:10Z"),
    ],
)
def test_moments(text: str, value: str) -> None:
    assert parse_moment(text) == value


@pytest.mark.parametrize("text", ["", "yesterday", "31.1.2026", "2026-13-01", "P3D"])
def test_no_moments(text: str) -> None:
    with pytest.raises(UsageError):
        parse_moment(text)
