"""bisector as a person has it: a command, a state and a cache directory, and what it left on a Docker engine."""

import contextlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import docker.errors
import pytest

from bisector.engine.stop import StopSignal
from bisector.settings import Settings
from bisector.wiring import Wiring

BASE_IMAGE = os.environ.get("BISECTOR_TEST_BASE_IMAGE", "python:3.11-slim")
BISECTOR = (sys.executable, "-c", "from bisector.cli import main; main()")
LIMIT_SECONDS = 480


@dataclass(frozen=True, kw_only=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str
    result: Mapping[str, Any]
    """The result JSON; empty where none was written."""

    @property
    def culprit(self) -> Mapping[str, Any]:
        """The only culprit."""
        assert (self.code, self.result.get("verdict")) == (0, "culprit"), self.out + self.err
        return self.found

    @property
    def found(self) -> Mapping[str, Any]:
        """What a search came down to: the only culprit, or the only set with the culprit in it."""
        assert (self.code, self.result.get("verdict")) in ((0, "culprit"), (0, "culprit_set")), self.out + self.err
        (found,) = self.result["culprits"]
        return dict(found)

    @property
    def noise(self) -> float:
        """The typical deviation of a run that the report tells, as a share; zero where it tells none."""
        told = re.search(r"^ *Noise +(?:< )?([\d.]+) % a run", self.out, re.MULTILINE)
        return float(told[1]) / 100 if told else 0.0


@dataclass(frozen=True, kw_only=True)
class Install:
    """A bisector of its own, below `top`; `behind` is put in front of its command line."""

    top: Path
    behind: tuple[str, ...] = ()

    @property
    def state(self) -> Path:
        """Its state directory."""
        return self.top / "state"

    def run(self, *arguments: str | Path, env: Mapping[str, str] | None = None) -> Done:
        """Run `bisector ARGUMENTS`."""
        done = self._run([*BISECTOR, *map(str, arguments)], env or {})
        return Done(code=done.returncode, out=done.stdout, err=done.stderr, result={})

    def bisect(self, *arguments: str | Path) -> Done:
        """Run `bisector bisect ARGUMENTS`; with its result JSON."""
        return self.again(["bisector", "bisect", *map(str, arguments)])

    def again(self, command: Sequence[str]) -> Done:
        """Run a whole command line that begins with "bisector bisect"; with its result JSON."""
        assert command[:2] == ["bisector", "bisect"]
        kept = self.top / "result.json"
        kept.unlink(missing_ok=True)
        done = self._run([*BISECTOR, command[1], "--json", str(kept), *command[2:]], {})
        result = json.loads(kept.read_text()) if kept.exists() else {}
        return Done(code=done.returncode, out=done.stdout, err=done.stderr, result=result)

    def _run(self, command: Sequence[str], env: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
        places = {"BISECTOR_STATE_DIR": str(self.state), "BISECTOR_CACHE_DIR": str(self.top / "cache")}
        everything = {**os.environ, **places, **env}
        return subprocess.run(
            [*self.behind, *command],
            cwd=self.top,
            env=everything,
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
            check=False,
        )


@contextlib.contextmanager
def install_at(top: Path, *, engine: bool = False) -> Iterator[Install]:
    """An install below `top`; with `engine`, what it leaves on the Docker engine is removed in the end."""
    top.mkdir(parents=True)
    made = Install(top=top)
    try:
        yield made
    finally:
        if engine:
            _remove_from_engine(made)


def need_engine() -> None:
    """Skip unless a Docker engine has the base image; CI turns the skip into a failure."""
    try:
        with contextlib.closing(docker.from_env(timeout=60).api) as api:
            api.inspect_image(BASE_IMAGE)  # type: ignore[no-untyped-call]
    except docker.errors.DockerException as error:
        pytest.skip(f"no Docker engine with {BASE_IMAGE} (tests/environment/up.sh engine): {error}")


def containers_of(install: Install) -> list[str]:
    """The names of an install's containers on the engine, running or not."""
    with contextlib.closing(docker.from_env(timeout=60).api) as api:
        return [name for each in api.containers(all=True, filters=_ours(install)) for name in each["Names"]]


def _ours(install: Install) -> dict[str, str]:
    """What tells the engine's things that are an install's from everybody else's."""
    return {"label": f"io.bisector.instance={Wiring(StopSignal(), Settings(state_dir=install.state)).instance}"}


def _remove_from_engine(install: Install) -> None:
    ours = _ours(install)
    with contextlib.closing(docker.from_env(timeout=60).api) as api:
        for container in api.containers(all=True, filters=ours):
            api.remove_container(container["Id"], force=True, v=True)
        for image in api.images(filters=ours):
            with contextlib.suppress(docker.errors.APIError):  # one that went with another
                api.remove_image(image["Id"], force=True)
        for volume in api.volumes(filters=ours)["Volumes"] or []:
            api.remove_volume(volume["Name"], force=True)
