"""Scenarios by name: found in the directories where they are looked for, read, their files kept."""

from collections.abc import Iterable
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

from bisector.core.model.scenario import Scenario
from bisector.engine.ports import Artifacts
from bisector.errors import ScenarioError
from bisector.formats.scenario import parse_scenario

FILE = "scenario.toml"


def known_scenarios(directories: Iterable[Path]) -> dict[str, Path]:
    """The scenario files by their directories' names; the first directory that has a name wins."""
    known: dict[str, Path] = {}
    for directory in directories:
        for file in sorted(directory.glob(f"*/{FILE}")):
            known.setdefault(file.parent.name, file)
    return known


def scenario_named(name: str, directories: Iterable[Path]) -> Path:
    """The file of the scenario called `name`; ScenarioError with near names when there is none."""
    known = known_scenarios(directories)
    if name in known:
        return known[name].resolve()
    near = get_close_matches(name, known, 1)
    hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(sorted(known)) or 'none'}."
    raise ScenarioError(f"there is no scenario {name!r}", then=f"{hint} A path to a directory works as well")


def read_scenario_file(path: Path, artifacts: Artifacts) -> Scenario:
    """The scenario in the file at `path`; its other files are kept for the job."""
    scenario = scenario_at(path)
    data = tuple(
        replace(each, path=str((path.parent / each.path).resolve())) if each.path else each
        for each in scenario.run.data
    )
    run = replace(scenario.run, data=data)
    return replace(scenario, run=run, files=artifacts.keep_scenario(path.parent))


def scenario_at(path: Path) -> Scenario:
    """What the file at `path` says; ScenarioError where it cannot be used."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ScenarioError(f"the scenario cannot be read: {error.strerror}", where=str(path)) from None
    scenario = parse_scenario(text, where=str(path))
    check_files(scenario, path)
    return scenario


def check_files(scenario: Scenario, path: Path) -> None:
    """ScenarioError where a file that the scenario at `path` names does not lie beside it."""
    named = [("[build] patches", patch.file) for patch in scenario.build.patches]
    if scenario.build.constraints:
        named.append(("[build] constraints", scenario.build.constraints))
    for key, name in named:
        if not (path.parent / name).is_file():
            advice = "It lies beside the scenario file"
            raise ScenarioError(f"there is no file {name!r}", where=f"{path}: {key}", then=advice)
