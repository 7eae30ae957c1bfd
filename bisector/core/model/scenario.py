"""A scenario: what to build, what to run, what to read, how to profile it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Literal

from bisector.core.model.prebuilt import Prebuilt
from bisector.core.model.state import DataSet
from bisector.core.model.units import Bytes, Seconds, digest

_PIP = re.compile(r"\bpip[0-9.]*\s(?:.*\s)?(?:install|sync)\b", re.DOTALL)


class Better(StrEnum):
    """Which way a metric improves."""

    LOWER = "lower"
    HIGHER = "higher"


class Direction(StrEnum):
    """Which change is looked for at the bad end, in the words of the metric."""

    WORSE = "worse"
    BETTER = "better"
    EITHER = "either"


@dataclass(frozen=True, kw_only=True, slots=True)
class Patch:
    """A fix-up applied to a candidate before it is built, where it applies."""

    file: str
    when: Literal["applies", "always"] = "applies"


@dataclass(frozen=True, kw_only=True, slots=True)
class BuildRecipe:
    """How a checkout becomes something that runs. `image` is what the author named, not yet resolved to an id."""

    image: str | None = None
    dockerfile: str | None = None
    candidate_dockerfile: str | None = None
    steps: tuple[str, ...] = ()
    network: Literal["default", "none"] = "default"
    timeout_seconds: Seconds = 900.0
    env: Mapping[str, str] = field(default_factory=dict)
    patches: tuple[Patch, ...] = ()
    dependency_files: tuple[str, ...] = ()
    """Files of the checkout that say what `dependency_steps` install: equal files share one installation."""
    dependency_steps: tuple[str, ...] = ()
    submodules: Literal["leave-out", "refuse", "fetch"] = "leave-out"
    """What becomes of submodules: empty directories, a commit that cannot be tested, or their own files."""
    lfs: Literal["leave-out", "refuse"] = "leave-out"
    """What becomes of files that Git LFS keeps elsewhere: their pointers, or a commit that cannot be tested."""
    as_of: str = ""
    """The moment, in UTC, as of which the steps resolve packages; "" for now."""
    constraints: str = ""
    """The scenario's file of versions that the steps are held to; "" for none."""

    held: str = ""
    """The file of the checkout, put there by us, with the versions that the steps are held to; "" for none."""
    prebuilt: Prebuilt | None = None
    """What is taken in place of building; nothing of the checkout is in it."""

    @property
    def needs_docker(self) -> bool:
        """Whether what runs can only be an image."""
        return bool(self.dockerfile or self.candidate_dockerfile or (self.prebuilt and self.prebuilt.image))

    @property
    def installs_by_pip(self) -> bool:
        """Whether the steps resolve packages by pip or uv, and nothing else does: then their environment can hold
        them to versions."""
        steps = (*self.dependency_steps, *self.steps)
        return not (self.dockerfile or self.candidate_dockerfile) and any(_PIP.search(step) for step in steps)

    def identity(self) -> str:
        """What of the recipe makes two builds of one tree differ, as a digest."""
        return digest(
            self.dockerfile or "",
            self.candidate_dockerfile or "",
            *self.steps,
            "--env",
            *(f"{name}={value}" for name, value in sorted(self.env.items())),
            "--patches",
            *(f"{patch.file} {patch.when}" for patch in self.patches),
            "--network",
            self.network,
            *self._dependencies(),
            *self._kept_elsewhere(),
            *(("--as-of", self.as_of) if self.as_of else ()),
            *(("--constraints", self.constraints) if self.constraints else ()),
            *(("--held", self.held) if self.held else ()),
            *(self.prebuilt.identity() if self.prebuilt else ()),
        )

    def held_to(self, file: str) -> "BuildRecipe":
        """The recipe with its steps held to the versions in a file of the checkout."""
        files = (*self.dependency_files, file) if self.dependency_steps else ()
        return replace(self, held=file, dependency_files=files)

    def dependencies_alone(self) -> "BuildRecipe":
        """What installs the dependencies: from their own files, which have been patched and are all there is."""
        return BuildRecipe(
            image=self.image,
            dockerfile=self.dockerfile,
            candidate_dockerfile=self.candidate_dockerfile,
            steps=self.dependency_steps,
            network=self.network,
            timeout_seconds=self.timeout_seconds,
            env=self.env,
            as_of=self.as_of,
            constraints=self.constraints,
            held=self.held,
        )

    def _dependencies(self) -> tuple[str, ...]:
        """Nothing where there are none: builds of earlier versions keep their keys."""
        if not self.dependency_steps:
            return ()
        return ("--dependencies", *self.dependency_files, "--by", *self.dependency_steps)

    def _kept_elsewhere(self) -> tuple[str, ...]:
        """Nothing by default, for the same reason."""
        ways = (f"submodules {self.submodules}", f"lfs {self.lfs}")
        return () if (self.submodules, self.lfs) == ("leave-out", "leave-out") else ("--elsewhere", *ways)


