"""Odd lines of `perf script`, and pprof profiles put together field by field."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bisector.core.explain.names import Names
from bisector.core.explain.stacks import Capture, Unit
from bisector.formats.profiles import read_profile
from bisector.formats.profiles.gathering import Reading
from bisector.formats.profiles.problem import ProfileProblem
from bisector.formats.profiles.protobuf import fields, numbers, signed

READING = Reading(names=Names(roots=("/src",)))
EVENT = "app 12/13 [001] 100.250000:   10000000 cpu-clock:u: \n"


def stack_of(text: str) -> list[str]:
    """The one stack of a capture, outermost first, with the lines that are known."""
    capture = read_profile(text.encode(), READING)
    assert [len(range(nodes.start, nodes.stop)) for nodes in capture.tree.depths()] == [1] * capture.tree.size
    frames = [capture.frames[frame] for frame in capture.tree.frame]
    return [frame.label + (f":{frame.line}" if frame.line else "") for frame in frames]


@pytest.mark.parametrize(
    ("lines", "stack"),
    [
        ("\t1169 f+0x20 (/src/app)\n\t11f2 main+0x27 (/src/app)\n", ["main (app)", "f (app)"]),
        ("\t1169 ns::T<int>::f(char const*, int)+0x20 (/src/app)\n", ["ns::T<int>::f(char const*, int) (app)"]),
        ("\t1169 f (inlined)\n\t1169 main+0x1 (/src/app)\n", ["main (app)", "f"]),
        ("\t1169 f+0x2 (/src/app (deleted))\n", ["f (app)"]),
        ("\t1169 [unknown] ([unknown])\n", ["[unknown]"]),
        ("\t1169 [unknown] (/usr/lib/libx.so.1.2)\n", ["[unknown] (libx.so)"]),
        ("\tffff81 do_syscall_64+0x5 ([kernel.kallsyms])\n", ["do_syscall_64 ([kernel])"]),
        ("\t7f12 py::normalise:/src/p.py+0x10 (/tmp/perf-812.map)\n", ["normalise (p.py)"]),
        ("\t7f12 Builtin:Add+0x10 (/tmp/perf-812.map)\n", ["Builtin:Add ([jit])"]),
        ("\t1169 f+0x20 (/src/app)\n  /src/x/f.c:31\n", ["f (app):31"]),
        ("", ["[unknown]"]),
    ],
)
def test_frames_of_perf(lines: str, stack: list[str]) -> None:
    assert stack_of(EVENT + lines + "\n") == stack


def test_the_period_of_a_clock_is_time() -> None:
    capture = read_profile((EVENT + "\t11 f (/src/app)\n\n" + EVENT + "\t12 g (/src/app)\n").encode(), READING)
    assert (capture.unit, capture.total, capture.samples) == (Unit.SECONDS, 0.02, 2)


@pytest.mark.parametrize(
    "header",
    [
        "app 12 100.25: cycles: \n",
        "my app:x 12 [000] 100.25: 2500 cycles:Pu: \n",
        "app 12 [000] d..1. 100.25: 2500 cpu/event=0x1/: \n",
        "app 12 [000] 100.25: 1 sched:sched_switch: prev=1 ==> next=2\n",
    ],
)
def test_other_events_count_their_samples(header: str) -> None:
    text = (header + "\t11 f (/src/app)\n\n") * 3
    capture = read_profile(text.encode(), READING)
    assert (capture.unit, capture.total, capture.samples) == (Unit.SAMPLES, 3, 3)
    at_rate = read_profile(text.encode(), Reading(rate_hz=100))
    assert at_rate.unit is Unit.SECONDS
    assert at_rate.total == pytest.approx(0.03)


def test_an_event_without_a_stack_has_its_frame_in_the_line() -> None:
    assert stack_of("app 12 100.25: 7 cycles:  1169 f+0x2 (/src/app)\n") == ["f (app)"]


def test_what_perf_lost_is_told() -> None:
    capture = read_profile((EVENT + "\t11 f (/src/app)\n\napp 12 100.3: PERF_RECORD_LOST lost 17\n").encode(), READING)
    assert capture.lost == 17
    assert capture.samples == 1


def varint(number: int) -> bytes:
    found = b""
    while number > 0x7F:
        found += bytes([number & 0x7F | 0x80])
        number >>= 7
    return found + bytes([number])


def message(*parts: tuple[int, int | bytes]) -> bytes:
    """A message of numbers and of strings or messages, by field."""
    found = b""
    for field, value in parts:
        kind, rest = (0, varint(value)) if isinstance(value, int) else (2, varint(len(value)) + value)
        found += varint(field << 3 | kind) + rest
    return found


@given(st.lists(st.tuples(st.integers(1, 1000), st.integers(0, 2**64 - 1) | st.binary(max_size=300))))
def test_fields_read_back(parts: list[tuple[int, int | bytes]]) -> None:
    assert list(fields(message(*parts))) == parts


@given(st.lists(st.integers(0, 2**64 - 1)))
def test_packed_numbers_read_back(values: list[int]) -> None:
    assert numbers(b"".join(varint(value) for value in values)) == values


@given(st.integers(-(2**63), 2**63 - 1))
def test_signed_numbers_read_back(value: int) -> None:
    assert signed(value % 2**64) == value


STRINGS = ("", "samples", "count", "cpu", "nanoseconds", "wall", "main", "inner", "a.go", "app", "bytes")


def pprof(kinds: list[tuple[str, str]], *samples: tuple[list[int], list[int]], default: str = "") -> bytes:
    """Location 1 is `main`, 2 is `inner` inlined in `main`, 3 has no symbol; all in `app`."""
    index = STRINGS.index
    packed = [(b"".join(map(varint, places)), values) for places, values in samples]
    return message(
        *((1, message((1, index(kind)), (2, index(unit)))) for kind, unit in kinds),
        *((2, message((1, places), *((2, value) for value in values))) for places, values in packed),
        (3, message((1, 1), (5, index("app")))),
        (4, message((1, 1), (2, 1), (4, message((1, 1), (2, 30))))),
        (4, message((1, 2), (2, 1), (4, message((1, 2), (2, 7))), (4, message((1, 1), (2, 31))))),
        (4, message((1, 3), (2, 1), (3, 0xABCDEF0))),
        (5, message((1, 1), (2, index("main")), (4, index("a.go")))),
        (5, message((1, 2), (3, index("inner")), (4, index("a.go")))),
        *((6, text.encode()) for text in STRINGS),
        *([(14, index(default))] if default else []),
    )  # fmt: skip


BOTH = [("samples", "count"), ("cpu", "nanoseconds")]


def read(data: bytes) -> Capture:
    return read_profile(data, READING)


def test_stacks_begin_outermost_and_inlined_calls_are_frames() -> None:
    capture = read(pprof(BOTH, ([2, 1], [3, 30_000_000])))
    assert [capture.frames[i].label for i in capture.tree.frame] == ["main (a.go)", "main (a.go)", "inner (a.go)"]
    assert (capture.unit, capture.samples) == (Unit.SECONDS, 3)
    assert capture.total == pytest.approx(0.03)


def test_a_location_without_a_symbol_is_unknown() -> None:
    capture = read(pprof(BOTH, ([3, 1], [1, 10])))
    assert capture.unresolved == 1


@pytest.mark.parametrize(
    ("kinds", "default", "unit", "total"),
    [
        (BOTH, "", Unit.SECONDS, 2e-9),
        (BOTH, "samples", Unit.SECONDS, 2e-9),
        ([("samples", "count"), ("wall", "nanoseconds")], "", Unit.SECONDS, 2e-9),
        ([("samples", "count"), ("wall", "bytes")], "", Unit.BYTES, 2),
        ([("wall", "bytes"), ("main", "bytes")], "wall", Unit.BYTES, 1),
        ([("wall", "bytes"), ("samples", "count")], "", Unit.SAMPLES, 2),
    ],
)
def test_which_value_is_read(kinds: list[tuple[str, str]], default: str, unit: Unit, total: float) -> None:
    capture = read(pprof(kinds, ([1], [1, 2]), default=default))
    assert capture.unit is unit
    assert capture.total == pytest.approx(total)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (pprof(BOTH, ([9], [1, 10])), "not there"),
        (pprof(BOTH, ([1], [1])), "not there"),
        (pprof([], ([1], [1])), "measures"),
        (pprof(BOTH), "no samples"),
        (pprof(BOTH, ([1], [1, 10]))[:-3], "middle of a field"),
        (b"\x0a\x02\x00\x80" + b"\x80", "middle of a number"),
        (b"\x0a\x00\x0b\xff", "kind 3"),
        (b"\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", "64 bits"),
    ],
)
def test_a_broken_pprof_profile_is_told(data: bytes, told: str) -> None:
    with pytest.raises(ProfileProblem, match=told):
        read(data)
