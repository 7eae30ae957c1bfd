"""Scenario files: TOML text in, a `Scenario` out; every mistake at once, each with its place."""

import tomllib
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from bisector.core.model.layouts import names_layout
from bisector.core.model.scenario import (
    BuildRecipe,
    Patch,
    ProfileRecipe,
    RunRecipe,
    Scenario,
    Service,
)
from bisector.errors import ScenarioError, UsageError
from bisector.formats.quantities import parse_moment
from bisector.formats.scenario_metrics import WALL, MetricTable, metric_of
from bisector.formats.scenario_prebuilt import PrebuiltKeys
from bisector.formats.scenario_services import ClientTable, ReadyTable, ServiceTable, check_services
from bisector.formats.scenario_sources import MOST_SIZES, check_sizes, check_source, with_sizes
from bisector.formats.scenario_state import DataTable, StateKeys, check_state
from bisector.formats.tables import Env as _Env
from bisector.formats.tables import Table as _Table
from bisector.formats.tables import Text as _Text
from bisector.formats.tables import below as _below

MOST_BYTES = 64 * 1024
SCHEMA_VERSION = 1


class PatchTable(_Table):
    """A fix-up that keeps old commits building: a patch as `git diff` makes it, beside the scenario file."""

    file: Annotated[str, Field(min_length=1, max_length=4096, description="the patch, beside the scenario file")]
    when: Literal["applies", "always"] = Field(
        "applies", description="applies: commits that it does not fit are built without it; always: they are untestable"
    )

    @field_validator("file")
    @classmethod
    def _beside_the_scenario(cls, file: str) -> str:
        return _below(file, "the scenario's directory, like 'fix-import.patch'")


class BuildTable(PrebuiltKeys):
    """How a checkout becomes something that runs."""

    image: _Text | None = Field(None, description="base image; needed for Docker unless a Dockerfile is given")
    dockerfile: _Text | None = Field(None, description="a Dockerfile of ours, beside the scenario file")
    candidate_dockerfile: _Text | None = Field(None, description="the commit's own Dockerfile (trusted repositories)")
    steps: list[_Text] = Field(
        default=[],
        description="shell lines (sh -c) run in the checkout, in order; {layout}, also BISECTOR_LAYOUT, is 0 in a "
        "commit's first build and another number in each made afresh, for the code to lie elsewhere",
    )
    network: Literal["default", "none"] = Field("default", description="network while building")
    timeout_seconds: float = Field(900.0, gt=0, le=86400, strict=False, description="how long a build may take")
    env: _Env = Field(default={}, description="environment of the steps")
    patches: list[PatchTable] = Field(default=[], description="fix-ups that keep old commits building, in this order")
    dependency_files: list[_Text] = Field(default=[], description="files of the checkout that say what is installed")
    dependency_steps: list[_Text] = Field(
        default=[],
        description="shell lines that install it, run with those files alone; equal files share the outcome, "
        "and without dependency_files all commits do",
    )

    submodules: Literal["leave-out", "refuse", "fetch"] = Field(
        "leave-out",
        description="leave-out: empty directories; refuse: a commit that has any is untestable; "
        "fetch: their files, from addresses that the setting submodule_urls allows",
    )
    lfs: Literal["leave-out", "refuse"] = Field(
        "leave-out", description="leave-out: pointers stay pointers; refuse: a commit that has any is untestable"
    )
    as_of: _Text = Field("", description="date as of which pip (26 or newer) and uv resolve packages, like 2026-01-31")
    constraints: _Text = Field("", description="file beside this one with versions that pip and uv are held to")

    @field_validator("as_of")
    @classmethod
    def _moment(cls, text: str) -> str:
        try:
            return parse_moment(text) if text else ""
        except UsageError as error:
            raise ValueError(f"{error.what}; write it like 2026-01-31") from None

    @model_validator(mode="after")
    def _one_way_to_build(self) -> "BuildTable":
        self.check_alone(frozenset(self.model_fields_set))
        if self.dockerfile and self.candidate_dockerfile:
            raise ValueError("name either dockerfile or candidate_dockerfile, not both")
        if self.dependency_files and not self.dependency_steps:
            raise ValueError("dependency_files say when dependency_steps run again: name the steps, or leave both out")
        if self.dependency_steps and (self.dockerfile or self.candidate_dockerfile):
            raise ValueError("a Dockerfile has layers of its own: leave out dependency_files and dependency_steps")
        if any(map(names_layout, self.dependency_steps)):
            raise ValueError("dependency_steps are shared by all builds, which have a {layout} each: use it in steps")
        for name in (*self.dependency_files, *filter(None, [self.constraints])):
            _below(name, "the top of the checkout, like 'requirements.txt'")
        if (self.as_of or self.constraints) and (self.dockerfile or self.candidate_dockerfile):
            raise ValueError("as_of and constraints reach the steps only, not what a Dockerfile runs: pin it there")
        return self


