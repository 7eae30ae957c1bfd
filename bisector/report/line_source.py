"""One line of an investigation with its outlook: what rows, runs and levels are all read from."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from bisector.core.model.history import Line, LineName, Place
from bisector.core.model.investigation import Investigation
from bisector.core.model.request import JobKind
from bisector.core.search.outlook import Outlook
from bisector.core.search.posterior import Posterior
from bisector.report.document import Side

SURE = 0.9
"""A commit is shown on a side when it is there with this probability, given a change."""
MORE_LIKELY = 0.5


@dataclass(frozen=True, kw_only=True)
class LineSource:
    """`culprits` are the indexes an answer names outright, `candidates` those of a set it cannot tell apart."""

    investigation: Investigation
    name: LineName
    found: Outlook | None
    culprits: tuple[int, ...] = ()
    candidates: tuple[int, ...] = ()

    @property
    def line(self) -> Line:
        """The commits."""
        return self.investigation.line_of(self.name)

    @property
    def low(self) -> int:
        """The index that stands for the good end."""
        return self.found.view.low if self.found is not None else 0

    @property
    def high(self) -> int:
        """The index that stands for the bad end."""
        return self.found.view.high if self.found is not None else self.line.size

    @property
    def names(self) -> tuple[str, str]:
        """What the two ends of the main line are called."""
        if self.investigation.request.kind is JobKind.COMPARE:
            return "A", "B"
        history = self.investigation.history
        return "good" if history is None or history.aside is None else "start of the line", "bad"

    @property
    def posterior(self) -> Posterior | None:
        """What the runs so far amount to; None before both ends were run."""
        return self.found.posterior if self.found is not None else None

    @property
    def no_change(self) -> float:
        """Probability that there is no change at all."""
        return self.found.no_change if self.found is not None else 0.0

    @property
    def changed(self) -> bool:
        """Whether a change is likelier than none."""
        return self.posterior is not None and self.no_change <= MORE_LIKELY

    @cached_property
    def chances(self) -> list[float]:
        """Probability of each candidate, element c - 1 for candidate c; without an outlook all alike."""
        if self.found is None:
            return [1 / self.line.size] * self.line.size
        return [float(chance) for chance in self.found.chances.tolist()]

    @cached_property
    def likely(self) -> tuple[int, ...]:
        """The smallest set that holds the culprit at the asked confidence; nothing while no change is seen."""
        return self.found.likely if self.found is not None and self.changed else ()

    @cached_property
    def sides(self) -> Mapping[int, Side]:
        """The side of each measured index. The ends have theirs by name; the others as the posterior has it."""
        ends = {self.low: Side.OLD, self.high: Side.NEW}
        if self.found is None or self.posterior is None or not self.changed:
            return ends
        chances: dict[int, list[float]] = {}
        places = self.found.view.observations().unit_place.tolist()
        for index, chance in zip(places, self.posterior.bad_probability().tolist(), strict=True):
            chances.setdefault(int(index), []).append(chance)
        return {index: _side(sum(each) / len(each)) for index, each in chances.items()} | ends

    def place(self, index: int) -> Place:
        """Where `index` is measured."""
        if self.found is not None:
            return self.found.view.place_at(index)
        return Place(line=self.name, index=index)

    def index_of(self, place: Place) -> int | None:
        """The index of a measured place on this line, None where it has none."""
        if self.found is not None:
            return self.found.view.index_of(place)
        return place.index if place.line is self.name else None


def _side(bad: float) -> Side:
    if bad > SURE:
        return Side.NEW
    return Side.OLD if bad < 1 - SURE else Side.UNSURE
