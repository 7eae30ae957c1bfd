"""Tuning on a planted /proc and /sys: what it would change, what it changes, and that everything comes back."""

import contextlib
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bisector.adapters.tuning import SETTINGS, is_tuned, plan, tune, tuned, untune
from bisector.errors import EnvironmentFault

CPU = "sys/devices/system/cpu"
UNTUNED = {
    f"{CPU}/cpu0/cpufreq/scaling_governor": "powersave",
    f"{CPU}/cpu1/cpufreq/scaling_governor": "schedutil",
    f"{CPU}/intel_pstate/no_turbo": "0",
    f"{CPU}/smt/control": "on",
    "proc/sys/kernel/randomize_va_space": "0",
    "proc/sys/kernel/perf_event_paranoid": "4",
    "proc/sys/kernel/random/boot_id": "first",
}
TUNED = {
    **UNTUNED,
    f"{CPU}/cpu0/cpufreq/scaling_governor": "performance",
    f"{CPU}/cpu1/cpufreq/scaling_governor": "performance",
    f"{CPU}/intel_pstate/no_turbo": "1",
    f"{CPU}/smt/control": "off",
    "proc/sys/kernel/randomize_va_space": "2",
    "proc/sys/kernel/perf_event_paranoid": "1",
}


def plant(root: Path, files: Mapping[str, str] = UNTUNED) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"{text}\n")
    return root


def values(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): path.read_text().strip()
        for top in ("proc", "sys")
        for path in (root / top).rglob("*")
        if path.is_file()
    }


def test_the_plan_says_each_file_and_changes_nothing(tmp_path: Path) -> None:
    root = plant(tmp_path)
    found = plan(root)
    assert {change.path: (change.before, change.after) for change in found.changes} == {
        name: (UNTUNED[name], TUNED[name]) for name in UNTUNED if UNTUNED[name] != TUNED[name]
    }
    assert (found.fine, found.absent) == ((), ())
    assert values(root) == UNTUNED


def test_what_is_not_there_or_as_it_should_be_is_said(tmp_path: Path) -> None:
    root = plant(tmp_path, {"proc/sys/kernel/perf_event_paranoid": "-1", f"{CPU}/smt/control": "notsupported"})
    found = plan(root)
    assert (found.changes, found.fine) == ((), ("profilers", "threads"))
    assert found.absent == ("frequency", "turbo", "address layout")


def test_it_is_tuned_and_taken_back(tmp_path: Path) -> None:
    root, kept = plant(tmp_path / "root"), tmp_path / "state" / "tuned.json"
    assert not is_tuned(kept, root)
    assert tune(kept, root).left == ()
    assert values(root) == TUNED
    assert is_tuned(kept, root)
    assert tune(kept, root).done == (), "a second time there is nothing to do, and nothing is forgotten"
    outcome = untune(kept, root)
    assert values(root) == UNTUNED
    assert outcome.left == ()
    assert outcome.done[0].name == "threads", "the last change is taken back first"
    assert not kept.exists()


def test_what_stood_there_before_two_tunings_is_what_comes_back(tmp_path: Path) -> None:
    root, kept = plant(tmp_path / "root"), tmp_path / "tuned.json"
    tune(kept, root)
    plant(root, {f"{CPU}/cpu0/cpufreq/scaling_governor": "ondemand"})
    tune(kept, root)
    untune(kept, root)
    assert values(root) == UNTUNED


def test_leaving_takes_it_back_whatever_happens(tmp_path: Path) -> None:
    root, kept = plant(tmp_path / "root"), tmp_path / "tuned.json"
    inside = {}
    with contextlib.suppress(ZeroDivisionError), tuned(kept, root):
        inside = values(root)
        raise ZeroDivisionError
    assert (inside, values(root)) == (TUNED, UNTUNED)


