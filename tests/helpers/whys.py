"""`bisector profile` on two commits made for a test, and what it prints."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.helpers.installs import Install
from tests.helpers.planted import Files, Planted
from tests.helpers.repositories import Sandbox

_SUSPECT = re.compile(r"\s*([\d.]+) % +(.+?)(?: \(([^()]+)\))?: (.+ → .+)")


@dataclass(frozen=True, kw_only=True)
class Told:
    """What was printed: the suspects as (function, file), with their own words, and everything."""

    suspects: tuple[tuple[str, str], ...]
    words: tuple[str, ...]
    text: str
    seconds: float = 0.0

    @property
    def findings(self) -> tuple[str, ...]:
        """The sentences that begin with a dash."""
        return tuple(line[2:] for line in self.text.splitlines() if line.startswith("- "))


def committed(top: Path, before: Files, after: Files) -> Sandbox:
    """A repository with two commits, tagged before and after."""
    sandbox = Sandbox.make(top)
    for name, files in (("before", before), ("after", after)):
        sandbox.commit(name, files)
        sandbox.git("tag", name)
    return sandbox


def explained(install: Install, planted: Planted, *, runner: str = "local", rate_hz: int = 500) -> Told:
    """What `bisector profile` says of the planted change, for real."""
    sandbox = committed(install.top / "repository", planted.before, planted.after)
    scenario = install.top / "scenario.toml"
    scenario.write_text(planted.scenario(rate_hz))
    where: Mapping[str, str | Path] = {"--repo": sandbox.top, "--scenario": scenario, "--runner": runner}
    options = [part for option in where.items() for part in option]
    done = install.run("profile", "before", "after", *options, "--report", install.top / "out")
    assert done.code == 0, done.err
    return told(done.out)


def told(text: str) -> Told:
    """What a printed section says."""
    joined = re.sub(r"\n {2,9}(?=\S)(?! *[\d.]+ % )", " ", text)
    found = [match for line in joined.splitlines() if (match := _SUSPECT.fullmatch(line))]
    suspects = tuple((match[2], (match[3] or "").partition(":")[0]) for match in found)
    return Told(suspects=suspects, words=tuple(match[4] for match in found), text=joined)