class RunTable(StateKeys):
    """One process run."""

    command: list[_Text] = Field(
        min_length=1, description="argument list, no shell; {scenario}, {source} and {out} are replaced"
    )
    timeout_seconds: float = Field(120.0, gt=0, le=86400, strict=False, description="how long a run may take")
    warmup_runs: int | None = Field(
        None,
        ge=0,
        le=100,
        description="runs at the beginning of a session that are recorded but never compared; left out, one until the "
        "runs show that the first of a build is like its others",
    )
    env: _Env = Field(default={}, description="environment of the command and of services")
    cpus: int = Field(1, ge=1, le=1024, description="whole processors")
    timeout_is: Literal["censored", "untestable"] = Field(
        "censored", description="what a run past its limit says: its value is above the limit, or nothing of the commit"
    )
    fresh: Literal["round", "run"] = Field("round", description="a new container per round or per run")
    memory_bytes: int = Field(2 << 30, ge=6 << 20, description="most memory of a run with all its processes")
    network: Literal["none", "default"] = Field("none", description="network while running")
    service: ServiceTable | None = Field(None, description="what is there while the command puts load on it")
    services: list[ServiceTable] = Field(
        default=[], description="several, started in this order; the last is the one that is looked at and profiled"
    )

    sizes: list[int] = Field(
        default=[],
        max_length=MOST_SIZES,
        description="sizes of the work, ascending: the command is run at each, {size} "
        "replaced, and a metric from growth tells how time grows",
    )
    size_zero: bool = Field(default=False, description="also run it at size 0, which tells its fixed cost")
    client: ClientTable | None = Field(None, description="where the command puts load from; needs a service")

    @model_validator(mode="after")
    def _services_fit(self) -> "RunTable":
        if self.service and self.services:
            raise ValueError("write either [run.service] or [[run.services]], not both")
        if found := self.all_services():
            check_services(found, (*self.command, *self.env.values()))
        check_sizes(self.sizes, (*self.command, *self.env.values()), zero=self.size_zero)
        return self

    def words(self) -> tuple[str, ...]:
        """Whatever placeholders can stand in, what is done beforehand apart."""
        own = [word for each in self.all_services() for word in (*each.command, *each.ready.words, *each.env.values())]
        return (*self.command, *self.env.values(), *own)

    def all_services(self) -> tuple[Service, ...]:
        """The services as values, in their order."""
        return tuple(table.to_core() for table in ([self.service] if self.service else self.services))


class ProfileTable(_Table):
    """How both sides of a culprit are profiled."""

    profiler: Literal["auto", "py-spy", "pyinstrument", "perf", "none"] = Field(
        "auto", description="auto: what suits the command and is there"
    )
    rate_hz: int = Field(200, ge=1, le=10000, description="samples a second")
    captures: int = Field(3, ge=1, le=100, description="captures of each side; more tell more of what is noise")
    native: bool = Field(default=False, description="py-spy also tells the frames of C extensions")


class ScenarioFile(_Table):
    """A scenario file, schema version 1."""

    schema_: Literal[1] = Field(1, alias="schema", description="version of this format")
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=100, description="what it is called by")]
    description: Annotated[str, Field(max_length=2000, description="for people")] = ""
    build: BuildTable = Field(BuildTable(), description="how a checkout becomes something that runs")
    run: RunTable = Field(description="what is run, and within which limits")
    metrics: list[MetricTable] = Field(default=[], description="the run's wall time when left out")
    profile: ProfileTable = Field(ProfileTable(), description="how both sides of a culprit are profiled")
    data: list[DataTable] = Field(default=[], description="files that runs read, seen as {data.NAME}")

    @model_validator(mode="after")
    def _metric_names_differ(self) -> "ScenarioFile":
        check_state(self.run, self.run.words(), [each.name for each in self.data])
        names = [metric.name for metric in self.metrics]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two metrics are called {twice[0]!r}")
        for metric in self.metrics:
            check_source(metric, self.run)
        return self


