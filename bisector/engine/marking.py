"""Sees to the marks: makes them while jobs are worked on, puts their ends off, and ends them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bisector.core.model.request import Request
from bisector.engine.marks import LASTS, Due, Marker, Marks, Stretch
from bisector.engine.notify import NotSent
from bisector.engine.ports import Store
from bisector.engine.stop import StopSignal
from bisector.engine.turns import turns
from bisector.errors import BisectorError, StoreError
from bisector.formats.marks import MarkTable
from bisector.formats.service import RepositoryTable
from bisector.report.text import displayed

FIRST_WAIT = 5.0
LONGEST_WAIT = 120.0
MOST_FAILURES = 20
"""Attempts in a row, half an hour's worth, after which a mark is given up: by then it has ended by itself."""


@dataclass(frozen=True, kw_only=True)
class MarkTarget:
    """Where load is marked, and how."""

    table: MarkTable
    marker: Marker


class Marking:
    """Marks the work on jobs. Several may run, in as many servers: one of them sees to each mark."""

    def __init__(
        self,
        marks: Marks,
        targets: Mapping[str, MarkTarget],
        store: Store,
        repository: Callable[[str], RepositoryTable | None],
        tell: Callable[[str], None],
    ) -> None:
        """`targets` by name; `repository`: the configured one at a location."""
        self._marks = marks
        self._targets = targets
        self._store = store
        self._repository = repository
        self._tell = tell

    def run(self, stop: StopSignal) -> None:
        """Until asked to stop. Marks that stand then end by themselves, unless the next server puts their ends off."""
        turns(self.turn, stop, "marks", self._tell)

    def turn(self, stop: StopSignal) -> int:
        """See to every mark that is due; how many that were."""
        seen = 0
        while (due := self._marks.claim(self._targets)) is not None:
            self._see_to(due)
            seen += 1
            stop.check()
        return seen

    def _see_to(self, due: Due) -> None:
        try:
            self._attend(due)
        except NotSent as problem:
            self._put_off(due, problem.reason, problem.after)
        except StoreError:
            raise
        except BisectorError as error:
            self._put_off(due, error.what, 0.0)

    def _attend(self, due: Due) -> None:
        target = self._targets[due.target]
        request = self._store.job(due.job).request
        end = due.now + LASTS if due.ended is None else due.ended
        repository = self._repository(request.repository)
        stretch = Stretch(
            job=due.job, fence=due.fence, text=_text(request, repository), begin=due.begin, end=max(end, due.begin)
        )
        again = due.attempt > 1
        if due.ended is None:
            if not due.outside and not _wanted(target.table, request, repository):
                self._marks.close(due, "not wanted there")
                return
            marker = target.marker
            outside = marker.change(due.outside, stretch) if due.outside else marker.make(stretch, again=again)
            self._marks.made(due, outside, stretch.end)
            return
        if due.outside:
            target.marker.end(due.outside, stretch)
        # Where it is not known whether a mark was made, it has an end of its own.
        self._marks.close(due, "ended")

    def _put_off(self, due: Due, reason: str, after: float) -> None:
        which = f"marks: {due.target}, job {due.job}: {reason}"
        if due.failures + 1 >= MOST_FAILURES:
            self._tell(f"{which}; given up, a mark that stands ends by itself")
            self._marks.close(due, reason)
            return
        wait = max(min(FIRST_WAIT * 2.0**due.failures, LONGEST_WAIT), after)
        self._tell(f"{which}; tried again in {wait:.0f} s")
        self._marks.put_off(due, reason, wait)


def _wanted(table: MarkTable, request: Request, repository: RepositoryTable | None) -> bool:
    if table.repositories and (repository is None or repository.name not in table.repositories):
        return False
    return not table.scenarios or request.scenario.name in table.scenarios


def _text(request: Request, repository: RepositoryTable | None) -> str:
    """What people read there."""
    name = repository.name if repository is not None else displayed(request.repository)
    return f"bisector makes load: {request.kind.value} of {name} by {displayed(request.scenario.name)}"
