"""A scenario made of what somebody answered: the text of its file, which reads as if it were written by hand."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from bisector.core.model.scenario import Better
from bisector.formats.results import meaning
from bisector.formats.results.tools import TOOLS


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What is read of a run. `select` is "" for what the source has by itself."""

    name: str
    source: str
    select: str = ""
    file: str = ""
    better: Better = Better.LOWER
    unit: str = ""


@dataclass(frozen=True, kw_only=True)
class Beside:
    """A service beside the command, and how to tell that it is ready: {port} is open where `health` is ""."""

    command: tuple[str, ...]
    health: str = ""


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What was answered."""

    name: str
    command: tuple[str, ...]
    image: str = ""
    steps: tuple[str, ...] = ()
    reading: Reading
    service: Beside | None = None


@dataclass(frozen=True, kw_only=True)
class Guess:
    """How a checkout with certain files is usually built."""

    step: str
    image: str


GUESSES: Mapping[str, Guess] = {
    "pyproject.toml": Guess(step="pip install --no-cache-dir .", image="python:3.11-slim"),
    "setup.py": Guess(step="pip install --no-cache-dir .", image="python:3.11-slim"),
    "requirements.txt": Guess(step="pip install --no-cache-dir -r requirements.txt", image="python:3.11-slim"),
    "go.mod": Guess(step="go build ./...", image="golang:1.22"),
    "Cargo.toml": Guess(step="cargo build --release", image="rust:1.79"),
    "package.json": Guess(step="npm ci", image="node:20-slim"),
    "CMakeLists.txt": Guess(step="cmake -B build -DCMAKE_BUILD_TYPE=Release && cmake --build build", image="gcc:13"),
    "Makefile": Guess(step="make", image="gcc:13"),
}
"""By the file that tells, the surest first."""


def written(answers: Answers) -> str:
    """The scenario file that says this."""
    lines = ["schema = 1", f"name = {_toml(answers.name)}", "", "[build]"]
    lines += (
        [f"image = {_toml(answers.image)}      # for Docker; the local runner uses this machine"]
        if answers.image
        else []
    )
    lines += [f"steps = {_toml(list(answers.steps))}", "", "[run]", f"command = {_toml(list(answers.command))}"]
    if answers.service is not None:
        # One processor for the service, one for the load.
        lines += ["cpus = 2", "", "[run.service]", f"command = {_toml(list(answers.service.command))}"]
        if answers.service.health:
            lines.append(f"ready = {{http = {_toml(answers.service.health)}}}")
    return "\n".join([*lines, "", *_metric(answers.reading), ""])


def _metric(reading: Reading) -> list[str]:
    lines = ["[[metrics]]", f"name = {_toml(reading.name)}", f"source = {_toml(reading.source)}"]
    lines += [f"{key} = {_toml(getattr(reading, key))}" for key in ("select", "file", "unit") if getattr(reading, key)]
    usual = meaning(reading.source, reading.select or reading.name)[1]
    if reading.better is not usual and reading.source not in TOOLS:
        lines.append(f"better = {_toml(reading.better)}")
    lines.append("min_effect = 0.03               # the smallest relative change worth naming")
    return lines


def _toml(value: object) -> str:
    """Text or a list of texts in TOML, in which JSON's strings are strings too."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
