"""A virtual environment per build, made in a fraction of what `python -m venv` takes."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import venv
from pathlib import Path

from bisector.adapters import durable
from bisector.adapters.measure.lock import locked
from bisector.core.model.units import Seconds
from bisector.engine.stop import StopSignal

GIVEN = "bisector-given.pth"
"""In a build's site-packages: where the packages lie that it was given, pip among them."""
_MAKING_LIMIT: Seconds = 120.0
_PIP_SCRIPT = """#!{python}
import sys
from pip._internal.cli.main import main
if __name__ == "__main__":
    sys.exit(main())
"""


def make_venv(directory: Path, cache: Path, stop: StopSignal, *, pip: bool) -> bool:
    """Make a virtual environment of this Python at `directory`; whether it has the pip that was asked for.

    Installing pip into each takes two seconds, and copying it a thousand files. One copy, made earlier, lies on the
    path of all: what a build installs comes before it there and goes into the build's own directory, since pip takes
    nothing away outside of its environment. The path is relative, so that the build is the same wherever the cache is;
    it is a plain path, which pip leaves out where it builds a package apart from what is installed.
    """
    venv.EnvBuilder(symlinks=True, with_pip=False).create(directory)
    if not pip:
        return True
    packages = _template(cache, stop)
    if packages is None:
        return False
    own = _site_packages(directory)
    (own / GIVEN).write_text(os.path.relpath(packages, own) + "\n")
    for name in ("pip", "pip3"):
        script = directory / "bin" / name
        script.write_text(_PIP_SCRIPT.format(python=directory / "bin" / "python"))
        script.chmod(0o755)
    return True


def given_packages(directory: Path) -> Path | None:
    """Where the packages lie that the environment at `directory` was given; None where it was given none."""
    own = _site_packages(directory)
    try:
        return own / (own / GIVEN).read_text().rstrip("\n")
    except OSError:
        return None


def _site_packages(directory: Path) -> Path:
    variables = {"base": str(directory), "platbase": str(directory)}
    return Path(sysconfig.get_path("purelib", scheme="venv", vars=variables))


def _template(cache: Path, stop: StopSignal) -> Path | None:
    """The packages of a new virtual environment, pip among them, kept for all builds; None where Python has no pip."""
    kept = cache / "venv" / f"{sys.implementation.cache_tag}-{sys.version_info.micro}"
    with locked(cache / "locks" / f"venv-{kept.name}", stop):
        if not kept.is_dir():
            kept.parent.mkdir(parents=True, exist_ok=True)
            for left_over in kept.parent.glob("making-*"):
                shutil.rmtree(left_over, ignore_errors=True)
            with tempfile.TemporaryDirectory(dir=kept.parent, prefix="making-") as making:
                if not _make_with_pip(Path(making)):
                    return None
                with durable.step("name the packages"):
                    os.rename(_site_packages(Path(making)), kept)
    return kept


def _make_with_pip(directory: Path) -> bool:
    venv.EnvBuilder(symlinks=True, with_pip=False, clear=True).create(directory)
    command = [str(directory / "bin" / "python"), "-Im", "ensurepip", "--default-pip"]
    env = {"PATH": os.defpath, "HOME": str(directory)}
    try:
        return subprocess.run(command, capture_output=True, timeout=_MAKING_LIMIT, check=False, env=env).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
