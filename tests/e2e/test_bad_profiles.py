"""What a person is told where profiling does not go well, for real; the verdict stands."""

import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bisector.formats.profiles import read_profile
from bisector.formats.profiles.gathering import Reading
from tests.helpers import refusing
from tests.helpers.installs import Install
from tests.helpers.interpreter import INTERPRETER
from tests.helpers.planted import MORE_CALLS, Planted, python, running
from tests.helpers.whys import committed, explained
from tests.report.checks import hidden_characters

pytestmark = [pytest.mark.slow, pytest.mark.alone]


def compared(install: Install, planted: Planted) -> str:
    """What `bisector compare` prints of a planted slowdown; it must have found it."""
    sandbox = committed(install.top / "repository", planted.before, planted.after)
    scenario = install.top / "scenario.toml"
    scenario.write_text(planted.scenario())
    done = install.run(
        *("compare", "before", "after", "--repo", sandbox.top, "--scenario", scenario, "--runner", "local"),
    )
    assert done.code == 1, done.out + done.err
    return " ".join(done.out.split())


@pytest.fixture
def refused(local_install: Install) -> Install:
    """An install on a kernel that lets nobody look into other processes."""
    if os.uname().machine not in refusing.CALLS:
        pytest.skip(f"no filter is written for {os.uname().machine}")
    return replace(local_install, behind=(sys.executable, refusing.__file__))


@pytest.mark.long
def test_where_ptrace_is_refused_the_program_is_looked_at_from_within(refused: Install) -> None:
    told = compared(refused, MORE_CALLS)
    assert "Profiled with pyinstrument" in told
    assert "py-spy could not be used: the kernel does not let a process look into its own child (ptrace)" in told
    assert "render" in told


@pytest.mark.long
def test_where_nothing_may_look_at_a_compiled_program_the_report_says_so(refused: Install) -> None:
    told = compared(refused, INTERPRETER)
    assert "Not profiled" in told
    assert "perf could not be used: " in told


@pytest.mark.long
def test_without_symbols_the_report_says_what_it_could_not_name(local_install: Install) -> None:
    if shutil.which("perf") is None:
        pytest.skip("perf is not installed (tests/environment/up.sh profilers)")
    told = explained(local_install, replace(INTERPRETER, steps=("gcc -O2 -s -o machine src/machine.c",)))
    assert any("functions without a symbol" in line for line in told.findings), told.text


@pytest.mark.long
@pytest.mark.parametrize("sleep", ["", "usleep(9000);"])
def test_a_program_that_is_over_at_once_is_said_to_be(local_install: Install, sleep: str) -> None:
    source = "#include <unistd.h>\nint main(void) { %s return 0; }\n"
    before, after = ({"src/a.c": source % more} for more in (sleep, f"{sleep} {sleep}"))
    brief = Planted(
        before=before,
        after={**after, "note": "x"},
        guilty="",
        file="",
        steps=("gcc -O2 -g -o machine src/a.c",),
        command=("{source}/machine",),
    )
    sandbox = committed(local_install.top / "repository", brief.before, brief.after)
    scenario = local_install.top / "scenario.toml"
    scenario.write_text(brief.scenario())
    where = ("--repo", sandbox.top, "--scenario", scenario, "--runner", "local")
    done = local_install.run("profile", "before", "after", *where)
    assert "Traceback" not in done.err
    told = " ".join((done.out + done.err).split())
    nothing = "perf wrote nothing in 3 runs: it cannot see into the program, or that is over too soon"
    assert nothing in told or "do not differ by more than noise" in told, told


EVIL = "a;b </script><script>x \x1b[2J\n\n| ` \x00 " + "n" * 1_000_000
HOSTILE = python(
    "",
    {
        "run.py": running("work.go(9)"),
        "work.py": "def go(n):\n    return sum(i * i for i in range(n * 20000))\n\n\n"
        f"go.__code__ = go.__code__.replace(co_name={EVIL!r}, co_qualname={EVIL!r})\n",
    },
    {
        "work.py": "def go(n):\n    return sum(i * i for i in range(n * 90000))\n\n\n"
        f"go.__code__ = go.__code__.replace(co_name={EVIL!r}, co_qualname={EVIL!r})\n"
    },
)


@pytest.mark.long
def test_names_that_are_made_to_break_things_break_nothing(local_install: Install) -> None:
    told = explained(local_install, HOSTILE)
    out = local_install.top / "out"
    assert not hidden_characters(told.text)
    page = (out / "difference.html").read_text()
    assert "<script>x" not in page
    assert not hidden_characters(page.replace("\n", " "))
    for name in ("before.folded.txt", "after.folded.txt", "before.speedscope.json", "after.speedscope.json"):
        capture = read_profile(Path(out / name).read_bytes(), Reading())
        assert capture.total > 0
        assert max(len(frame.name) for frame in capture.frames) < 1000
