"""Ways to run a command, tried in turn."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bisector.core.model.units import Seconds

UNCOUNTED_ROUNDS = 2


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What a way says of one run: the time it took of the process (None: ask the clock around the way), and the time
    that the program took of itself."""

    taken: Seconds | None = None
    own: Seconds = 0.0


@dataclass(frozen=True, kw_only=True)
class Way:
    """A way to run something."""

    name: str
    run: Callable[[], Reading]


@dataclass(frozen=True, kw_only=True)
class Timed:
    """One run: how long the way kept us, what it says the process took, and what the program says of itself."""

    elapsed: Seconds
    taken: Seconds
    own: Seconds


def rounds(ways: Sequence[Way], repeats: int) -> dict[str, list[Timed]]:
    """Run each way once a round, so that drift falls on all alike; the first rounds do not count."""
    times: dict[str, list[Timed]] = {way.name: [] for way in ways}
    for number in range(UNCOUNTED_ROUNDS + repeats):
        for way in ways:
            begun = time.perf_counter()
            reading = way.run()
            elapsed = time.perf_counter() - begun
            if number >= UNCOUNTED_ROUNDS:
                taken = elapsed if reading.taken is None else reading.taken
                times[way.name].append(Timed(elapsed=elapsed, taken=taken, own=reading.own))
    return times


def loop_of(seconds: Seconds) -> tuple[str, ...]:
    """A Python program that prints how long its own loop took; about `seconds` on this machine."""
    begun = time.perf_counter()
    sum(number * number for number in range(1_000_000))
    count = round(1_000_000 * seconds / (time.perf_counter() - begun))
    loop = f"sum(number * number for number in range({count}))"
    program = f"import time; t = time.perf_counter(); {loop}; print(time.perf_counter() - t)"
    return ("python3", "-I", "-S", "-c", program)
