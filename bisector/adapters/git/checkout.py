"""A repository on this machine."""

import os
import re
import shlex
from dataclasses import dataclass, replace
from pathlib import Path

from bisector.adapters.git.command import Answer, Git
from bisector.adapters.git.mirror import Mirror
from bisector.adapters.git.names import resolve_name
from bisector.adapters.git.origin import Origin
from bisector.core.model.units import Sha
from bisector.engine.stop import StopSignal
from bisector.errors import RefError, UsageError

_QUESTIONS = (
    "--path-format=absolute",
    "--git-dir",
    "--git-common-dir",
    "--is-bare-repository",
    "--is-shallow-repository",
    "--show-object-format",
)
_UPLOAD_PACK = (
    "GIT_NO_REPLACE_OBJECTS=1 GIT_GRAFT_FILE=/nonexistent/grafts "
    f"git -c core.hooksPath={os.devnull} -c core.fsmonitor=false upload-pack"
)
"""git takes the variables that speak of a repository away from the one it fetches from; these two it must have."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkout:
    """A repository on this machine: `git` runs in it, `common` is what all its work trees share."""

    git: Git
    work_tree: Path | None
    git_dir: Path
    common: Path
    shallow: bool
    object_format: str

    @property
    def location(self) -> str:
        """Where it is, for whoever stands elsewhere."""
        return str(self.top)

    @property
    def places(self) -> tuple[str, ...]:
        """What the mirror is called by: all work trees share one, which each is led to when the repository is gone."""
        return tuple(dict.fromkeys((str(self.home), str(self.top))))

    @property
    def top(self) -> Path:
        """What a person calls the repository: the work tree they stand in, or the bare repository."""
        return self.work_tree or self.git_dir

    @property
    def home(self) -> Path:
        """The same for every work tree of one repository."""
        return self.common.parent if self.common.name == ".git" else self.common

    def origin(self) -> Origin:
        """Fetching from here; RefError from a shallow clone: its history has holes, and ranges in it are wrong."""
        if self.shallow:
            what = "the repository is a shallow clone, its history is not all there"
            advice = f"Get all of it with `git -C {shlex.quote(str(self.top))} fetch --unshallow`"
            raise RefError(what, where=self.location, then=advice)
        settings = (f"remote.source.uploadpack={_UPLOAD_PACK}",)
        trust = {name: value for name, value in self.git.environment.items() if name == "GIT_CONFIG_GLOBAL"}
        return Origin(url=str(self.common), protocols="file", settings=settings, environment=trust)

    def look_up(self, ref: str, mirror: Mirror) -> Sha:
        """The commit that `ref` names, in the mirror from now on; RefError when it names none."""
        origin = self.origin()
        sha = resolve_name(self.git, ref, where=self.location)
        mirror.bring(origin, sha)
        return sha


def find_checkout(location: Path, trust: Path, stop: StopSignal) -> Checkout:
    """The repository that `location` is in; UsageError when there is none, or it is another user's and not trusted.

    `trust` is where to keep the one exception that a person made for it, if any.
    """
    start = location.parent if location.name == ".git" else location
    git = Git(directory=start, stop=stop)
    answer = git.ask("rev-parse", *_QUESTIONS)
    if _says(answer, "cannot use bare repository"):
        git = replace(git, settings=("safe.bareRepository=all",))
        answer = git.ask("rev-parse", *_QUESTIONS)
    if _says(answer, "dubious ownership"):
        git = _trusting(git, trust, " ".join(answer.complaint))
        answer = git.ask("rev-parse", *_QUESTIONS)
    lines = os.fsdecode(answer.output).splitlines()
    if answer.status != 0 and not _says(answer, "not a git repository") and not _says(answer, "cannot use bare"):
        raise UsageError(f"the repository cannot be read: {' / '.join(answer.complaint)}", where=str(location))
    if len(lines) != len(_QUESTIONS) - 1:
        raise UsageError("there is no git repository", where=str(location), then="Name one with --repo PATH")
    git_dir, common, bare = Path(lines[0]), Path(lines[1]), lines[2] == "true"
    if bare and git_dir != start.resolve():
        raise UsageError("there is no git repository, though it lies inside a bare one", where=str(location))
    return Checkout(
        git=git,
        work_tree=None if bare else _work_tree(git, start),
        git_dir=git_dir,
        common=common,
        shallow=lines[3] == "true",
        object_format=lines[4],
    )


def _says(answer: Answer, text: str) -> bool:
    return answer.status != 0 and any(text in line for line in answer.complaint)


def _work_tree(git: Git, start: Path) -> Path | None:
    """The directory that holds the `.git` above `start`, None where `core.worktree` points at some other one: a
    repository must not choose which of a person's files are read."""
    answer = git.ask("rev-parse", "--path-format=absolute", "--show-toplevel")
    top = Path(os.fsdecode(answer.output).removesuffix("\n")) if answer.status == 0 else None
    place = start.resolve()
    holder = next((above for above in (place, *place.parents) if (above / ".git").exists()), None)
    return top if top == holder else None


def _trusting(git: Git, trust: Path, complaint: str) -> Git:
    """`git` with a global configuration that trusts this repository, if the person's own git does."""
    own = git.personal()
    found = own.ask("rev-parse", "--path-format=absolute", "--git-dir", "--git-common-dir")
    if found.status != 0:
        told = re.search(r"repository at '(.+?)'", complaint)
        place = told[1] if told else str(git.directory.resolve())
        advice = f"If you trust it, tell git so: git config --global --add safe.directory {shlex.quote(place)}"
        raise UsageError("the repository belongs to another user", where=place, then=advice)
    top = own.ask("rev-parse", "--path-format=absolute", "--show-toplevel")
    trust.parent.mkdir(parents=True, exist_ok=True)
    new = trust.with_name(f"{trust.name}.{os.getpid()}")
    new.unlink(missing_ok=True)
    for known in sorted({*os.fsdecode(found.output).splitlines(), *os.fsdecode(top.output).splitlines()}):
        git.run("config", "--file", str(new), "--add", "safe.directory", known)
    new.replace(trust)
    return replace(git, environment={**git.environment, "GIT_CONFIG_GLOBAL": str(trust)})