class Probe(StrEnum):
    """How it is told that a service is ready."""

    TCP = "tcp"
    HTTP = "http"
    LOG = "log"
    COMMAND = "command"


@dataclass(frozen=True, kw_only=True, slots=True)
class Ready:
    """What is asked until a service is ready: a port; a port and a path; a text in its log; or a command."""

    probe: Probe
    words: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Service:
    """What is there while a run's command puts load on it. {port} in its words is a free port chosen for every run."""

    name: str
    command: tuple[str, ...]
    ready: Ready
    env: Mapping[str, str] = field(default_factory=dict)
    ready_seconds: Seconds = 30.0
    stop_seconds: Seconds = 10.0
    stop_signal: str = "SIGTERM"
    metrics: tuple[str, ...] = ()
    """Port and path where it tells of itself, asked before and after the command; () for nowhere."""
    around: tuple[str, ...] = ()
    """What is put before the command for a profile: what is told to stop is the command, not this."""

    def identity(self) -> str:
        """What of it makes samples incomparable when it differs, as a digest."""
        env = (f"{name}={value}" for name, value in sorted(self.env.items()))
        ready = (self.ready.probe, *self.ready.words)
        metrics = ("--metrics", *self.metrics) if self.metrics else ()
        return digest(self.name, *self.command, "--env", *env, "--ready", *ready, "--stop", self.stop_signal, *metrics)


@dataclass(frozen=True, kw_only=True, slots=True)
class RunRecipe:
    """One process run. In `command` (an argument list) and `env`, {scenario}, {source} and {out} are replaced.

    With `services` the command is what puts load on them. They are started anew for every run, in their order; the
    last is the one that is looked at: processor time, memory and profile are its.
    """

    command: tuple[str, ...]
    timeout_seconds: Seconds = 120.0
    warmup_runs: int | None = None
    """Of a session; None for one until the runs show that none is needed."""
    env: Mapping[str, str] = field(default_factory=dict)
    cpus: int = 1
    timeout_is: Literal["censored", "untestable"] = "censored"
    fresh: Literal["round", "run"] = "round"
    memory_bytes: Bytes = 2 << 30
    network: Literal["none", "default"] = "none"
    services: tuple[Service, ...] = ()
    sizes: tuple[int, ...] = ()
    """With sizes the command is run at each of them in one run, {size} in its words and `env` replaced."""
    size_zero: bool = False
    """Whether it is run at size 0 as well, first: what that takes is no growth."""
    setup: tuple[str, ...] = ()
    """Shell lines run once in a new container, before its first run."""
    prepare: tuple[str, ...] = ()
    """Shell lines run before every run and its services; what they and the setup leave in {state} is kept for it."""
    setup_seconds: Seconds = 600.0
    prepare_seconds: Seconds = 60.0
    seed: int | None = None
    """Told to everything that runs."""
    data: tuple[DataSet, ...] = ()
    client: str = ""
    """The image that the command runs in, beside the services; "" for the one that they run in."""
    target: str = ""
    """The address of what is running already, in place of the services: {target} in the words; "" for their own."""

    @property
    def all_sizes(self) -> tuple[int, ...]:
        """The sizes in the order in which they are run."""
        return (0, *self.sizes) if self.size_zero else self.sizes

    @property
    def keeps_state(self) -> bool:
        """Whether something lies in {state} that outlasts a run."""
        return bool(self.setup or self.prepare)

    @property
    def looked_at(self) -> tuple[str, ...]:
        """The command whose work is looked at: the last service's, where there is any."""
        return self.services[-1].command if self.services else self.command

    @property
    def opening_runs(self) -> int:
        """Warm-up runs of a session before anything is known of its runs."""
        return 1 if self.warmup_runs is None else self.warmup_runs

    def identity(self) -> str:
        """What of the recipe makes samples incomparable when it differs, as a digest."""
        return digest(
            *self.command,
            "--env",
            *(f"{name}={value}" for name, value in sorted(self.env.items())),
            "--limits",
            str(self.cpus),
            str(self.memory_bytes),
            self.network,
            self.fresh,
            str(self.opening_runs),
            *(service.identity() for service in self.services),
            *(("--sizes", *map(str, self.all_sizes)) if self.sizes else ()),
            *self._state(),
        )

    def aimed(self, target: str) -> "RunRecipe":
        """The load alone, on what runs at the address `target`."""
        return replace(self, services=(), target=target, network="default")

    def _state(self) -> tuple[str, ...]:
        """Nothing where there is none: samples of earlier versions stay comparable."""
        told = ("--setup", *self.setup, "--prepare", *self.prepare) if self.keeps_state else ()
        seed = ("--seed", str(self.seed)) if self.seed is not None else ()
        told += ("--client", self.client) if self.client else ()
        return (*told, *seed, *(f"--data {each.name} {each.sha256}" for each in self.data))


