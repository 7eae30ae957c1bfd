"""The command line that asks for the same again: the command line reads it back as the same request."""

import shlex
from dataclasses import replace
from typing import Any

import click
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bisector.cli.bisect import command as bisect_command
from bisector.cli.compare import command as compare_command
from bisector.cli.main import command as group
from bisector.core.model.request import Budget, JobKind, Request, RunnerName, Search
from bisector.core.model.scenario import BuildRecipe, Direction, Metric, RunRecipe, Scenario
from bisector.core.model.units import Sha
from bisector.formats.scenario_metrics import WALL
from bisector.report.reproduce import reproduce_command
from tests.report.worlds import MERGE, finished

GOOD, BAD, OTHER = (Sha(digit * 40) for digit in "123")
PRINTED = Metric(name="printed", source="printed", if_printed=True)


def request(**changes: object) -> Request:
    """A bisect of a command on the command line."""
    scenario = Scenario(
        name="command", build=BuildRecipe(), run=RunRecipe(command=("python", "bench.py")), metrics=(PRINTED, WALL)
    )
    plain = Request(repository="/repo", good=GOOD, bad=BAD, scenario=scenario, runner=RunnerName.LOCAL)
    return replace(plain, **changes)  # type: ignore[arg-type]


def parsed(line: str, command: click.Command = bisect_command) -> dict[str, object]:
    """What the command line makes of it."""
    program, name, *words = shlex.split(line)
    assert (program, name) == ("bisector", command.name)
    # Below the group, as a person calls it: a command remembers the help option of its first context.
    top = click.Context(group, info_name=program, **group.context_settings)
    return command.make_context(name, words, parent=top).params


def test_the_plain_case() -> None:
    line = f"bisector bisect {GOOD} {BAD} --repo /repo --runner local --seed 0 -- python bench.py"
    assert reproduce_command(request()) == line
    assert parsed(line)["command_line"] == ("python", "bench.py")


def test_a_scenario_is_named_as_the_person_named_it_or_by_its_own_name() -> None:
    scenario = replace(request().scenario, name="parse", files="digest", metrics=(WALL,))
    asked = request(scenario=scenario)
    assert "--scenario parse --runner local --metric wall" in reproduce_command(asked)
    assert "--scenario 'my scenarios/parse'" in reproduce_command(asked, "my scenarios/parse")
    assert " -- " not in reproduce_command(asked)


SPELT = {
    "wall": ((WALL,), (), ["--results", "wall"]),
    "json by name": ((Metric(name="rate"),), ("rate",), ["--metric", "rate"]),
    "number": ((Metric(name="value", source="number"),), (), ["--results", "number"]),
    "tool": (
        (Metric(name="BenchmarkA", source="go-bench", unit="s"),),
        ("BenchmarkA",),
        ["--metric", "BenchmarkA", "--results", "go-bench"],
    ),
    "named pattern": (
        (Metric(name="rate", source="regex:a (.*)"),), ("rate",), ["--metric", "rate", "--results", "regex:a (.*)"],
    ),
    "memory": ((Metric(name="peak_memory", source="peak_memory", unit="B"),), ("peak_memory",), ["--metric"]),
}  # fmt: skip


@pytest.mark.parametrize("case", SPELT)
def test_a_command_is_spelt_out(case: str) -> None:
    metrics, names, expected = SPELT[case]
    build = BuildRecipe(image="python:3.11", steps=("make all", "pip install ."))
    asked = request(
        scenario=replace(request().scenario, metrics=metrics, build=build), metrics=names, image_id="sha256:abc"
    )
    words = shlex.split(reproduce_command(asked))
    assert [word for word in expected if word not in words] == []
    read = parsed(reproduce_command(asked))
    assert (read["build"], read["image"], read["metric"]) == (("make all", "pip install ."), "sha256:abc", names)
    assert "--scenario" not in words


UNSPEAKABLE: dict[str, dict[str, Any]] = {
    "a limit": {"run": RunRecipe(command=("x",), cpus=2)},
    "a variable": {"build": BuildRecipe(env={"A": "b"})},
    "files": {"files": "digest"},
    "a better way up": {"metrics": (replace(WALL, min_effect=0.5),)},
    "two metrics": {"metrics": (WALL, Metric(name="b"))},
}


@pytest.mark.parametrize("case", UNSPEAKABLE)
def test_what_options_cannot_say_is_left_to_the_scenario(case: str) -> None:
    scenario = replace(request().scenario, metrics=(WALL,))
    asked = request(scenario=replace(scenario, **UNSPEAKABLE[case]))
    assert "--scenario command" in reproduce_command(asked)


@settings(max_examples=60, deadline=None)
@given(
    direction=st.sampled_from(list(Direction)),
    min_effect=st.none() | st.floats(1e-4, 5),
    confidence=st.floats(0.5, 0.9999),
    flags=st.tuples(st.booleans(), st.booleans(), st.booleans()),
    budget=st.tuples(st.none() | st.integers(1, 9999), st.none() | st.integers(1, 99), st.none() | st.floats(1, 1e6)),
    skip=st.lists(st.sampled_from([GOOD, OTHER]), max_size=2),
    paths=st.lists(st.text("a*/ '$;", min_size=1), max_size=2),
    seed=st.integers(0, 2**40),
)  # fmt: skip
def test_every_option_reads_back(direction, min_effect, confidence, flags, budget, skip, paths, seed) -> None:  # type: ignore[no-untyped-def]
    every, descend, reuse = flags
    search = Search(
        direction=direction,
        min_effect=min_effect,
        confidence=confidence,
        every_commit=every,
        descend=descend,
        skip=tuple(skip),
        paths=tuple(paths),
        seed=seed,
    )
    limits = Budget(runs=budget[0], builds=budget[1], seconds=budget[2])
    read = parsed(reproduce_command(request(search=search, budget=limits, reuse_samples=reuse)))
    assert (read["good"], read["bad"], read["seed"]) == (GOOD, BAD, seed)
    assert (read["direction"], read["min_effect"], read["confidence"]) == (direction, min_effect, confidence)
    assert (read["first_parent"], read["descend"], read["reuse"]) == (not every, descend, reuse)
    assert (read["skip"], read["path"]) == (tuple(skip), tuple(paths))
    assert (read["max_runs"], read["max_builds"], read["max_time"]) == budget


def test_options_at_their_defaults_are_not_repeated() -> None:
    assert reproduce_command(request()).count("--") == len(["repo", "runner", "seed", "command"])


def test_a_comparison_with_the_work_tree() -> None:
    either = Search(direction=Direction.EITHER)
    asked = request(kind=JobKind.COMPARE, worktree=Sha("4" * 40), search=either)
    read = parsed(reproduce_command(asked), compare_command)
    assert (read["first"], read["second"]) == (GOOD, ".")


def test_a_simulated_job() -> None:
    simulated = replace(finished(MERGE).request, repository="simulated:candidates=64,culprit=40")
    read = parsed(reproduce_command(simulated))
    assert read["simulate"] == "candidates=64,culprit=40"


def test_credentials_stay_at_home() -> None:
    asked = request(repository="https://jane:s3cret@host/repo.git")
    assert "--repo 'https://***@host/repo.git'" in reproduce_command(asked)
