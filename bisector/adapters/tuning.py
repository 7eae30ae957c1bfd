"""Settings of the kernel that make measurements quieter: what would be changed, the change itself, and the way back.

What stood there is written down, and is on the disk, before anything is changed: whoever is killed in between can be
undone by the next. `root` is where /proc and /sys lie.
"""

import contextlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bisector.adapters import durable
from bisector.errors import EnvironmentFault

ROOT = Path("/")
_CPU = "sys/devices/system/cpu"


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """A file of the kernel's, by a pattern below the root; `changed` are the values that are to become `wanted`, any
    other than it where it is empty."""

    name: str
    pattern: str
    wanted: str
    changed: tuple[str, ...] = ()


SETTINGS = (
    Setting(name="frequency", pattern=f"{_CPU}/cpu[0-9]*/cpufreq/scaling_governor", wanted="performance"),
    Setting(name="turbo", pattern=f"{_CPU}/intel_pstate/no_turbo", wanted="1"),
    Setting(name="turbo", pattern=f"{_CPU}/cpufreq/boost", wanted="0"),
    Setting(name="address layout", pattern="proc/sys/kernel/randomize_va_space", wanted="2"),
    Setting(
        name="profilers", pattern="proc/sys/kernel/perf_event_paranoid", wanted="1", changed=("2", "3", "4", "5", "6")
    ),
    # Last, and so the first to be taken back: with a thread that is taken off its other files go.
    Setting(name="threads", pattern=f"{_CPU}/smt/control", wanted="off", changed=("on",)),
)
"""In the order in which they are changed. An address layout that is drawn anew for every run averages its luck out."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One file, what stands in it, and what is to."""

    name: str
    path: str
    before: str
    after: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What would be changed; what is as it should be, or cannot be had here, by name."""

    changes: tuple[Change, ...]
    fine: tuple[str, ...]
    absent: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What was changed, and what was not and why."""

    done: tuple[Change, ...]
    left: tuple[tuple[Change, str], ...]


def plan(root: Path = ROOT) -> Plan:
    """What tuning would change. Nothing is changed."""
    changes, there, wanting = [], [], set()
    for setting in SETTINGS:
        for path in sorted(root.glob(setting.pattern)):
            before = _read(path)
            if before is None:
                continue
            there.append(setting.name)
            if before != setting.wanted and (not setting.changed or before in setting.changed):
                wanting.add(setting.name)
                where = str(path.relative_to(root))
                changes.append(Change(name=setting.name, path=where, before=before, after=setting.wanted))
    names = dict.fromkeys(setting.name for setting in SETTINGS)
    return Plan(
        changes=tuple(changes),
        fine=tuple(name for name in names if name in there and name not in wanting),
        absent=tuple(name for name in names if name not in there),
    )


def tune(kept: Path, root: Path = ROOT) -> Outcome:
    """Make the changes; what stood there is in `kept` first. What may not be written is left, with the reason."""
    wanted = plan(root).changes
    able = [change for change in wanted if os.access(root / change.path, os.W_OK)]
    left = [(change, "this user may not write it") for change in wanted if change not in able]
    if able:
        # What an earlier tuning found stays what stood there before all of them.
        earlier = {change.path: change for change in _kept(kept, root)}
        _keep(kept, root, [*earlier.values(), *(change for change in able if change.path not in earlier)])
    done = []
    for change in able:
        problem = _write(root / change.path, change.after)
        if problem:
            left.append((change, problem))
        else:
            done.append(change)
    return Outcome(done=tuple(done), left=tuple(left))


def untune(kept: Path, root: Path = ROOT) -> Outcome:
    """Put back what stood there, the last change first. What somebody changed since is left, and so is everything once
    the machine was started anew, which put it back itself."""
    done, left = [], []
    for change in reversed(_kept(kept, root)):
        now = _read(root / change.path)
        if now == change.before:
            continue
        problem = (
            _write(root / change.path, change.before)
            if now == change.after
            else f"somebody made it {now!r} since"
            if now is not None
            else "it is not there any more"
        )
        if problem:
            left.append((change, problem))
        else:
            done.append(change)
    failed = [change for change, _ in left if _read(root / change.path) == change.after]
    if failed:
        _keep(kept, root, list(reversed(failed)))
    else:
        kept.unlink(missing_ok=True)
    return Outcome(done=tuple(done), left=tuple(left))


@contextlib.contextmanager
def tuned(kept: Path, root: Path = ROOT) -> Iterator[Outcome]:
    """Tuned for as long as this is entered."""
    try:
        yield tune(kept, root)
    finally:
        untune(kept, root)


def is_tuned(kept: Path, root: Path = ROOT) -> bool:
    """Whether something is to be put back."""
    return bool(_kept(kept, root))


def _kept(kept: Path, root: Path) -> Sequence[Change]:
    """What was written down since the machine was started; EnvironmentFault where it cannot be read."""
    text = _read(kept)
    if text is None:
        return ()
    try:
        found = json.loads(text)
        changes = [Change(**change) for change in found["changes"]]
        if found["boot"] != _boot(root) or any(".." in Path(change.path).parts for change in changes):
            return ()
    except (ValueError, TypeError, KeyError):
        then = "Look at the file: it names what stood where. Put that back by hand and remove the file"
        what = "what was written down of the former settings is damaged"
        raise EnvironmentFault(what, where=str(kept), then=then) from None
    return changes


def _keep(kept: Path, root: Path, changes: Sequence[Change]) -> None:
    """Write down, whole or not at all, and on the disk when this returns."""
    told = {"boot": _boot(root), "changes": [asdict(change) for change in changes]}
    durable.write_whole(kept, json.dumps(told, indent=1).encode())


def _boot(root: Path) -> str:
    return _read(root / "proc/sys/kernel/random/boot_id") or ""


def _read(path: Path) -> str | None:
    try:
        return path.read_text().strip()
    except OSError:
        return None


def _write(path: Path, value: str) -> str:
    """Write it; "" when that worked, else why not."""
    try:
        path.write_text(f"{value}\n")
    except OSError as error:
        return (error.strerror or str(error)).lower()
    return "" if _read(path) == value else "the kernel did not take it"
