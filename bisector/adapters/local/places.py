"""Where things lie below the cache, and how they are taken away again."""

import os
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path

from bisector.adapters import durable
from bisector.adapters.measure.places import Places
from bisector.core.model.units import Bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class BuildPlace:
    """The directory of one build. Its path never changes: a virtual environment cannot be moved."""

    root: Path

    @property
    def source(self) -> Path:
        """The checkout."""
        return self.root / "source"

    @property
    def scenario(self) -> Path:
        """The scenario's files."""
        return self.root / "scenario"

    @property
    def venv(self) -> Path:
        """The virtual environment, where the build has one."""
        return self.root / "venv"

    @property
    def scratch(self) -> tuple[Path, Path, Path]:
        """Home, temporary files and {out} of the steps; gone when the build is done."""
        return self.root / "home", self.root / "tmp", self.root / "out"

    @property
    def complete(self) -> Path:
        """Written last: without it there is no build here, only the remains of one."""
        return self.root / "complete"

    def places(self, out: Path, tools: Path) -> Places:
        """Where a recipe's words find things."""
        return Places(source=str(self.source), scenario=str(self.scenario), out=str(out), tools=str(tools))


@dataclass(frozen=True, kw_only=True, slots=True)
class Cache:
    """The layout of the cache directory."""

    root: Path

    def build(self, key: str) -> BuildPlace:
        """The place of the build with this key."""
        return BuildPlace(root=self.builds / key)

    def lock(self, key: str) -> Path:
        """The lock of the build with this key: exclusive while it is made or removed, shared while it is run."""
        return self.root / "locks" / f"local-{key}"

    @property
    def builds(self) -> Path:
        """All builds."""
        return self.root / "builds"

    @property
    def sessions(self) -> Path:
        """Scratch directories of runs, by the process that makes them."""
        return self.root / "sessions"

    @property
    def owners(self) -> Path:
        """Locks that say which processes live."""
        return self.root / "owners"


def size_of(path: Path) -> Bytes:
    """What a directory takes on the disk."""
    total = 0
    for at, directories, names in os.walk(path):
        total += sum(512 * os.lstat(os.path.join(at, name)).st_blocks for name in (*directories, *names))
    return total


def remove_tree(path: Path) -> None:
    """Remove a directory, also one that was made read-only, at once from where others look for it."""
    doomed = path.with_name(f".doomed-{uuid.uuid4().hex}")
    try:
        path.rename(doomed)
    except FileNotFoundError:
        return
    with durable.step("remove a directory"):
        purge(doomed)


def purge(path: Path) -> None:
    """Remove a directory where it is, also one that was made read-only."""
    for at, directories, _ in os.walk(path):
        for name in directories:
            below = os.path.join(at, name)
            if not os.path.islink(below):
                os.chmod(below, 0o700)
    shutil.rmtree(path, ignore_errors=True)