def test_what_somebody_changed_since_is_left_to_him(tmp_path: Path) -> None:
    root, kept = plant(tmp_path / "root"), tmp_path / "tuned.json"
    tune(kept, root)
    plant(root, {f"{CPU}/intel_pstate/no_turbo": "7"})
    (change, why), *others = untune(kept, root).left
    assert (change.name, why, others) == ("turbo", "somebody made it '7' since", [])
    assert values(root) == {**UNTUNED, f"{CPU}/intel_pstate/no_turbo": "7"}
    assert not kept.exists()


def test_after_a_start_of_the_machine_nothing_is_written(tmp_path: Path) -> None:
    root, kept = plant(tmp_path / "root"), tmp_path / "tuned.json"
    tune(kept, root)
    plant(root, {**TUNED, "proc/sys/kernel/random/boot_id": "second"})
    assert not is_tuned(kept, root)
    assert untune(kept, root).done == ()
    assert values(root)[f"{CPU}/smt/control"] == "off"


def test_a_file_that_cannot_be_read_is_said_and_nothing_is_changed_by_it(tmp_path: Path) -> None:
    root, kept = plant(tmp_path / "root"), tmp_path / "tuned.json"
    kept.write_text("{")
    for act in (tune, untune):
        with pytest.raises(EnvironmentFault, match="damaged"):
            act(kept, root)
    kept.write_text(
        json.dumps({"boot": "first", "changes": [{"name": "x", "path": "../x", "before": "", "after": ""}]})
    )
    assert not is_tuned(kept, root)
    assert values(root) == UNTUNED


TUNE = """
import os, sys
from pathlib import Path
from bisector.adapters.tuning import tune
if os.geteuid() == 0:
    os.setuid(65534)
print([(change.name, why) for change, why in tune(Path(sys.argv[1]), Path(sys.argv[2])).left])
"""


def test_what_may_not_be_written_is_left_with_the_reason() -> None:
    """By somebody who is not root: root may write everything."""
    with tempfile.TemporaryDirectory() as made:
        root, kept = plant(Path(made) / "root"), Path(made) / "state" / "tuned.json"
        kept.parent.mkdir()
        for path in (Path(made), kept.parent, *(each for each in root.rglob("*"))):
            path.chmod(0o777 if path.is_dir() else 0o666)
        (root / CPU / "smt/control").chmod(0o444)
        command = [sys.executable, "-c", TUNE, str(kept), str(root)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.stdout, done.stderr) == ("[('threads', 'this user may not write it')]\n", "")
        assert values(root) == {**TUNED, f"{CPU}/smt/control": "on"}


CRASH = """
import sys
from pathlib import Path
from bisector.adapters import tuning
count = 0
write = tuning._write
def slow(path, value):
    global count
    count += 1
    if count == 3:
        print("here", flush=True)
        import time
        time.sleep(60)
    return write(path, value)
tuning._write = slow
tuning.tune(Path(sys.argv[1]), Path(sys.argv[2]))
"""


def test_whoever_is_killed_amid_the_changes_is_undone_by_the_next(tmp_path: Path) -> None:
    root, kept = plant(tmp_path / "root"), tmp_path / "tuned.json"
    command = [sys.executable, "-c", CRASH, str(kept), str(root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"here\n"
        process.send_signal(signal.SIGKILL)
    assert values(root) not in (UNTUNED, TUNED)
    limit = time.monotonic() + 5
    assert is_tuned(kept, root)
    untune(kept, root)
    assert values(root) == UNTUNED
    assert time.monotonic() < limit


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.sampled_from(["on", "off", "powersave", "performance", "0", "1", "2", "4", ""]), min_size=6, max_size=6)
)
def test_whatever_stood_there_comes_back(tmp_path_factory: pytest.TempPathFactory, found: list[str]) -> None:
    top = tmp_path_factory.mktemp("tuned")
    names = [setting.pattern.replace("[0-9]*", "0") for setting in SETTINGS]
    root, kept = plant(top / "root", dict(zip(names, found, strict=True))), top / "kept"
    before = values(root)
    tune(kept, root)
    assert plan(root).changes == ()
    untune(kept, root)
    assert values(root) == before
