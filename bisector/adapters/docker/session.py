"""Runs a build in a warm container, each run a fresh process under the measuring helper."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from bisector.adapters.docker import images, layout
from bisector.adapters.docker.beside import recording
from bisector.adapters.docker.client import LoadSide, client_image
from bisector.adapters.docker.container import Container, Plan, remove, running, runs_compiled, start
from bisector.adapters.docker.engine import Engine
from bisector.adapters.docker.fate import outcome_of_silence
from bisector.adapters.docker.host import is_here
from bisector.adapters.docker.workshop import Workshop
from bisector.adapters.measure.answer import Answer, as_run, as_step
from bisector.adapters.measure.company import ALONE, Company, Told, looking
from bisector.adapters.measure.order import HelperOrder
from bisector.adapters.measure.outcome import mebibytes
from bisector.adapters.measure.record import Record
from bisector.adapters.measure.services import as_attended, attending, longest, with_report
from bisector.adapters.measure.state import (
    Prepared,
    known_places,
    make_ready,
    shell_words,
    state_env,
    unfixed_hashes,
)
from bisector.adapters.measure.steps import Failure
from bisector.core.model.builds import Build
from bisector.core.model.samples import Outcome
from bisector.core.model.scenario import RunRecipe
from bisector.core.model.units import Seconds
from bisector.engine.ports import RunOrder, RunRecord
from bisector.engine.stop import StopSignal
from bisector.errors import EnvironmentFault, InfraFault

PROBE_SECONDS: Seconds = 30.0
_FRESH = (layout.OUT, layout.HOME, layout.TMP, layout.SHM)
"""A run finds nothing of the one before, wherever it may write."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Beside:
    """What goes on beside a container: load that comes from elsewhere, and somebody who looks what else is busy."""

    load: LoadSide | None
    company: Company | None


class DockerSession:
    """One build and a container for its runs, replaced whenever a run may have left something in it."""

    def __init__(
        self,
        engine: Engine,
        workshop: Workshop,
        plan: Plan,
        order: RunOrder,
        stop: StopSignal,
        beside: Beside,
    ) -> None:
        """`plan` is what its container is made by."""
        self._engine = engine
        self._workshop = workshop
        self._plan = plan
        self._order = order = with_report(order)
        self._stop = stop
        self._container: Container | None = None
        self._company = beside.company
        self._load = beside.load
        self._client: Container | None = None
        self._set_up = ""  # the id of the container that is
        self._prepared: Prepared | None = None
        program = workshop.tools.inside("attend", layout.TOOLS, compiled=runs_compiled(workshop, plan.image))
        self._helper_order = HelperOrder(
            argv=plan.places.fill_all(attending(order, program)),
            cwd=layout.SOURCE,
            timeout=longest(order),
            streams=layout.STREAMS,
            out=layout.OUT,
            collect=order.collect,
            fresh=_FRESH,
            container=True,
        )

    @property
    def container(self) -> str:
        """Id of the container the next run is made in; it is made when there is none."""
        return self.make_container().id

    @property
    def source(self) -> str:
        """The checkout."""
        return layout.SOURCE

    @property
    def scenario(self) -> str:
        """The scenario's own files."""
        return layout.SCENARIO

    def prepare(self) -> None:
        """Set up a new container, and prepare the next run."""
        container = self.make_container()
        new = self._set_up != container.id

        def shell(lines: str, limit: Seconds) -> Record | Failure:
            order = replace(self._helper_order, argv=shell_words(lines), timeout=limit, collect=())
            answer = container.call(order, layout.RUN_USER, self._stop, {})
            outcome = outcome_of_silence(self._engine, container.id, answer)
            if answer is None or outcome is not None:
                return Failure(outcome=outcome or Outcome.TIMEOUT, reason=self._reason(outcome))
            return as_step(answer)

        try:
            self._prepared = make_ready(self._order.recipe, self._plan.places, shell, new=new)
        except BaseException:
            self.drop_container()
            raise
        self._set_up = container.id

    def run(self) -> RunRecord:
        """One fresh process in the container. After anything but a clean end the container is not used again."""
        self._stop.check()
        if self._prepared is None:
            self.prepare()
        prepared, self._prepared = self._prepared or Prepared(), None
        if prepared.failed is not None:
            self.drop_container()
            return prepared.told(prepared.failed)
        return prepared.told(self._run())

    def _run(self) -> RunRecord:
        container = self.make_container()
        clean = False
        try:
            record, ended = self._run_in(container)
            # Once out of memory, a container's state says so for good; a later silence must not be read as that.
            clean = ended and record.outcome is not Outcome.OOM
        finally:
            if not clean or self._order.recipe.fresh == "run":
                self.drop_container()
        return record

    def make_container(self) -> Container:
        """The container for the next run, made unless it is there."""
        if self._container is None:
            self._container = start(self._engine, self._workshop, self._plan)
        return self._container

    def drop_container(self) -> None:
        """Remove the container, if there is one, and the one that shares its network."""
        if self._client is not None:
            client, self._client = self._client, None
            remove(self._engine, self._workshop, client.id)
        if self._container is not None:
            container, self._container = self._container, None
            remove(self._engine, self._workshop, container.id)

    def _run_in(self, container: Container) -> tuple[RunRecord, bool]:
        if self._order.beside_hz:
            with recording(self._engine, container.id, self._order.beside_hz) as perf:
                record, ended = self._measured(container)
                profile, complaint = perf.end() if ended else (b"", "")
            files = {"profile": profile} if profile else {}
            return replace(record, files=files, stderr=record.stderr + f"\n{complaint}".encode()), ended
        return self._measured(container)

    def _measured(self, container: Container) -> tuple[RunRecord, bool]:
        if self._load is not None:
            if self._client is None:
                self._client = self._load.join(container)
            return self._load.run(container, self._client, self._helper_order)
        with looking(self._company) as told:
            answer = container.call(self._helper_order, layout.RUN_USER, self._stop, {})
        return self._as_run(container, answer, told)

    def _as_run(self, container: Container, answer: Answer | None, told: Told = ALONE) -> tuple[RunRecord, bool]:
        outcome = outcome_of_silence(self._engine, container.id, answer)
        if answer is None or outcome is not None:
            return RunRecord(outcome=outcome or Outcome.TIMEOUT, reason=self._reason(outcome)), False
        record, ended = as_run(answer, self._order, self._helper_order.argv[0])
        return as_attended(told.of(record), self._order), ended

    def _reason(self, outcome: Outcome | None) -> str:
        recipe = self._order.recipe
        if outcome is Outcome.OOM:
            return f"over its memory limit of {mebibytes(recipe.memory_bytes)}"
        return f"not done after {recipe.timeout_seconds:g} s, and it kept its parent from saying so"


