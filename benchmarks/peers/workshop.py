"""What all plays share: the programs that are compared, the libraries that the projects want, and counting scripts."""

import os
import subprocess
import sys
import venv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers.cases import Case

ROOT = Path(__file__).parent.parent.parent
PEERS_OF_PIP = ("asv", "virtualenv", "git-bayesect")
BUILD = """\
#!/bin/sh
echo build >>{counts}
for place in src/{package} {package}; do
    if [ -e "$place/__init__.py" ]; then exec {python} -m compileall -q -f "$place"; fi
done
"""
BENCH = """\
#!/bin/sh
echo run >>{counts}
PYTHONHASHSEED=0 PYTHONPATH="$PWD/src:$PWD" exec {python} {bench}
"""
BISECTOR = """\
#!/bin/sh
PYTHONPATH={root} exec {python} -P -c 'from bisector.cli import main; main()' "$@"
"""


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """`programs` comes first in the path of every session; `python` runs the benchmarks."""

    programs: tuple[Path, ...]
    python: Path

    def environment(self, settings: Mapping[str, str]) -> dict[str, str]:
        """A session's environment."""
        path = os.pathsep.join([*map(str, self.programs), os.environ["PATH"]])
        return {**os.environ, **settings, "PATH": path}

    def scripts(self, case: Case, space: Path) -> dict[str, str]:
        """The build and the benchmark of a case, which write down each time they are called, by their variables."""
        words = {"counts": space / "counts", "package": case.package, "python": self.python, "bench": case.bench}
        return {
            "BUILD": str(_program(space / "build", BUILD.format(**words))),
            "BENCH": str(_program(space / "bench", BENCH.format(**words))),
        }


def open_workshop(work: Path, cases: Sequence[Case], *, peers: bool) -> Workshop:
    """Made once in `work`: bisector as it is in this checkout, and from the package index what else is needed."""
    _program(work / "bin" / "bisector", BISECTOR.format(root=ROOT, python=sys.executable))
    libraries = sorted({library for case in cases for library in case.libraries})
    programs = [work / "bin"]
    if peers:
        programs.append(_installed(work / "peers", PEERS_OF_PIP))
    python = _installed(work / "libraries", libraries) / "python" if libraries else Path(sys.executable)
    return Workshop(programs=tuple(programs), python=python)


def _installed(place: Path, packages: Sequence[str]) -> Path:
    """The programs of an environment with these packages."""
    done = place / "installed"
    wanted = "\n".join(packages)
    if not done.exists() or done.read_text() != wanted:
        venv.create(place, with_pip=True, clear=True)
        python = str(place / "bin" / "python")
        subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
        done.write_text(wanted)
    return place / "bin"


def _program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path
