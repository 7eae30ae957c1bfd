"""The load side of a scenario alone, on something that is running already: nothing is built of any commit."""

from collections.abc import Generator
from dataclasses import replace

from bisector.core.model.builds import Build
from bisector.core.model.request import RunnerName
from bisector.core.model.samples import Outcome
from bisector.core.model.scenario import BuildRecipe, Scenario
from bisector.core.model.units import digest
from bisector.engine.builds import archive_of
from bisector.engine.orders import order_of
from bisector.engine.ports import Artifacts, BuildOrder, Runner
from bisector.engine.stop import StopSignal
from bisector.engine.tryout import Trial, read_all
from bisector.errors import MeasurementFailed, ScenarioError

OF_SERVICES = (
    "of what is running elsewhere only the load's own figures can be had: its processor time and memory cannot"
)


def aimed(scenario: Scenario, target: str) -> Scenario:
    """`scenario` as its load alone, put on what runs at the address `target`.

    ScenarioError where the load cannot be told where to go, or a metric is the
    service's.
    """
    words = (*scenario.run.command, *scenario.run.env.values())
    ports = [word for word in words if "{port" in word]
    if ports:
        then = "Write {target} in place of http://127.0.0.1:{port}: it is the service's own address where there is one"
        raise ScenarioError(f"the load goes to a port of its own services ({ports[0]})", where="[run]", then=then)
    if not any("{target}" in word for word in words):
        raise ScenarioError("nothing in the load's command or env says {target}", where="[run]", then="Put it there")
    if any("{source}" in word for word in scenario.run.command):
        raise ScenarioError("the load lies in the checkout, of which there is none", where="[run] command")
    measured = [metric.name for metric in scenario.metrics if metric.source in {"cpu", "peak_memory"}]
    if measured:
        raise ScenarioError(f"metric {measured[0]}: {OF_SERVICES}", where="[[metrics]]", then="Name others by --metric")
    return replace(scenario, run=scenario.run.aimed(target))


def load_image(scenario: Scenario) -> str | None:
    """The image that the load runs in."""
    return scenario.run.client or scenario.build.image


def make_place(scenario: Scenario, runner: Runner, artifacts: Artifacts, stop: StopSignal) -> Build:
    """A place to run the load in: a build of nothing, which is used again."""
    image_id = runner.resolve_image(load_image(scenario)) if runner.name is RunnerName.DOCKER else None
    python = str(scenario.uses_python())
    key = digest("load side", runner.name, image_id or "", scenario.files, python)
    order = BuildOrder(
        key=key,
        recipe=BuildRecipe(image=load_image(scenario)),
        python=scenario.uses_python(),
        source=archive_of({}),
        files=artifacts.scenario(scenario.files),
        image_id=image_id,
        log=artifacts.build_log(key),
    )
    made = runner.build(order, stop).made_by(runner.name)
    if not made.usable:
        raise MeasurementFailed(f"there is no place to run the load in: {made.reason}", where=made.log)
    return made


def put_load(
    scenario: Scenario, place: Build, runner: Runner, artifacts: Artifacts, stop: StopSignal
) -> Generator[Trial]:
    """Runs of the load, one after the other for as long as somebody asks; warm-ups go before them."""
    with runner.open(place, order_of(scenario, artifacts), stop) as session:
        for _ in range(scenario.run.opening_runs):
            session.run()
        while True:
            yield read_all(scenario.metrics, session.run())


def failed(trial: Trial) -> bool:
    """Whether a run did not end well."""
    return trial.record.outcome is not Outcome.OK