def parse_scenario(text: bytes, *, where: str, files: str = "") -> Scenario:
    """The scenario in TOML `text`, read from `where`, its own files kept under the digest `files`.

    ScenarioError names every mistake with its place, and the nearest known key to an unknown one.
    """
    if len(text) > MOST_BYTES:
        raise ScenarioError(f"the scenario file has more than {MOST_BYTES} bytes", where=where)
    try:
        table = tomllib.loads(text.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ScenarioError(f"not a TOML file: {error}", where=where) from None
    return scenario_from(table, where=where, files=files)


def scenario_from(table: Mapping[str, Any], *, where: str, files: str = "") -> Scenario:
    """The scenario in a parsed table; errors as `parse_scenario`."""
    try:
        parsed = ScenarioFile.model_validate(table)
    except ValidationError as error:
        problems = "; ".join(_problems(error))
        advice = "See `bisector scenario schema` for every key"
        raise ScenarioError(problems, where=where, then=advice) from None
    return _to_core(parsed, files)


def scenario_schema() -> dict[str, Any]:
    """The JSON Schema of scenario files."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **ScenarioFile.model_json_schema(by_alias=True),
        "title": "bisector scenario, schema version 1",
    }


def _to_core(parsed: ScenarioFile, files: str) -> Scenario:
    build, run = parsed.build, parsed.run
    return Scenario(
        name=parsed.name,
        description=parsed.description,
        build=BuildRecipe(
            image=build.image,
            dockerfile=build.dockerfile,
            candidate_dockerfile=build.candidate_dockerfile,
            steps=tuple(build.steps),
            network=build.network,
            timeout_seconds=build.timeout_seconds,
            env=dict(build.env),
            patches=tuple(Patch(file=patch.file, when=patch.when) for patch in build.patches),
            dependency_files=tuple(build.dependency_files),
            dependency_steps=tuple(build.dependency_steps),
            submodules=build.submodules,
            lfs=build.lfs,
            as_of=build.as_of,
            constraints=build.constraints,
            prebuilt=build.to_prebuilt(),
        ),
        run=RunRecipe(
            **{
                **run.model_dump(exclude={"service"}),
                "client": run.client.image if run.client else "",
                "command": tuple(run.command),
                "setup": tuple(run.setup),
                "prepare": tuple(run.prepare),
                "services": run.all_services(),
                "sizes": tuple(run.sizes),
                "data": tuple(each.to_core() for each in parsed.data),
            }
        ),
        metrics=with_sizes([metric_of(metric, run) for metric in parsed.metrics], run.sizes, zero=run.size_zero)
        or (WALL,),
        profile=ProfileRecipe(**parsed.profile.model_dump()),
        files=files,
    )


def _problems(error: ValidationError) -> Iterable[str]:
    for problem in error.errors():
        place = ".".join(str(part) for part in problem["loc"]) or "the file"
        if problem["type"] == "extra_forbidden":
            yield f"unknown key {place}{_nearest(problem['loc'])}"
        elif problem["type"] == "missing":
            yield f"{place} is missing"
        else:
            yield f"{place}: {problem['msg'].removeprefix('Value error, ')}"


_TABLES: dict[str, type[_Table]] = {
    "build": BuildTable,
    "run": RunTable,
    "metrics": MetricTable,
    "profile": ProfileTable,
    "patches": PatchTable,
    "data": DataTable,
    "client": ClientTable,
    "service": ServiceTable,
    "services": ServiceTable,
    "ready": ReadyTable,
}


def _nearest(location: tuple[int | str, ...]) -> str:
    """A hint at the known key that an unknown one is closest to, in its own table or else in another."""
    *above, key = [str(part) for part in location if not isinstance(part, int)]
    own = _TABLES.get(above[-1], ScenarioFile) if above else ScenarioFile
    names = [field.alias or name for name, field in own.model_fields.items()]
    near = get_close_matches(key, names, 1)
    if near:
        return f"; did you mean {near[0]!r}?"
    for table, model in _TABLES.items():
        if key in model.model_fields:
            return f"; it belongs in [{table}]"
    return f"; known keys here: {', '.join(names)}"
