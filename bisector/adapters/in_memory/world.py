"""A made-up history with a planted change, unbuildable commits and noise, all of it from one seed."""

import math
import random
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

from bisector.core.model.history import Commit
from bisector.core.model.units import Seconds, Sha, digest
from bisector.errors import UsageError

EPOCH = 1_700_000_000
MERGE_EVERY = 4
"""Every so many candidates is a merge that brought in a branch."""
BRANCH_LENGTH = 3
ODD_SHARE = 0.25
_TRIALS = {"without": "ffe1", "with": "ffe2", "patched": "ffe3"}
"""How the names of trees begin that are no commit's."""
WHOLE = frozenset({"candidates", "culprit", "branch", "seed", "cores"})


@dataclass(frozen=True, kw_only=True)
class World:
    """What is planted. `culprit` 0 plants no change; else it is the candidate at which the level changes.

    `effect` and `noise` are relative; `unbuildable` is the share of inner candidates that do not build; `branch` is
    which commit of a merged branch carries the change (0 the first).
    """

    candidates: int = 64
    culprit: int = 0
    effect: float = 0.1
    noise: float = 0.02
    drift: float = 0.0
    unbuildable: float = 0.0
    infra: float = 0.0
    branch: int = 1
    run: Seconds = 1.0
    build: Seconds = 10.0
    also: str = ""
    """Further changes: "30:0.1/50:-0.05", candidate and relative effect each."""
    spread: float = 1.0
    """By how much the culprit multiplies the noise."""
    creep: float = 0.0
    """How much slower the whole line gets beside that, a little with every commit."""
    docs: str = ""
    """Candidates that seem to change nothing but documentation: "20/21"."""
    conflicts: str = ""
    """Candidates that can neither be taken out nor put on top of another commit: "20/21"."""
    rebuilt: str = ""
    """What every further build of a candidate adds to its level by chance: "19:0.2", candidate and relative effect."""
    crash: str = ""
    """Candidates whose runs fail, first to last: "20-32"."""
    flaky: str = ""
    """Candidates whose first build fails and no later one: "20/21"."""
    metrics: str = ""
    """Further metrics m1, m2, …, the culprit and relative effect of each: "0:0/30:0.1"."""
    seed: int = 0
    shared: float = 0.0
    """Noise that runs made at the same moment have in common: neighbours on the machine."""
    layout: float = 0.0
    """How far a build lies from its commit's level by chance, relative; another of the same commit lies elsewhere."""
    odd: float = 0.0
    """How much slower one build in four is than the others of its commit, relative."""
    mode: float = 0.0
    """How much slower three runs of ten are from the culprit on, relative: a second mode."""
    cores: int = 4
    """Processors of the machine."""
    disturbs: float = 0.0
    """How much slower a run is while something is built beside it, relative."""
    package: str = ""
    """What builds are given of the package "planted" now: "2.0:0.2", its version and by how much slower it is."""
    cold: float = 0.0
    """How much slower the first run of a session is, relative."""
    pace: float = 0.0
    """Seconds that a run takes on the wall, for whoever wants to come between two."""

    @classmethod
    def parse(cls, text: str) -> "World":
        """ "candidates=64,culprit=40,effect=0.1" as a world; UsageError names the keys there are."""
        known = [field.name for field in fields(cls)]
        values: dict[str, Any] = {}
        for part in filter(None, text.split(",")):
            name, _, value = part.partition("=")
            try:
                values[known[known.index(name)]] = _setting(name, value)
            except ValueError:
                advice = f"There are: {', '.join(known)}"
                raise UsageError(f"not a setting of a simulated world: {part!r}", then=advice) from None
        return cls(**values)

    def text(self) -> str:
        """The inverse of `parse`, what differs from the defaults only."""
        own = {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if getattr(self, field.name) != field.default
        }
        return ",".join(f"{name}={value}" for name, value in own.items())

    @property
    def metric_names(self) -> tuple[str, ...]:
        """What a run yields besides its time: m1, m2, …"""
        return tuple(f"m{number}" for number in range(1, len(_changes(self.metrics)) + 1))

    @cached_property
    def line(self) -> tuple[Commit, ...]:
        """The commits of the first-parent line, the good end first."""
        commits = [_commit("main", 0, (), self.seed, "Start")]
        for index in range(1, self.candidates + 1):
            parents: tuple[Sha, ...] = (commits[-1].sha,)
            subject = f"Change {index}"
            if index % MERGE_EVERY == 0:
                parents = (*parents, self.branch_of(index)[-1].sha)
                subject = f"Merge branch 'topic-{index}'"
            commits.append(_commit("main", index, parents, self.seed, subject))
        return tuple(commits)

    def branch_of(self, index: int) -> tuple[Commit, ...]:
        """The commits that the merge at `index` brought in, oldest first."""
        commits: list[Commit] = []
        for step in range(BRANCH_LENGTH):
            parents = (commits[-1].sha,) if commits else (_name("main", max(index - 2, 0), self.seed),)
            commits.append(_commit(f"topic{index}", step, parents, self.seed, f"Topic {index}, part {step}"))
        return tuple(commits)

    def has_change(self, tree: str) -> bool:
        """Whether the change is in what is built from `tree` ("tree of kind:index" or "on top of")."""
        kind, index, step = self._seen(tree)
        if not self.culprit:
            return False
        if kind in {"without", "with"}:
            return (index >= self.culprit) != (step == self.culprit)
        if kind == "context":
            return index > self.culprit or (index == self.culprit and step >= self.branch)
        return index >= self.culprit

    def level(self, tree: str) -> float:
        """The level of what is built from `tree`, as a multiple of the first commit's."""
        kind, index, step = self._seen(tree)
        reached = index - 1 if kind == "context" else index
        level = (1.0 + self.effect if self.has_change(tree) else 1.0) * math.exp(
            math.log1p(self.creep) * reached / self.candidates
        )
        for at, effect in self._further:
            there = (at <= reached) != (kind in {"without", "with"} and step == at)
            level *= 1 + effect if there else 1
        return level * (step / 10**6 if kind == "patched" else 1)

    def crashes(self, tree: str) -> bool:
        """Whether a run of what is built from `tree` fails."""
        kind, index, step = self._seen(tree)
        first, last = _span(self.crash)
        if kind == "context":
            return first < index <= last or (index == first and step >= self.branch)
        return first <= index <= last

    @cached_property
    def idle(self) -> frozenset[int]:
        """The candidates that seem to change nothing a run could notice."""
        return frozenset(_indexes(self.docs))

    def further_levels(self, tree: str) -> dict[str, float]:
        """The levels of the metrics m1, m2, … of what is built from `tree`."""
        kind, index, step = self._seen(tree)
        levels = {}
        for number, (culprit, effect) in enumerate(_changes(self.metrics), start=1):
            if kind == "context":
                reached = index > culprit or (index == culprit and step >= self.branch)
            else:
                reached = (index >= culprit) != (kind in {"without", "with"} and step == culprit)
            levels[f"m{number}"] = 1 + effect if culprit and reached else 1.0
        return levels

    def is_idle(self, tree: str) -> bool:
        """Whether `tree` is that of a candidate that seems to change nothing a run could notice."""
        kind, index, _ = self._seen(tree)
        return kind == "main" and index in self.idle

    @cached_property
    def _further(self) -> tuple[tuple[int, float], ...]:
        return _changes(self.also)

    def noise_of(self, tree: str) -> float:
        """The noise of a run of what is built from `tree`."""
        return self.noise * (self.spread if self.has_change(tree) else 1.0)

    def offset_of(self, handle: str) -> float:
        """What this build's layout does to the logarithm of its times."""
        if not (self.layout or self.odd):
            return 0.0
        drawn = random.Random(f"{self.seed} layout {handle}")
        return self.layout * drawn.gauss(0, 1) + math.log1p(self.odd) * (drawn.random() < ODD_SHARE)

    def second_mode_of(self, tree: str) -> float:
        """How much slower three runs of ten of this tree are."""
        return self.mode if self.has_change(tree) else 0.0

    def builds(self, tree: str) -> bool:
        """Whether `tree` builds: the ends and the commits around the culprit's branch always do."""
        kind, index, _ = self._seen(tree)
        if kind != "main" or index in {0, self.candidates}:
            return True
        return random.Random(f"{self.seed} build {index}").random() >= self.unbuildable

    def why_not(self, tree: str) -> str:
        """What a build of `tree` that does not build says."""
        del tree
        return "planted: does not build"

    def fails_at_first(self, tree: str) -> bool:
        """Whether the first build of `tree` fails through no fault of the commit's."""
        kind, index, _ = self._seen(tree)
        return kind == "main" and index in _indexes(self.flaky)

    def luck(self, tree: str, build: int) -> float:
        """By what the `build`-th build of a tree (0 the first) is faster or slower than the first, as a factor."""
        kind, index, _ = self._seen(tree)
        return 1 + dict(_changes(self.rebuilt)).get(index, 0.0) if build and kind == "main" else 1.0

    @property
    def resolved(self) -> tuple[str, float]:
        """The version of the package "planted" that a build made now holds, and the factor that it makes."""
        version, _, effect = self.package.partition(":")
        return version, 1 + float(effect or 0)

    @cached_property
    def conflicting(self) -> frozenset[int]:
        """The candidates that conflict wherever they are put."""
        return frozenset(_indexes(self.conflicts))

    def trial_tree(self, onto: int, index: int, *, undo: bool) -> str:
        """The tree of the commit at `onto` without the candidate at `index`, or with it."""
        return f"{_TRIALS['without' if undo else 'with']}{onto:016x}{index:016x}".ljust(40, "0")

    def patched_tree(self, onto: int, factor: float) -> str:
        """The tree of the commit at `onto` with a patch that multiplies its level."""
        return f"{_TRIALS['patched']}{onto:016x}{round(factor * 10**6):016x}".ljust(40, "0")

    def _seen(self, tree: str) -> tuple[str, int, int]:
        """What a tree is of: a kind, the commit it is made of, and which part, candidate or factor makes it."""
        known = self._trees.get(tree)
        if known is not None:
            return known
        kind = next(kind for kind, sign in _TRIALS.items() if tree.startswith(sign))
        return kind, int(tree[4:20], 16), int(tree[20:36], 16)

    @cached_property
    def _trees(self) -> dict[str, tuple[str, int, int]]:
        found: dict[str, tuple[str, int, int]] = {
            commit.tree: ("main", index, 0) for index, commit in enumerate(self.line)
        }
        for index in range(MERGE_EVERY, self.candidates + 1, MERGE_EVERY):
            for step, commit in enumerate(self.branch_of(index)):
                found[self.context_tree(index, commit)] = ("context", index, step)
        return found

    def context_tree(self, index: int, commit: Commit) -> str:
        """The tree of a merged commit on top of the first parent of the merge at `index`."""
        return digest("context", str(index), commit.sha)[:40]


