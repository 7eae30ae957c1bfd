"""Files that the real tools wrote (tests/data/profiles), each told by its content."""

from pathlib import Path

import numpy as np
import pytest

from bisector.core.explain.names import Names
from bisector.core.explain.stacks import Capture, Origin, Unit
from bisector.formats.profiles import read_profile
from bisector.formats.profiles.gathering import Reading

DATA = Path(__file__).parent.parent.parent / "data" / "profiles"
READING = Reading(names=Names(roots=("/srv/example",)))


def read(name: str, reading: Reading = READING) -> Capture:
    return read_profile((DATA / name).read_bytes(), reading)


def totals(capture: Capture) -> dict[str, float]:
    """The share of each function with all it calls."""
    inclusive = np.where(capture.tree.outermost, capture.tree.totals(capture.weights), 0)
    by_frame = capture.tree.by_frame(inclusive, len(capture.frames)) / capture.total
    return {frame.label: float(share) for frame, share in zip(capture.frames, by_frame, strict=True)}


@pytest.mark.parametrize(
    ("name", "tool", "unit", "samples", "seconds"),
    [
        ("py-spy.raw.txt", "folded", Unit.SAMPLES, 215, 215),
        ("py-spy-short.raw.txt", "folded", Unit.SAMPLES, 235, 235),
        ("py-spy-native.raw.txt", "folded", Unit.SAMPLES, 82, 82),
        ("py-spy.speedscope.json", "speedscope", Unit.SECONDS, 57, 0.57),
        ("pyinstrument.pyisession", "pyinstrument", Unit.SECONDS, 45, 0.51),
        ("pyinstrument.speedscope.json", "speedscope", Unit.SECONDS, None, 0.3947),
        ("perf-clock.txt", "perf", Unit.SECONDS, 91, 0.9192),
        ("perf-switches.txt", "perf", Unit.SAMPLES, 28, 28),
        ("go-cpu.pprof", "pprof", Unit.SECONDS, 39, 0.39),
        ("go-allocs.pprof", "pprof", Unit.BYTES, None, 132_026_634),
    ],
)
def test_what_a_tool_told(name: str, tool: str, unit: Unit, samples: int | None, seconds: float) -> None:
    """The figures are those of the tools' own reports, or counted in the files by other means."""
    capture = read(name)
    assert (capture.tool, capture.unit, capture.samples, capture.cut) == (tool, unit, samples, 0)
    assert capture.total == pytest.approx(seconds, rel=0.002)


@pytest.mark.parametrize(
    ("name", "guilty"),
    [
        ("py-spy.raw.txt", ["main (prog.py)", "rec (prog.py)", "Box.work (prog.py)", "dumps (json/__init__.py)"]),
        ("py-spy-short.raw.txt", ["main (prog.py)", "Box.inner (prog.py)", "dumps (json/__init__.py)"]),
        ("py-spy-native.raw.txt", ["main (prog.py)", "Box.inner (prog.py)", "dumps (json/__init__.py)"]),
        ("py-spy.speedscope.json", ["main (prog.py)", "Box.inner (prog.py)", "dumps (json/__init__.py)"]),
        ("pyinstrument.pyisession", ["main (prog.py)", "Box.inner (prog.py)", "dumps (json/__init__.py)"]),
        ("pyinstrument.speedscope.json", ["main (prog.py)", "rec (prog.py)", "dumps (json/__init__.py)"]),
        ("perf-clock.txt", ["main (prog-c)", "normalise (prog-c)"]),
        ("perf-switches.txt", ["main (prog-c)", "normalise (prog-c)", "schedule ([kernel])"]),
        ("go-cpu.pprof", ["main.main (gop/main.go)", "main.(*Parser).Step (gop/main.go)"]),
        ("go-allocs.pprof", ["main.main (gop/main.go)", "strings.Fields (strings/strings.go)"]),
    ],
)
def test_where_the_time_is(name: str, guilty: list[str]) -> None:
    shares = totals(read(name))
    assert {label: round(shares.get(label, 0), 2) for label in guilty if shares.get(label, 0) < 0.3} == {}
    assert max(shares.values()) <= 1 + 1e-9


@pytest.mark.parametrize("name", ["py-spy.raw.txt", "py-spy-short.raw.txt", "pyinstrument.pyisession"])
def test_whose_code_a_frame_is(name: str) -> None:
    origins = {frame.module: frame.origin for frame in read(name).frames}
    assert origins["prog.py"] is Origin.OWN
    assert origins["json/encoder.py"] is Origin.LIBRARY


def test_lines_are_kept_beside_the_name() -> None:
    lines = {frame.name: frame.line for frame in read("py-spy.raw.txt").frames if frame.module == "prog.py"}
    assert lines["main"] == 13
    assert lines["Box.work"] == 4


def test_a_rate_makes_seconds_of_samples() -> None:
    capture = read("py-spy.raw.txt", Reading(names=READING.names, rate_hz=200))
    assert (capture.unit, capture.samples) == (Unit.SECONDS, 215)
    assert capture.total == pytest.approx(1.075)
    assert read("perf-switches.txt", Reading(rate_hz=100)).total == pytest.approx(0.28)


def test_the_profilers_own_frames_are_left_out() -> None:
    labels = {frame.label for frame in read("pyinstrument.pyisession").frames}
    assert not [label for label in labels if "pyinstrument" in label or "thread" in label.lower()]


def test_the_same_program_has_the_same_frames_whatever_tool_looked() -> None:
    sides = [read(name) for name in ("py-spy.raw.txt", "py-spy.speedscope.json")]
    main_of = [{f for f in side.frames if f.module in {"prog.py", "json/encoder.py"}} for side in sides]
    assert len(main_of[0] & main_of[1]) >= 6


def test_stacks_without_frames_are_told() -> None:
    """py-spy counts samples in which the interpreter was not yet running."""
    assert read("py-spy.raw.txt").lost == 2
