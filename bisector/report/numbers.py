"""Quantities as people read them. The only place that turns a number, a time or a size into text."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # Its module needs numpy, which the help of commands that print numbers is to do without.
    from bisector.core.model.verdict import Change

_SIZES = ("B", "KiB", "MiB", "GiB", "TiB")
_TIMES = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
MOST_DIGITS = 6
"""After the point; smaller values are written with a power of ten."""
SMALLEST = 1e-300
"""What an axis spans at least to be divided: a part of the smallest numbers there are is no number any more."""


def percent(share: float, *, signed: bool = False) -> str:
    """A share as a percentage with up to three digits that count: 0.0834 as "8.34 %", 5.3 as "530 %"."""
    value = share * 100
    magnitude = abs(value)
    if not magnitude < 1e6:
        return f"{value:+.2e} %" if signed else f"{value:.2e} %"
    digits = 0 if magnitude >= 99.95 else 1 if magnitude >= 9.995 else 2 if magnitude >= 0.0995 else 3
    text = f"{value:+,.{digits}f}" if signed else f"{value:,.{digits}f}"
    return f"{'0' if float(text.replace(',', '')) == 0 else text} %"


def probability(share: float) -> str:
    """A probability that never claims certainty: 0.9996 as "> 99.9 %"."""
    if share > 0.999:
        return "> 99.9 %"
    if 0 < share < 0.001:
        return "< 0.1 %"
    return f"{share * 100:.1f} %" if share > 0.99 or 0 < share < 0.0095 else f"{share * 100:.0f} %"


def change(found: "Change") -> str:
    """A relative change with its interval."""
    return f"{percent(found.relative, signed=True)} ({interval(found)})"


def interval(found: "Change") -> str:
    """The interval of a relative change."""
    return f"{percent(found.low, signed=True)} to {percent(found.high, signed=True)}"


def seconds(duration: float) -> str:
    """A duration: "85 µs", "12.3 ms", "4.20 s", "3 min 5 s", "2 h 10 min"."""
    magnitude = abs(duration)
    if magnitude < 59.95:
        factor, unit = next((each for each in _TIMES if magnitude >= 0.9995 * each[0]), _TIMES[-1])
        return f"{_three(duration / factor)} {unit}" if magnitude > 0 else "0 s"
    if magnitude >= 1e10:
        return f"{duration:.3g} s"
    whole, sign = round(magnitude), "-" if duration < 0 else ""
    if whole < 3600:
        return sign + _two(whole // 60, "min", whole % 60, "s")
    minutes = round(magnitude / 60)
    if minutes < 48 * 60:
        return sign + _two(minutes // 60, "h", minutes % 60, "min")
    hours = round(magnitude / 3600)
    return sign + _two(hours // 24, "d", hours % 24, "h")


def whole_seconds(duration: float) -> str:
    """A duration on a running clock: "7 s", "3 min 5 s"."""
    return f"{int(duration)} s" if 0 <= duration < 60 else seconds(duration)


def _two(large: int, unit: str, small: int, smaller: str) -> str:
    return f"{large:,} {unit} {small} {smaller}" if small else f"{large:,} {unit}"


def size(count: float) -> str:
    """A size in bytes: "512 B", "12.3 MiB"."""
    value, unit = float(count), 0
    while abs(value) >= (1023.5 if unit == 0 else 999.5) and unit < len(_SIZES) - 1:
        value, unit = value / 1024, unit + 1
    return f"{value:.0f} {_SIZES[unit]}" if unit == 0 else f"{_three(value)} {_SIZES[unit]}"


def quantity(value: float, unit: str) -> str:
    """A metric's value with its unit: seconds and bytes scaled, everything else with four digits that count."""
    if unit == "s":
        return seconds(value)
    if unit == "B":
        return size(value)
    return f"{_four(value)} {unit}".rstrip()


@dataclass(frozen=True, kw_only=True, slots=True)
class Gauge:
    """How the values of one metric are written throughout a report: one unit, equally many digits, so they compare."""

    factor: float
    unit: str
    digits: int

    @classmethod
    def of(cls, values: Iterable[float], unit: str) -> "Gauge":
        """A gauge that gives a typical one of `values` four digits that count."""
        magnitudes = [abs(value) for value in values if math.isfinite(value)]
        typical = median(magnitudes) if magnitudes else 1.0
        # Half a second is told in seconds: values about one second must not fall on both sides of a unit.
        factor, shown = _axis_unit(2 * typical, unit)
        scaled = typical / factor
        return cls(factor=factor, unit=shown, digits=_digits(scaled, 4) if scaled > 0 else 3)

    def bare(self, value: float) -> str:
        """The value without its unit; one too small or too large for the digits with four that count."""
        scaled = value / self.factor
        if self.digits > MOST_DIGITS or (value != 0 and not 10.0**-self.digits * 20 <= abs(scaled) < 1e9):
            return f"{scaled:.4g}"
        text = f"{scaled:,.{self.digits}f}"
        return text.lstrip("-") if value == 0 else text

    def text(self, value: float) -> str:
        """The value with its unit."""
        return f"{self.bare(value)} {self.unit}".rstrip()


