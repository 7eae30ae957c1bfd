"""Builds: the key that says when two are the same, and what came of one."""

from dataclasses import dataclass, replace

from bisector.core.model.packages import Packages
from bisector.core.model.prebuilt import Taken
from bisector.core.model.request import Request, RunnerName
from bisector.core.model.samples import Outcome
from bisector.core.model.units import Seconds, digest

RECIPE_VERSION = "2"
"""Raised when the runners change how they build, so that older builds are not taken for new ones."""


def build_key(request: Request, tree: str, toolchain: str, number: int = 0) -> str:
    """The key under which the build of `tree` is kept: equal keys share one build, on every machine.

    `toolchain` is the base image's id, or for the local runner the host's interpreter and platform; `number` is 0 for
    the first build and counts up for builds that are made afresh on purpose.
    """
    return digest(
        RECIPE_VERSION,
        request.runner,
        tree,
        request.scenario.build.identity(),
        request.scenario.files,
        toolchain,
        "python" if request.scenario.uses_python() else "",
        str(number),
    )


def layer_key(request: Request, content: str, toolchain: str) -> str:
    """The key of the build of dependency files whose digest is `content`."""
    build = request.scenario.build
    alone = build.dependencies_alone()
    return digest(
        RECIPE_VERSION,
        "dependencies",
        request.runner,
        content,
        alone.identity(),
        request.scenario.files,
        toolchain,
        "python" if request.scenario.uses_python() else "",
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Build:
    """What came of building one tree.

    `handle` is the image id or the directory ("" when the build failed), `content` a digest of what the build made,
    without times and byte-code (None where it could not be had), `log` the artifact that holds its output.
    """

    key: str
    outcome: Outcome
    handle: str = ""
    content: str | None = None
    reason: str = ""
    log: str = ""
    seconds: Seconds = 0.0
    reused: bool = False
    runner: RunnerName | None = None
    """Who made it, and can remove it."""
    layer: str = ""
    """The key of the build of its dependencies that it was made from, where there was one."""
    patches: tuple[str, ...] = ()
    """The scenario's patches that the checkout was built with."""
    left_out: tuple[str, ...] = ()
    """What the checkout refers to and does not have: submodules and files of Git LFS."""
    clean: bool = False
    """Made once more because the first one failed: without caches, its dependencies installed anew."""
    packages: Packages | None = None
    """What it was resolved to from outside the repository; None where nobody looked."""
    taken: Taken | None = None
    """What was taken in place of building it; None where it was built."""

    @property
    def usable(self) -> bool:
        """Whether something can be run from it."""
        return self.outcome is Outcome.OK

    def made_by(self, runner: RunnerName) -> "Build":
        """The build with its maker's name on it."""
        return replace(self, runner=runner)

    def again(self) -> "Build":
        """The same build, used again without paying for it."""
        return replace(self, reused=True)


@dataclass(frozen=True, kw_only=True, slots=True)
class Elsewhere:
    """What a tree refers to and does not hold: paths of submodules, and of files that Git LFS keeps."""

    submodules: tuple[str, ...] = ()
    lfs: tuple[str, ...] = ()
    unfit: str = ""
    """Why no file system holds the tree itself; "" where one does."""
