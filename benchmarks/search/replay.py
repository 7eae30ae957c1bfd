"""Worlds made of what real jobs measured: the values recorded by `bisector bisect --events FILE`.

The recorded builds of each side of the named culprit stand for the commits of that side, so that the noise, its memory
and the differences between builds are real; where the culprit lies is drawn anew for every trial.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.search.strategies import Strategy, Trial, play
from benchmarks.search.worlds import Plan, Setting, World

FEWEST = 3
"""Runs a recorded build needs to stand for a commit."""
COUNTED = {"ends", "search", "reference", "verify"}


@dataclass(frozen=True, kw_only=True)
class Recording:
    """One job's values by build on both sides of its culprit, in the order they were taken, and its costs."""

    name: str
    size: int
    good: tuple[tuple[float, ...], ...]
    bad: tuple[tuple[float, ...], ...]
    build_cost: float
    """Of one build, in runs."""

    @property
    def effect(self) -> float:
        """The change between the sides over the deviation of a run."""
        sides = [np.concatenate([np.array(unit) - np.median(unit) for unit in side]) for side in (self.good, self.bad)]
        spread = float(np.concatenate(sides).std()) or 1.0
        levels = [float(np.median(np.concatenate([np.array(unit) for unit in side]))) for side in (self.good, self.bad)]
        return abs(levels[1] - levels[0]) / spread


class ReplayWorld(World):
    """A line whose commits behave like the recorded builds of their side."""

    def __init__(self, recording: Recording, trial: int, seed: int) -> None:
        """Draw the culprit's place; the line is as long as the recorded one."""
        super().__init__(
            Plan(
                regime="exact",
                setting=Setting.SINGLE,
                size=recording.size,
                effect=recording.effect,
                build_cost=recording.build_cost,
                seed=seed,
                trial=trial,
            )
        )
        self._recording = recording
        self._tracks: list[tuple[tuple[float, ...], int]] = []

    def build(self, index: int, *, beside: bool = False) -> int | None:
        """A recorded build of that side, joined at a moment of its own."""
        unit = super().build(index, beside=beside)
        side = self._recording.bad if index >= self.culprits[0] else self._recording.good
        values = side[int(self._draw.integers(len(side)))]
        self._tracks.append((values, int(self._draw.integers(len(values)))))
        return unit

    def _value(self, unit: int) -> float:
        """The next recorded value of that build, from its beginning again after its last."""
        values, at = self._tracks[unit]
        self._tracks[unit] = (values, at + 1)
        return values[at % len(values)]


def read_recording(file: Path, metric: str | None = None) -> Recording:
    """The recording of one events file; ValueError when it named no commit or a side has too few values."""
    facts: dict[str, list[dict[str, Any]]] = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        if record.get("event") == "fact":
            facts.setdefault(record["kind"], []).append(record["fact"])
    culprits = [each for fact in facts.get("Concluded", []) for each in fact["verdict"]["culprits"]]
    if not culprits or not facts.get("HistoryListed"):
        raise ValueError(f"{file}: the job named no commit of its history")
    culprit = int(culprits[0]["place"]["index"])
    sides: tuple[list[tuple[float, ...]], list[tuple[float, ...]]] = ([], [])
    for (index, _), values in _by_build(facts.get("Sample", []), metric).items():
        if len(values) >= FEWEST:
            sides[index >= culprit].append(tuple(values))
    if not all(sides):
        raise ValueError(f"{file}: a side of the culprit has no build with {FEWEST} runs")
    return Recording(
        name=file.stem,
        size=int(facts["HistoryListed"][0]["candidates"]),
        good=tuple(sides[0]),
        bad=tuple(sides[1]),
        build_cost=_build_cost(facts),
    )


def _by_build(samples: list[dict[str, Any]], metric: str | None) -> dict[tuple[int, int], list[float]]:
    found: dict[tuple[int, int], list[float]] = {}
    for sample in samples:
        if sample["outcome"] != "ok" or sample["purpose"] not in COUNTED or sample["place"]["line"] != "main":
            continue
        name = metric or next(iter(sample["values"]))
        found.setdefault((sample["place"]["index"], sample["number"]), []).append(float(sample["values"][name]))
    return found


def _build_cost(facts: dict[str, list[dict[str, Any]]]) -> float:
    runs = [each["usage"]["wall"] for each in facts.get("Sample", []) if each["usage"] is not None]
    made = [each["build"]["seconds"] for each in facts.get("BuildRecorded", []) if not each["build"]["reused"]]
    if not runs or not made:
        return 1.0
    return float(np.median(made) / max(float(np.median(runs)), 1e-6))


def replay(recording: Recording, strategy: Strategy, trials: int, seed: int) -> Iterator[Trial]:
    """Trials of one strategy on worlds made of the recording."""
    for trial in range(trials):
        yield play(strategy, ReplayWorld(recording, trial, seed))