def _digits(value: float, significant: int) -> int:
    """Digits after the point that give a positive `value` so many digits that count."""
    return max(significant - 1 - math.floor(math.log10(value)), 0)


def setting(share: float) -> str:
    """A share that a person has set, as they would write it: 0.95 as "95 %", 0.03 as "3 %"."""
    return f"{share * 100:.6g} %"


def _three(value: float) -> str:
    """Three digits that count, never in powers of ten."""
    magnitude = abs(value)
    if magnitude >= 1e6 or magnitude < 1e-3:
        return f"{value:.3g}"
    digits = 0 if magnitude >= 99.95 else 1 if magnitude >= 9.995 else 2 if magnitude >= 0.9995 else 3
    return f"{value:.{digits}f}"


def _four(value: float) -> str:
    if abs(value) >= 1e15:
        return f"{value:.4g}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def whole(number: float) -> str:
    """A whole number: "1,234"."""
    return f"{number:,.0f}"


def span(first: int, last: int, between: str = " to ") -> str:
    """A stretch of whole numbers: "5 to 17", or just "5"."""
    return whole(first) if first == last else f"{whole(first)}{between}{whole(last)}"


def count(number: int, noun: str) -> str:
    """ "1 run", "3 runs"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def listing(words: Iterable[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    *head, last = list(words) or [""]
    return f"{', '.join(head)} and {last}" if head else last


def exact(value: float) -> str:
    """A number in plain decimals that reads back as the very same one, for command lines: "0.03", "1800"."""
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    digits = repr(value)
    if "e" not in digits:
        return digits
    mantissa, _, exponent = digits.partition("e")
    decimals = len(mantissa.partition(".")[2]) - int(exponent)
    return f"{value:.{max(decimals, 0)}f}"


def date(epoch: int) -> str:
    """A day, for tables: "2023-11-14"; nothing for a moment that no calendar has."""
    return moment(epoch)[:10]


def moment(epoch: int) -> str:
    """A moment in UTC, as ISO 8601: "2023-11-14T22:13:20Z"; nothing for one that no calendar has."""
    try:
        return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        return ""


def minute(epoch: int) -> str:
    """The same to the minute, for people: "2023-11-14 22:13 UTC"."""
    told = moment(epoch)
    return f"{told[:10]} {told[11:16]} UTC" if told else ""


def ticks(low: float, high: float, wanted: int = 5) -> list[float]:
    """Round numbers between `low` and `high`, about as many as `wanted`."""
    span = high - low
    if not span > SMALLEST or not math.isfinite(span):
        return [low]
    step = 10.0 ** math.floor(math.log10(span / wanted))
    step *= next(factor for factor in (1, 2, 5, 10, 20) if span / (step * factor) <= wanted)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [number * step for number in range(first, last + 1)]


def tick_labels(values: Sequence[float], gauge: Gauge) -> list[str]:
    """Labels of an axis in the unit of `gauge`, with as many digits as it takes to tell them apart."""
    scaled = [value / gauge.factor for value in values]
    gaps = [later - earlier for earlier, later in pairwise(scaled) if later > earlier]
    step = min(gaps, default=abs(scaled[0]) / 100 if scaled and scaled[0] else 1.0)
    if max((abs(value) for value in scaled), default=0.0) >= 1e7 or step < 1e-6:
        return [f"{value:.4g}" for value in scaled]
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    labels = [f"{value:,.{digits}f}" for value in scaled]
    return [label.lstrip("-") if float(label.replace(",", "")) == 0 else label for label in labels]


def _axis_unit(largest: float, unit: str) -> tuple[float, str]:
    """What to divide values of up to `largest` by, and the unit they are in then."""
    if unit == "s":
        return next((each for each in _TIMES if largest >= each[0]), _TIMES[0] if largest == 0 else _TIMES[-1])
    if unit == "B":
        power = next((p for p in range(len(_SIZES) - 1, 0, -1) if largest >= 1024**p), 0)
        return 1024.0**power, _SIZES[power]
    return 1.0, unit


def json_number(value: float | None) -> float | None:
    """A number as the result's JSON holds it: nine digits that count, None for what is no number."""
    return None if value is None or not math.isfinite(value) else float(f"{value:.9g}")