@dataclass(frozen=True, kw_only=True, slots=True)
class Metric:
    """One number a run yields: where it is read, which way it improves, what change is worth naming."""

    name: str
    source: str = "json"
    file: str = ""
    select: str = ""
    quantity: str = ""
    """Which of a benchmark's figures; what the tool is there to measure when left out."""
    statistic: str = "median"
    """How the inner values of a run become one: median, mean, min, max, p95, or the share of them within a limit."""
    unit: str = ""
    better: Better = Better.LOWER
    min_effect: float = 0.03
    if_printed: bool = False
    """Asked only if the very first run yields it; else the scenario's next metric takes its place."""
    exact: bool = False
    """The metric is a counter without run-to-run noise: one run a commit tells its value."""
    allow_failures: float = 0.0
    """How large a share of its own operations may have failed in a run that still has a result."""
    tool: Literal["auto", "perf", "valgrind"] = "auto"
    """What counts it, where it is a counter that several tools can count."""

    def reading(self) -> str:
        """How it is read, as text: values read in different ways are not compared."""
        # Nothing more by default: samples of earlier versions stay comparable.
        quantity = f" {self.quantity}" if self.quantity else ""
        failures = f" --allow-failures {self.allow_failures!r}" if self.allow_failures else ""
        return f"{self.name} {self.source} {self.file} {self.select} {self.statistic}{quantity}{failures}"


CRASHED = Metric(name="crashed")
"""What a run is judged by where it is the failing that is searched for: 1 for a run that failed, else 0."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProfileRecipe:
    """How the two sides of a culprit are profiled; `native` asks py-spy for frames of C extensions as well."""

    profiler: Literal["auto", "py-spy", "pyinstrument", "perf", "none"] = "auto"
    rate_hz: int = 200
    captures: int = 3
    native: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Scenario:
    """A parsed scenario. `files` is the digest under which the scenario's own files are kept ("" without any)."""

    name: str
    description: str = ""
    build: BuildRecipe
    run: RunRecipe
    metrics: tuple[Metric, ...]
    profile: ProfileRecipe = field(default_factory=ProfileRecipe)
    files: str = ""

    def metric(self, name: str) -> Metric:
        """The metric called `name`; KeyError when there is none."""
        for metric in self.metrics:
            if metric.name == name:
                return metric
        raise KeyError(name)

    def needs_fresh_container(self) -> bool:
        """A peak that an earlier run in the same container could have raised is read from a new one every time."""
        return self.run.fresh == "run" or any(metric.source == "peak_memory" for metric in self.metrics)

    def run_recipe(self) -> RunRecipe:
        """The run as it is carried out: in a container of its own every time where the scenario needs that."""
        return replace(self.run, fresh="run") if self.needs_fresh_container() else self.run

    def uses_python(self) -> bool:
        """Whether the steps or the command call Python, so that a local build wants a virtual environment."""
        started = (self.run.command, *(service.command for service in self.run.services))
        words = " ".join((*self.build.dependency_steps, *self.build.steps, *(each[0] for each in started if each)))
        return any(name in words for name in ("python", "pip", "pytest", "uv "))
