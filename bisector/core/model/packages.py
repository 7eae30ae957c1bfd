"""The packages a build was resolved to: what lies outside the repository and still decides what is run."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Packages = Mapping[str, str]
"""Versions by name, each name with where it comes from in front: "python:numpy", "debian:gcc-12"."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PackageMove:
    """A package that is of another version on the other side; None where it is not there at all."""

    name: str
    old: str | None
    new: str | None

    @property
    def source(self) -> str:
        """Where it comes from: "python", "debian", "npm" and so on."""
        return self.name.partition(":")[0]

    @property
    def package(self) -> str:
        """Its name there."""
        return self.name.partition(":")[2]


def moved(old: Packages, new: Packages) -> tuple[PackageMove, ...]:
    """What differs between two sets of packages, by name."""
    names = sorted(name for name in {*old, *new} if old.get(name) != new.get(name))
    return tuple(PackageMove(name=name, old=old.get(name), new=new.get(name)) for name in names)


def all_moves(parts: Iterable[tuple[PackageMove, ...]]) -> tuple[PackageMove, ...]:
    """Moves of several pairs together, each once, the ones that are of another version before what came or went."""
    every = {(move.name, move.old, move.new): move for part in parts for move in part}
    return tuple(sorted(every.values(), key=lambda move: (move.old is None or move.new is None, move.name)))
