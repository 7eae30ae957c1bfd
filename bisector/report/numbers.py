"""Quantities as people read them. The only place that turns a number, a time or a size into text."""

from collections.abc import Iterable

from bisector.core.model.verdict import Change

_SIZES = ("B", "KiB", "MiB", "GiB", "TiB")


def percent(share: float, *, signed: bool = False) -> str:
    """A share as a percentage with three digits that count: 0.0834 as "8.34 %", 5.3 as "530 %"."""
    value = share * 100
    magnitude = abs(value)
    digits = 0 if magnitude >= 100 else 1 if magnitude >= 10 else 2 if magnitude >= 0.1 else 3
    text = f"{value:+.{digits}f}" if signed else f"{value:.{digits}f}"
    return f"{text} %"


def probability(share: float) -> str:
    """A probability that never claims certainty: 0.9996 as "> 99.9 %"."""
    if share > 0.999:
        return "> 99.9 %"
    if 0 < share < 0.001:
        return "< 0.1 %"
    return f"{share * 100:.1f} %" if share > 0.99 else f"{share * 100:.0f} %"


def change(found: Change) -> str:
    """A relative change with its interval."""
    middle, low, high = (percent(share, signed=True) for share in (found.relative, found.low, found.high))
    return f"{middle} ({low} to {high})"


def seconds(duration: float) -> str:
    """A duration: "85 µs", "12.3 ms", "4.20 s", "3 min 5 s", "2 h 10 min"."""
    magnitude = abs(duration)
    if magnitude < 1e-3:
        return f"{duration * 1e6:.3g} µs" if magnitude > 0 else "0 s"
    if magnitude < 1:
        return f"{duration * 1e3:.3g} ms"
    if magnitude < 60:
        return f"{duration:.3g} s"
    whole = round(duration)
    if magnitude < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def size(count: float) -> str:
    """A size in bytes: "512 B", "12.3 MiB"."""
    value, unit = float(count), 0
    while abs(value) >= 1024 and unit < len(_SIZES) - 1:
        value, unit = value / 1024, unit + 1
    return f"{value:.0f} {_SIZES[unit]}" if unit == 0 else f"{value:.3g} {_SIZES[unit]}"


def quantity(value: float, unit: str) -> str:
    """A metric's value with its unit: seconds and bytes scaled, everything else with four digits that count."""
    if unit == "s":
        return seconds(value)
    if unit == "B":
        return size(value)
    text = f"{value:,.0f}" if value == int(value) and abs(value) >= 1000 else f"{value:.4g}"
    return f"{text} {unit}".rstrip()


def count(number: int, noun: str) -> str:
    """ "1 run", "3 runs"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def listing(words: Iterable[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    *head, last = list(words) or [""]
    return f"{', '.join(head)} and {last}" if head else last
