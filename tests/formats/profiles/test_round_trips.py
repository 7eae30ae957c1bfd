"""What we write reads back as it was, whatever it is called; what others write in bad faith does no harm."""

import gzip
import json
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bisector.core.explain.names import Names
from bisector.core.explain.stacks import DEEPEST, Capture, Frame, Profile, Stacks, Unit, captured
from bisector.formats.profiles import folded, read_profile, speedscope, stored
from bisector.formats.profiles.gathering import Reading
from bisector.formats.profiles.problem import ProfileProblem

HOSTILE = (
    ";", "a;b", "\n", "\r\n", "\0", "\x1b[2J", "</script>", "f (x)", "f (a.py:3)", "f ()", " 12", "a 12", "\\x3b", "\\",
    "\\x", "operator()(int)", "(anonymous namespace)::f", "<lambda>", "\u2028", "\ud800", "\ufeff", "[unknown]x", "#",
    "ф", "{", "x" * 5000,
)  # fmt: skip
NAMES = st.sampled_from(HOSTILE) | st.text(min_size=1, max_size=8)
FRAMES = st.tuples(NAMES, st.sampled_from(["", "a.py", "src/b c.py", "lib;x.so", "<string>", "x(1).py"]))
STACKS = st.lists(
    st.tuples(st.lists(FRAMES, min_size=1, max_size=6), st.integers(min_value=1, max_value=10_000)),
    min_size=1,
    max_size=12,
)
Weighted = list[tuple[list[tuple[str, str]], int]]


def made(weighted: Weighted, unit: Unit = Unit.SAMPLES, scale: float = 1.0) -> Capture:
    """A capture of stacks of frames named as our own parsers name them."""
    flat = [Names().frame(name, path) for stack, _ in weighted for name, path in stack]
    stacks = Stacks(
        frames=flat,
        flat=np.arange(len(flat)),
        lengths=np.array([len(stack) for stack, _ in weighted]),
        weights=np.array([weight * scale for _, weight in weighted], dtype=np.float64),
    )
    return captured(stacks, tool="test", unit=unit, samples=sum(weight for _, weight in weighted))


def told(capture: Capture) -> dict[tuple[Frame, ...], float]:
    """Weights by whole stacks."""
    stacks: list[tuple[Frame, ...]] = []
    for parent, frame in zip(capture.tree.parent.tolist(), capture.tree.frame.tolist(), strict=True):
        stacks.append((*(stacks[parent] if parent >= 0 else ()), capture.frames[frame]))
    return {stack: weight for stack, weight in zip(stacks, capture.weights.tolist(), strict=True) if weight}


def shown(capture: Capture) -> dict[tuple[str, ...], float]:
    """The same by what a person reads, for formats that keep no more."""
    found: dict[tuple[str, ...], float] = {}
    for stack, weight in told(capture).items():
        key = tuple(frame.label.replace("\u2028", " ").replace("\u2029", " ").strip() for frame in stack)
        found[key] = found.get(key, 0) + weight
    return found


@given(STACKS)
@example([([(name, "") for name in HOSTILE], 3)])
@example([([(name, "a.py") for name in HOSTILE], 3)])
def test_folded_files_read_back(weighted: Weighted) -> None:
    capture = made(weighted)
    text = folded.write(capture).encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    again = folded.read(text, Reading())
    lossy = any("\ud800" <= c <= "\udfff" for stack, _ in weighted for name, _ in stack for c in name)
    assert again.samples == capture.samples
    assert text.count("\n") == len(told(capture))
    if not lossy:
        assert shown(again) == pytest.approx(shown(capture))


@given(STACKS, st.sampled_from([(Unit.SECONDS, 0.01), (Unit.BYTES, 1.0), (Unit.SAMPLES, 1.0)]))
@example([([(name, "a.py") for name in HOSTILE], 3)], (Unit.SECONDS, 0.01))
def test_speedscope_files_read_back(weighted: Weighted, kind: tuple[Unit, float]) -> None:
    capture = made(weighted, *kind)
    text = speedscope.write(Profile(label="side", captures=(capture,)))
    assert text.isascii()
    again = read_profile(text.encode(), Reading())
    assert again.unit is capture.unit
    assert told(again) == pytest.approx(told(capture))


@given(STACKS, st.sampled_from(list(Unit)))
def test_stored_captures_read_back(weighted: Weighted, unit: Unit) -> None:
    capture = made(weighted, unit, 0.125)
    data = stored.encode(capture)
    again = read_profile(data, Reading())
    assert told(again) == told(capture)
    assert [f.line for f in again.frames] == [f.line for f in capture.frames]
    assert (again.samples, again.unit, again.tool) == (capture.samples, unit, "test")
    assert stored.encode(again) == data


def test_captures_of_a_side_are_one_profile_each() -> None:
    side = Profile(label="after", captures=(made([([("f", "a.py")], 2)]), made([([("f", "a.py"), ("g", "")], 3)])))
    document = json.loads(speedscope.write(side))
    assert [profile["name"] for profile in document["profiles"]] == ["after, capture 1", "after, capture 2"]
    assert read_profile(json.dumps(document).encode(), Reading()).total == 5


