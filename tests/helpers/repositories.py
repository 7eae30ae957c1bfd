"""Real git repositories for tests, made in a directory of the test."""

import os
import stat
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bisector.core.model.units import Sha, parse_sha

EPOCH = 1_600_000_000
_ENVIRONMENT = {
    "PATH": os.defpath,
    "HOME": "/nonexistent",
    "LC_ALL": "C.UTF-8",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": "Ann Author",
    "GIT_AUTHOR_EMAIL": "ann@example.org",
    "GIT_COMMITTER_NAME": "Carl Committer",
    "GIT_COMMITTER_EMAIL": "carl@example.org",
}


def run_git(directory: Path, *arguments: str | bytes, given: bytes = b"", fails: bool = False, **variables: str) -> str:
    """git's output, one line's end taken off; anything it does not end well with fails the test unless it may."""
    everything = {**_ENVIRONMENT, **variables}
    command = ["git", *arguments]
    done = subprocess.run(command, cwd=directory, env=everything, input=given, capture_output=True, check=False)
    assert fails or done.returncode == 0, (arguments, done.stderr.decode(errors="replace"))
    return os.fsdecode(done.stdout).removesuffix("\n")


@dataclass
class Sandbox:
    """A repository with a work tree. Its clock goes on by a minute with every commit."""

    top: Path
    now: int = EPOCH

    @classmethod
    def make(cls, top: Path) -> "Sandbox":
        """An empty one at `top`, its branch called main."""
        top.mkdir(parents=True, exist_ok=True)
        run_git(top, "init", "--quiet", "--initial-branch=main", "--template=")
        return cls(top)

    def git(self, *arguments: str | bytes, given: bytes = b"", fails: bool = False, **variables: str) -> str:
        """git's output in the work tree."""
        dates = {"GIT_AUTHOR_DATE": f"{self.now} +0000", "GIT_COMMITTER_DATE": f"{self.now} +0000"}
        return run_git(self.top, *arguments, given=given, fails=fails, **{**dates, **variables})

    def write(self, files: Mapping[str, str | bytes]) -> None:
        """Write files into the work tree."""
        for name, content in files.items():
            path = self.top / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)

    def commit(self, subject: str, files: Mapping[str, str | bytes] | None = None) -> Sha:
        """Commit everything in the work tree; without `files` a file named after the subject is added."""
        self.write(files if files is not None else {f"{subject}.txt": f"{subject}\n"})
        self.now += 60
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", subject)
        return self.sha("HEAD")

    def commits(self, *subjects: str) -> list[Sha]:
        """One commit for each subject."""
        return [self.commit(subject) for subject in subjects]

    def branch(self, name: str, at: str) -> None:
        """Go on with a new branch that starts at `at`."""
        self.git("checkout", "--quiet", "-b", name, at)

    def switch(self, name: str) -> None:
        """Go on with an existing branch."""
        self.git("checkout", "--quiet", name)

    def merge(self, *refs: str, subject: str = "merge") -> Sha:
        """Merge into the present branch, always with a merge commit."""
        self.now += 60
        self.git("merge", "--quiet", "--no-ff", "-m", subject, *refs)
        return self.sha("HEAD")

    def sha(self, ref: str) -> Sha:
        """The object that `ref` names."""
        return parse_sha(self.git("rev-parse", "--verify", ref))

    def tree(self, ref: str) -> Sha:
        """The tree of a commit."""
        return self.sha(f"{ref}^{{tree}}")


@dataclass(frozen=True)
class Node:
    """A commit of a made-up graph: parents by position, and what differs from the first of them."""

    parents: tuple[int, ...] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)
    time: int = EPOCH


def make_graph(top: Path, nodes: Sequence[Node]) -> list[Sha]:
    """A bare repository with these commits, each on a branch of its own; their names in order."""
    top.mkdir(parents=True, exist_ok=True)
    run_git(top, "init", "--quiet", "--bare", "--template=")
    stream = b"".join(_imported(number, node) for number, node in enumerate(nodes))
    run_git(top, "fast-import", "--quiet", "--date-format=raw-permissive", "--export-marks=marks", given=stream)
    marks = dict(line.split(" ") for line in (top / "marks").read_text().splitlines())
    return [parse_sha(marks[f":{number + 1}"]) for number in range(len(nodes))]


def _imported(number: int, node: Node) -> bytes:
    lines = [f"commit refs/heads/c{number}", f"mark :{number + 1}", f"committer C <c@example.org> {node.time} +0000"]
    lines += [f"data {len(str(number))}", str(number)]
    lines += [f"{'merge' if place else 'from'} :{parent + 1}" for place, parent in enumerate(node.parents)]
    changes = [
        f"M 100644 inline {_quoted(name)}\ndata {len(content)}\n".encode() + content + b"\n"
        for name, content in node.files.items()
    ]
    return "\n".join(lines).encode() + b"\n" + b"".join(changes) + b"\n"


def _quoted(name: str) -> str:
    return name.replace("\n", "\\n").join('""')


def everything_in(top: Path) -> dict[str, tuple[int, int, bytes]]:
    """Mode, modification time and content of every file, link and directory below `top`."""
    found = {}
    for path in sorted([top, *top.rglob("*")]):
        about = path.lstat()
        if stat.S_ISLNK(about.st_mode):
            content = os.fsencode(os.readlink(path))
        else:
            content = path.read_bytes() if stat.S_ISREG(about.st_mode) else b""
        found[os.fsdecode(path)] = (about.st_mode, about.st_mtime_ns, content)
    return found
