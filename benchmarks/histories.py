"""Made-up repositories for benchmarks: one line of commits, of which those from a known one on are worse."""

import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

Files = Callable[[int], Mapping[str, str]]
"""The files that the commit of a number writes, by their names."""


def culprit_of(commits: int) -> int:
    """The number of the first commit of the worse level: just after two thirds."""
    return commits * 2 // 3 + 1


def subject_of(number: int) -> str:
    """The subject of the commit of that number."""
    return f"c{number:04}"


def make_history(place: Path, commits: int, files: Files) -> None:
    """A repository at `place`: branch `main` with so many commits on top of the first, number 0."""
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main", str(place)], check=True)
    stream = "".join(_stream(commits, files))
    subprocess.run(["git", "-C", str(place), "fast-import", "--quiet"], input=stream, text=True, check=True)


def _stream(commits: int, files: Files) -> Iterator[str]:
    for number in range(commits + 1):
        person = f"A <a@example.org> {1_600_000_000 + number * 600} +0000"
        subject = subject_of(number)
        written = files(number).items()
        listed = "".join(f"M 100644 inline {name}\ndata {len(text)}\n{text}\n" for name, text in written)
        yield f"commit refs/heads/main\nauthor {person}\ncommitter {person}\ndata {len(subject)}\n{subject}\n{listed}\n"