def test_seconds_are_folded_as_microseconds_where_nobody_counted() -> None:
    stacks = Stacks(
        frames=[Frame(name="f")], flat=np.array([0]), lengths=np.array([1]), weights=np.array([0.25], dtype=np.float64)
    )
    assert folded.write(captured(stacks, tool="x", unit=Unit.SECONDS)) == "f 250000\n"


@settings(max_examples=400)
@given(
    st.binary(max_size=200)
    | st.binary(max_size=200).map(lambda data: b"\x0a" + data)
    | st.binary(max_size=200).map(gzip.compress)
    | st.binary(max_size=100).map(lambda data: b"\x78\x9c" + data)
    | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass"))
)
def test_any_bytes_are_a_profile_or_a_plain_statement(data: bytes) -> None:
    try:
        capture = read_profile(data, Reading())
    except ProfileProblem:
        return
    assert capture.tree.size > 0
    assert np.isfinite(capture.total)


KEYS = ["frames", "type", "unit", "samples", "weights", "events", "at", "frame", "startValue", "name"]
WORDS = ["seconds", "sampled", "evented", "none", "O", "C"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner),
    max_leaves=12,
)


@settings(max_examples=400)
@given(JSON, JSON, st.sampled_from([("shared", "profiles"), ("frame_records", "sample_count")]))
def test_any_json_is_a_profile_or_a_plain_statement(one: Any, other: Any, keys: tuple[str, str]) -> None:
    try:
        capture = read_profile(json.dumps({keys[0]: one, keys[1]: other}).encode(), Reading())
    except ProfileProblem:
        return
    assert np.isfinite(capture.total)


@given(STACKS, st.integers(min_value=0), st.binary(min_size=1, max_size=3))
def test_a_damaged_stored_capture_is_told(weighted: Weighted, at: int, noise: bytes) -> None:
    text = zlib.decompress(stored.encode(made(weighted)))
    place = at % len(text)
    try:
        again = read_profile(zlib.compress(text[:place] + noise + text[place + len(noise) :]), Reading())
    except ProfileProblem:
        return
    again.tree.totals(again.weights)
    assert again.tree.outermost.size == again.tree.size


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"bisector_capture": 2}, "version 2"),
        ({"parent": [5, 0]}, "broken"),
        ({"parent": [-1, -1]}, "broken"),
        ({"frame": [0, 9]}, "broken"),
        ({"levels": [0, 2, 1, 2]}, "broken"),
        ({"weights": [1.0]}, "broken"),
        ({"weights": [2.0, -1.0]}, "broken"),
        ({"work": 0}, "broken"),
        ({"unit": "hours"}, "no stored capture"),
    ],
)
def test_a_stored_capture_that_does_not_fit_is_told(change: dict[str, Any], told: str) -> None:
    document = json.loads(zlib.decompress(stored.encode(made([([("f", ""), ("g", "")], 1)]))))
    data = zlib.compress(json.dumps(document | change).encode())
    with pytest.raises(ProfileProblem, match=told):
        read_profile(data, Reading())


SCOPE = b'{"shared": {"frames": [{"name": "f"}]}, "profiles": [{"type": %s}]}'


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "empty"),
        (b" \n\n", "empty"),
        (b"{", "begins like JSON"),
        (b"{" * 100_000, "begins like JSON"),
        (b"[" * 100_000, "no folded stacks"),
        (b'{"a": 1}', "neither"),
        (b"hello\nworld\n", "no folded stacks"),
        (b"a;b -5\na nan\na inf\n", "no samples"),
        (b"a 1e300\n", "no samples"),
        (b"\x1f\x8bnothing", "damaged"),
        (gzip.compress(b"a;b 1\n", mtime=0)[:-9], "cut short"),
        (b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "64 bits"),
        (b'{"shared": {"frames": []}, "profiles": []}', "no profiles"),
        (SCOPE % b'"sampled", "unit": "seconds", "samples": [[-1]], "weights": [1]', "below 0"),
        (SCOPE % b'"sampled", "unit": "seconds", "samples": [[7]], "weights": [1]', "schema"),
        (SCOPE % b'"sampled", "unit": "seconds", "samples": [[0]], "weights": []', "schema"),
        (SCOPE % b'"sampled", "unit": "parsecs", "samples": [[0]], "weights": [1]', "schema"),
        (SCOPE % b'"evented", "unit": "none", "startValue": 0, "events": [{"type": "C", "frame": 0, "at": 1}]', "open"),
        (b'{"frame_records": [], "sample_count": 0}', "no samples"),
    ],
)  # fmt: skip
def test_what_is_no_profile_is_told(data: bytes, told: str) -> None:
    with pytest.raises(ProfileProblem, match=told):
        read_profile(data, Reading())


def test_a_small_file_cannot_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bisector.formats.profiles.LARGEST", 1000)
    with pytest.raises(ProfileProblem, match="unpacked"):
        read_profile(gzip.compress(b"a 1\n" * 1000), Reading())
    assert read_profile(gzip.compress(b"a 1\n" * 250), Reading()).total == 250


def test_a_megabyte_in_a_name_and_a_stack_without_end() -> None:
    capture = read_profile(b"main;" + b"x" * 1_000_000 + b" 3\n" + b"f;" * 100_000 + b"f 1\n", Reading())
    assert max(len(frame.name) for frame in capture.frames) < 500
    assert capture.cut == 1
    assert len(capture.tree.levels) - 1 <= DEEPEST
    assert len(folded.write(capture)) < 20_000