def _setting(name: str, text: str) -> int | float | str:
    if name in {"also", "metrics", "rebuilt"}:
        _changes(text)
        return text
    if name in {"docs", "conflicts", "flaky"}:
        _indexes(text)
        return text
    if name == "crash":
        _span(text)
        return text
    if name == "package":
        float(text.partition(":")[2] or 0)
        return text
    return int(text) if name in WHOLE else float(text)


def _span(text: str) -> tuple[int, int]:
    if not text:
        return 1, 0
    first, last = text.split("-")
    return int(first), int(last)


def _indexes(text: str) -> tuple[int, ...]:
    return tuple(int(index) for index in filter(None, text.split("/")))


def _changes(text: str) -> tuple[tuple[int, float], ...]:
    pairs = (part.split(":") for part in filter(None, text.split("/")))
    return tuple((int(at), float(effect)) for at, effect in pairs)


def _name(kind: str, index: int, seed: int) -> Sha:
    return Sha(digest(kind, str(index), str(seed))[:40])


def _commit(kind: str, index: int, parents: tuple[Sha, ...], seed: int, subject: str) -> Commit:
    sha = _name(kind, index, seed)
    tree = Sha(digest("tree", sha)[:40])
    return Commit(sha=sha, tree=tree, parents=parents, time=EPOCH + 3600 * index, author="A. Nonymous", subject=subject)
