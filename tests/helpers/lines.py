"""Histories and observations for tests of the search."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from bisector.core.model.history import Commit, Line, linear_line
from bisector.core.model.units import Sha
from bisector.core.search.observations import Observations, Verification


def commit(index: int, parents: Sequence[int] = (), tree: int | None = None) -> Commit:
    """A commit whose names are its index in hexadecimal."""
    return Commit(
        sha=name(index),
        tree=name(index if tree is None else tree),
        parents=tuple(name(parent) for parent in parents),
        time=1_700_000_000 + index,
        author="A",
        subject=f"Change {index}",
    )


def name(index: int) -> Sha:
    """The name of commit `index`."""
    return Sha(f"{index:040x}")


def line(size: int) -> Line:
    """A first-parent line of `size` candidates."""
    return linear_line(commit(0), [commit(i, (i - 1,)) for i in range(1, size + 1)])


def graph(parents: Sequence[Sequence[int]]) -> Line:
    """A graph: `parents[i - 1]` are the indexes of candidate i's parents, 0 standing for the base."""
    commits = [commit(i, links) for i, links in enumerate(parents, start=1)]
    return Line(
        base=commit(0),
        candidates=tuple(commits),
        trees=(name(0), *(c.tree for c in commits)),
        links=tuple(tuple(p for p in links if p) for links in parents),
    )


def observations(
    on: Line,
    runs: Mapping[int, Sequence[float]],
    *,
    threshold: float = 0.35,
    untestable: Sequence[int] = (),
    exact: bool = False,
    verifications: Sequence[Verification] = (),
) -> Observations:
    """Observations with `runs[index]` at each index, one unit each."""
    places = [index for index in runs if runs[index]]
    testable = np.ones(on.size + 1, dtype=bool)
    testable[list(untestable)] = False
    return Observations(
        line=on,
        weights=np.ones(on.size),
        testable=testable,
        unit_place=np.array(places, dtype=np.int64),
        run_unit=np.array([u for u, index in enumerate(places) for _ in runs[index]], dtype=np.int64),
        values=np.array([value for index in places for value in runs[index]], dtype=float),
        threshold=threshold,
        low=0,
        high=on.size,
        exact=exact,
        verifications=tuple(verifications),
    )


def with_builds(seen: Observations, place: int, runs: list[list[float]]) -> Observations:
    """`seen` with further builds of one commit; units of a commit follow each other."""
    values = {unit: list(seen.values[seen.run_unit == unit]) for unit in range(len(seen.unit_place))}
    units = [(int(at), values[unit]) for unit, at in enumerate(seen.unit_place)]
    last = max(number for number, (at, _) in enumerate(units) if at == place)
    units[last + 1 : last + 1] = [(place, each) for each in runs]
    return replace(
        seen,
        unit_place=np.array([at for at, _ in units], dtype=np.int64),
        run_unit=np.array([number for number, (_, each) in enumerate(units) for _ in each], dtype=np.int64),
        values=np.array([value for _, each in units for value in each], dtype=float),
    )
