"""Runs a build in its own directory, each run a fresh process under the measuring helper."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bisector.adapters.local.build import Workshop, put_scenario
from bisector.adapters.local.environment import run_env
from bisector.adapters.local.helper import call_helper
from bisector.adapters.local.places import BuildPlace, purge
from bisector.adapters.measure.answer import as_run, as_step
from bisector.adapters.measure.company import Company, looking
from bisector.adapters.measure.lock import Owner
from bisector.adapters.measure.order import HelperOrder
from bisector.adapters.measure.record import Record
from bisector.adapters.measure.services import as_attended, attending, longest, with_report
from bisector.adapters.measure.state import Prepared, known_places, make_ready, shell_words, state_env
from bisector.adapters.measure.steps import Failure
from bisector.core.model.units import Seconds
from bisector.engine.ports import RunOrder, RunRecord
from bisector.engine.stop import StopSignal
from bisector.errors import EnvironmentFault


class LocalSession:
    """One build, a scratch directory, and the runs made in them."""

    def __init__(self, place: BuildPlace, scratch: Path, order: RunOrder, workshop: Workshop, stop: StopSignal) -> None:
        home, tmp, out, streams = (scratch / name for name in ("home", "tmp", "out", "streams"))
        streams.mkdir()
        state = scratch / "state"
        state.mkdir()
        order = with_report(order)
        recipe = order.recipe
        at = {name: str(path) for name, path in order.data.items()}
        places = known_places(place.places(out, workshop.tools.directory), recipe, str(state), at)
        self._places = places
        self._prepared: Prepared | None = None
        self._new = True
        self._place = place
        self._order = order
        self._program = workshop.tools.here("measure")
        self._env = {
            **run_env(workshop.host_env, place.venv, home, tmp),
            **state_env(places, recipe),
            **places.fill_env(recipe.env),
        }
        self._stop = stop
        self._helper_order = HelperOrder(
            argv=places.fill_all(attending(order, workshop.tools.here("attend"))),
            cwd=str(place.source),
            timeout=longest(order),
            streams=str(streams),
            out=str(out),
            collect=order.collect,
            fresh=(str(home), str(tmp), str(out)),
            cpus=measuring_cpus(recipe.cpus, order.lane),
            memory=recipe.memory_bytes,
        )
        self._company = Company(self._helper_order.cpus) if workshop.watched else None

    @property
    def container(self) -> str:
        """The build's directory."""
        return str(self._place.root)

    @property
    def source(self) -> str:
        """The checkout."""
        return str(self._place.source)

    @property
    def scenario(self) -> str:
        """The scenario's own files."""
        return str(self._place.scenario)

    def prepare(self) -> None:
        """Set up, once, and prepare the next run."""
        self._prepared = make_ready(self._order.recipe, self._places, self._shell, new=self._new)
        self._new = self._prepared.failed is not None

    def run(self) -> RunRecord:
        """One fresh process, on the last processors of this machine."""
        self._stop.check()
        if self._prepared is None:
            self.prepare()
        prepared, self._prepared = self._prepared or Prepared(), None
        if prepared.failed is not None:
            return prepared.told(prepared.failed)
        with looking(self._company) as told:
            answer = call_helper(self._program, self._helper_order, self._env, self._stop)
        record, _ = as_run(answer, self._order, self._helper_order.argv[0])
        return prepared.told(as_attended(told.of(record), self._order))

    def _shell(self, lines: str, limit: Seconds) -> Record | Failure:
        order = replace(self._helper_order, argv=shell_words(lines), timeout=limit, collect=())
        return as_step(call_helper(self._program, order, self._env, self._stop))


def measuring_cpus(count: int, lane: int = 0) -> tuple[int, ...]:
    """The last `count` processors this process may use: the first ones get the interrupts and everybody else.

    Further lanes have those before them. EnvironmentFault when there are none left.
    """
    allowed = sorted(os.sched_getaffinity(0))
    chosen = tuple(allowed[: len(allowed) - lane * count][-count:])
    if lane and len(chosen) < count:
        raise EnvironmentFault(f"{len(allowed)} processors do not make {lane + 1} lanes of {count}")
    return chosen


@contextmanager
def open_session(
    place: BuildPlace, order: RunOrder, workshop: Workshop, owner: Owner, stop: StopSignal
) -> Iterator[LocalSession]:
    """A session with a scratch directory of its own, which says whose it is and goes when the session ends."""
    put_scenario(order.files, place)
    scratch = Path(tempfile.mkdtemp(prefix=f"{owner.name}-", dir=_made(workshop.cache.sessions)))
    try:
        yield LocalSession(place, scratch, order, workshop, stop)
    finally:
        purge(scratch)


def _made(directory: Path) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    return directory
