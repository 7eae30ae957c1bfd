"""What a runner is asked for, and what it answers."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

from bisector.core.model.builds import Build
from bisector.core.model.samples import Outcome, Usage
from bisector.core.model.scenario import BuildRecipe, RunRecipe
from bisector.core.model.units import Seconds

Archive = Callable[[], AbstractContextManager[BinaryIO]]
"""Opens a tar stream of a tree, without `.git`, every file of it, with one fixed modification time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BuildOrder:
    """What to build: the candidate's files, the recipe, the scenario's own files and where the log goes.

    `layer` is the build of the dependencies that this one starts from, where the recipe tells them apart.
    """

    key: str
    recipe: BuildRecipe
    python: bool
    source: Archive
    files: Path | None
    image_id: str | None
    log: Path
    layer: Build | None = None
    leave_cpus: int = 0
    """Of the machine's last processors so many are left alone: something is measured there. The build then takes the
    others, and gives way to whoever else wants them."""
    layout: int = 0
    """What the steps are told to lay out code by: 0 as it stands, else drawn for this build."""
    clean: bool = False
    """Whether to do without what is kept from other builds: caches of downloads, layers of a Dockerfile."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunOrder:
    """What to run, and which files under {out} to bring back; `size:PATH` stands for how many bytes the file or
    directory at PATH of the checkout has.

    With `beside_hz` perf records the run from outside, so many times a second: the run's first process stops itself
    until it is found, and `profile` comes back among the files (gzipped text of `perf script`).
    """

    recipe: RunRecipe
    files: Path | None
    collect: tuple[str, ...] = ()
    beside_hz: int = 0
    lane: int = 0
    """Which group of processors to run on: 0 the machine's last ones, 1 those before them."""
    data: Mapping[str, Path] = field(default_factory=dict)
    """The recipe's data sets, by name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunRecord:
    """What one process run did. `stdout` and `stderr` hold the last part of each when they were long.

    `files` are those asked for that the run wrote as regular files; `usage` is None where the process never ran.
    """

    outcome: Outcome
    usage: Usage | None = None
    exit_code: int | None = None
    stdout: bytes = b""
    stderr: bytes = b""
    files: Mapping[str, bytes] = field(default_factory=lambda: MappingProxyType({}))
    reason: str = ""
    disturbed: str = ""
    """What else took its processors, or slowed them down."""
    logs: Mapping[str, bytes] = field(default_factory=lambda: MappingProxyType({}))
    """The ends of what its services wrote, by their names, where the run did not end well."""
    prepared: Seconds = 0.0
    """How long setting up and preparing took before it."""
