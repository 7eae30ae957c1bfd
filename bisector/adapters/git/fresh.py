"""git itself, and repositories made from nothing: for `bisector doctor` and `bisector demo`."""

import re
from pathlib import Path

from bisector.adapters.git.command import Git
from bisector.engine.stop import StopSignal


def git_version() -> tuple[int, ...]:
    """The version of git, as numbers."""
    told = Git(directory=Path("/"), stop=StopSignal()).run("version").decode(errors="replace")
    found = re.search(r"\d+(?:\.\d+)+", told)
    return tuple(int(part) for part in found[0].split(".")) if found else ()


def make_repository(directory: Path, stream: bytes, stop: StopSignal) -> None:
    """A repository in `directory` with the history of a fast-import `stream`, its branch `main` checked out."""
    directory.mkdir(parents=True, exist_ok=True)
    git = Git(directory=directory, stop=stop)
    git.run("init", "--quiet", "--initial-branch=main")
    git.run("fast-import", "--quiet", given=stream)
    git.run("reset", "--hard", "--quiet", "main", "--")