@contextmanager
def open_session(workshop: Workshop, build: Build, order: RunOrder, stop: StopSignal) -> Iterator[DockerSession]:
    """A session with a container that goes when the session ends."""
    with Engine() as engine:
        image = images.find(engine, build.handle)
        if image is None or not images.is_ours(image, workshop.instance, build.key):
            raise InfraFault(f"the image of the build {build.key[:12]} is gone")
        base = images.labels_of(image).get(layout.BASE) or build.handle
        volumes = workshop.volumes.ensure(engine, order.files, base, stop)
        cpus = measuring_cpus(engine.info(), order.recipe.cpus, order.lane)
        volumes |= workshop.volumes.ensure_data(engine, order.data, base, stop)
        places = known_places(layout.PLACES, order.recipe, layout.STATE, layout.data_files(order.data))
        plan = Plan(
            image=image,
            user=layout.RUN_USER,
            role="run",
            host_config=layout.run_host_config(order.recipe, cpus, volumes),
            places=places,
            env={
                **layout.base_env(image),
                **unfixed_hashes(layout.env_of(image), order.recipe),
                **state_env(places, order.recipe),
                **places.fill_env(order.recipe.env),
            },
        )
        load = None
        if order.recipe.client and order.recipe.services:
            load = LoadSide(
                engine=engine,
                workshop=workshop,
                image=client_image(engine, order.recipe.client),
                host_config=plan.host_config,
                places=places,
                order=order,
                stop=stop,
            )
        beside = Beside(load=load, company=_company(engine, workshop, cpus))
        session = DockerSession(engine, workshop, plan, order, stop, beside)
        try:
            session.make_container()
            yield session
        finally:
            session.drop_container()


def _company(engine: Engine, workshop: Workshop, cpus: Mapping[str, Any]) -> Company | None:
    if not workshop.watched or "cpuset_cpus" not in cpus or not is_here(engine.info()):
        return None
    return Company([int(cpu) for cpu in cpus["cpuset_cpus"].split(",")])


def measuring_cpus(info: Mapping[str, Any], wanted: int, lane: int = 0) -> dict[str, Any]:
    """The processors of the engine's machine that a run gets; EnvironmentFault when a further lane has none."""
    cores, cpuset = int(info["NCPU"]), bool(info.get("CPUSet", True))
    if lane and (not cpuset or (lane + 1) * wanted > cores):
        raise EnvironmentFault(f"{cores} processors of the engine's machine do not make {lane + 1} lanes of {wanted}")
    return layout.cpu_settings(cores - lane * wanted, wanted, cpuset=cpuset)


def probe(engine: Engine, workshop: Workshop, image: str) -> None:
    """Start a container as for a run and execute something in it: that the engine answers does not mean that it can."""
    found = images.find(engine, image)
    if found is None:
        raise InfraFault(f"the image {image} is gone")
    stop = StopSignal()
    cpus = measuring_cpus(engine.info(), 1)
    volumes = workshop.volumes.ensure(engine, None, image, stop)
    recipe = RunRecipe(command=("true",), timeout_seconds=PROBE_SECONDS)
    plan = Plan(
        image=found, user=layout.RUN_USER, role="run", host_config=layout.run_host_config(recipe, cpus, volumes)
    )
    order = HelperOrder(argv=recipe.command, cwd="/", timeout=recipe.timeout_seconds, container=True)
    with running(engine, workshop, plan) as container:
        answer = container.call(order, layout.RUN_USER, stop, {})
    if answer is None or not isinstance(answer.record, Record):
        raise InfraFault("nothing can be executed in a container")
