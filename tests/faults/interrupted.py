"""Whole jobs, what a run of them leaves that nothing interrupts, and what is wrong after an interrupted one."""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from bisector.report.json_export import result_schema
from tests.faults.kept import broken_in, differences, kept_in, left_in
from tests.faults.scenes import Driver, Scene
from tests.helpers.repositories import Sandbox

GROUPS = ("faults", "more faults")
"""What two processes of the tests may play side by side."""
HALVES = [pytest.param(n, marks=pytest.mark.xdist_group(group), id=f"half{n}") for n, group in enumerate(GROUPS)]
SIMULATED = ("bisect", "good", "bad", "--simulate", "candidates=8,culprit=4,effect=0.3,noise=0.004", "--profile")
COUNTING = """\
name = "counting"
[build]
steps = ["cp lib.py made.py"]
[run]
command = ["sh", "{scenario}/bench.sh"]
timeout_seconds = 30
[[metrics]]
name = "operations"
exact = true
"""
BENCH = """\
echo '{"operations": '"$(sed -n 's/LEVEL = //p' made.py)"'}'
"""


def simulated(forked: Driver, top: Path) -> Scene:
    """A whole bisect with profiles on a simulated world."""
    return Scene(forked, top, SIMULATED)


def local(forked: Driver, top: Path) -> Scene:
    """A bisect of a repository on this machine, whose runs print a number without noise."""
    shop = Sandbox.make(top / "shop")
    for number in range(5):
        shop.commit(f"Change {number}", {"lib.py": f"LEVEL = {1000 if number < 3 else 1300}\n# {number}\n"})
    (top / "scenario").mkdir()
    (top / "scenario" / "scenario.toml").write_text(COUNTING)
    (top / "scenario" / "bench.sh").write_text(BENCH)
    ends = ("HEAD~4", "HEAD", "--repo", str(shop.top), "--runner", "local", "--jobs", "1", "--no-profile")
    return Scene(forked, top, ("bisect", *ends, "--scenario", str(top / "scenario")))


def half_of(places: Sequence[int], half: int) -> Sequence[int]:
    """Every second one, for one of two processes."""
    return places[half :: len(GROUPS)]


class Clean:
    """What a run that nothing interrupts leaves, and which places it passes."""

    def __init__(self, scene: Scene) -> None:
        ended = scene.play()
        assert ended.code == 0, ended.output
        self.places = ended.places
        self.kept: dict[str, Any] = kept_in(scene.place)
        self.result = _result(scene)
        scene.clear_up()
        self.left = {**left_in(scene.place), **scene.elsewhere()}


def killed_at(scene: Scene, number: int, clean: Clean) -> list[str]:
    """What is wrong after a kill at a place, the report of the killed job included; empty when nothing is."""
    scene.set_up()
    killed = scene.type(*scene.command, at=number)
    if killed.code != -9:
        return [f"place {number} was not reached: {killed.output}"]
    where = f"killed at {number}, {killed.places[-1]}"
    broken = [f"{where}: {problem}" for problem in broken_in(scene.place)]
    ended = scene.go_on()
    return broken + [f"{where}: {problem}" for problem in problems_of(scene, ended.code, ended.output, clean)]


def problems_of(scene: Scene, code: int | None, output: str, clean: Clean) -> list[str]:
    """What differs from a clean run."""
    if code != 0:
        return [f"ended with {code}: {output[-2000:]}"]
    told = differences(clean.kept, kept_in(scene.place))
    if _result(scene) != clean.result:
        told.append("the report says something else")
    scene.clear_up()
    return told + differences(clean.left, {**left_in(scene.place), **scene.elsewhere()})


def _result(scene: Scene) -> dict[str, Any]:
    text = (scene.place / "state" / "reports" / scene.job / "result.json").read_text()
    result: dict[str, Any] = json.loads(text)
    _validator().validate(result)
    return {name: result[name] for name in ("verdict", "sentence", "ends", "culprits", "untestable", "others")}


@cache
def _validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(result_schema())
