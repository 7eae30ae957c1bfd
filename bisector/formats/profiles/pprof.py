"""pprof's protocol buffers, as Go, Pyroscope and many others write them.

https://github.com/google/pprof/blob/main/proto/profile.proto
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from bisector.core.explain.stacks import Capture, Unit
from bisector.formats.profiles.gathering import MEASURED_IN, Gathering, Reading
from bisector.formats.profiles.problem import ProfileProblem
from bisector.formats.profiles.protobuf import fields, numbers, signed

UNITS = {**MEASURED_IN, "count": (Unit.SAMPLES, 1.0)}
_ADDRESS_DIGITS = 12


@dataclass(slots=True)
class _Tables:
    """The parts of a profile, as they refer to each other by number."""

    types: list[tuple[int, int]] = field(default_factory=list)
    samples: list[tuple[list[int], list[int]]] = field(default_factory=list)
    mappings: dict[int, int] = field(default_factory=dict)
    locations: dict[int, tuple[int, int, list[tuple[int, int]]]] = field(default_factory=dict)
    functions: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    strings: list[str] = field(default_factory=list)
    default: int = 0

    def text(self, index: int) -> str:
        """A string of the table."""
        return self.strings[index]


def read(data: bytes, reading: Reading) -> Capture:
    """The capture in an uncompressed profile; of several values the time, else the default. ProfileProblem else."""
    try:
        tables = _tables(data)
        kinds = [(tables.text(kind), tables.text(unit)) for kind, unit in tables.types]
        gathering = Gathering(reading)
        if not kinds:
            raise ProfileProblem("it does not say what it measures")
        chosen = _chosen(kinds, tables.text(tables.default) if tables.default else "")
        counting = next((i for i, (kind, unit) in enumerate(kinds) if kind == "samples" and unit == "count"), None)
        stacks: dict[int, list[int]] = {}
        counted = 0
        for places, values in tables.samples:
            stack = [number for place in reversed(places) for number in _frames(place, tables, gathering, stacks)]
            gathering.add(stack, float(signed(values[chosen])))
            counted += signed(values[counting]) if counting is not None else 0
    except (IndexError, KeyError) as error:
        raise ProfileProblem(f"one part of it points to another that is not there: {error}") from None
    kind, unit_name = kinds[chosen]
    unit, scale = UNITS.get(unit_name, (Unit.SAMPLES, 1.0))
    if unit is Unit.SAMPLES and kind == "samples":
        return gathering.counted("pprof")
    return gathering.capture("pprof", unit, samples=counted if counted > 0 else None, scale=scale)


def _chosen(kinds: Sequence[tuple[str, str]], default: str) -> int:
    """Which of the values of a sample to read: processor time, else any time, else the default, else the last."""
    for index, (kind, unit) in enumerate(kinds):
        if kind == "cpu" and UNITS.get(unit, (None, 0))[0] is Unit.SECONDS:
            return index
    if any(kind == default for kind, _ in kinds):
        return next(index for index, (kind, _) in enumerate(kinds) if kind == default)
    timed = [index for index, (_, unit) in enumerate(kinds) if UNITS.get(unit, (None, 0))[0] is Unit.SECONDS]
    return timed[-1] if timed else len(kinds) - 1


def _frames(place: int, tables: _Tables, gathering: Gathering, known: dict[int, list[int]]) -> list[int]:
    """The frames of a location, the outermost of inlined calls first."""
    if place in known:
        return known[place]
    mapping, address, lines = tables.locations[place]
    shared = tables.text(tables.mappings[mapping]) if mapping in tables.mappings else ""
    told = []
    for function, line in reversed(lines):
        name, system_name, path = tables.functions[function]
        name_text = tables.text(name) or tables.text(system_name)
        told.append(gathering.frame(name_text, tables.text(path) or shared, max(signed(line), 0)))
    known[place] = told or [gathering.frame(f"0x{address:0{_ADDRESS_DIGITS}x}", shared)]
    return known[place]


def _tables(data: bytes) -> _Tables:
    tables = _Tables()
    for number, value in fields(data):
        if isinstance(value, int):
            if number == 14:
                tables.default = value
            continue
        match number:
            case 1:
                kind = _numbers_of(value)
                tables.types.append((kind.get(1, 0), kind.get(2, 0)))
            case 2:
                tables.samples.append(_sample(value))
            case 3:
                mapping = _numbers_of(value)
                tables.mappings[mapping.get(1, 0)] = mapping.get(5, 0)
            case 4:
                place = _numbers_of(value)
                lines = [_numbers_of(line) for each, line in fields(value) if each == 4 and isinstance(line, bytes)]
                told = [(line.get(1, 0), line.get(2, 0)) for line in lines]
                tables.locations[place.get(1, 0)] = (place.get(2, 0), place.get(3, 0), told)
            case 5:
                function = _numbers_of(value)
                tables.functions[function.get(1, 0)] = (function.get(2, 0), function.get(3, 0), function.get(4, 0))
            case 6:
                tables.strings.append(value.decode("utf-8", "replace"))
            case _:
                pass
    return tables


def _sample(data: bytes) -> tuple[list[int], list[int]]:
    places: list[int] = []
    values: list[int] = []
    for number, value in fields(data):
        if number == 1:
            places += numbers(value)
        elif number == 2:
            values += numbers(value)
    return places, values


def _numbers_of(data: bytes) -> dict[int, int]:
    """The fields of a message that are numbers, the last of each."""
    return {number: value for number, value in fields(data) if isinstance(value, int)}
