"""What a runner is asked for: a build or runs, as a request wants them."""

from collections.abc import Iterable
from dataclasses import replace

from bisector.core.model.counting import Counter, tells_itself
from bisector.core.model.request import Request
from bisector.core.model.scenario import Metric, RunRecipe
from bisector.engine.ports import BuildOrder, Ports, RunOrder
from bisector.formats.results import wanted_files

LOAD_HEADER = "BISECTOR_LOAD_HEADER"
"""The variable with the header that a generator of load is to send: "NAME: VALUE"."""


def build_order(request: Request, tree: str, key: str, ports: Ports, *, clean: bool = False) -> BuildOrder:
    """What building `tree`, as it was checked out for `request`, takes."""
    return BuildOrder(
        key=key,
        recipe=request.scenario.build,
        python=request.scenario.uses_python(),
        source=lambda: ports.repository.archive(tree),
        files=ports.artifacts.scenario(request.scenario.files),
        image_id=request.image_id,
        log=ports.artifacts.build_log(key),
        clean=clean,
    )


def run_order(request: Request, ports: Ports, lane: int = 0, job: str = "", counter: Counter | None = None) -> RunOrder:
    """What the scenario of `request` runs for a job, on the processors of that lane, with `counter` around it."""
    recipe = _marked(request.scenario.run_recipe(), job)
    return RunOrder(
        recipe=recipe if counter is None else counter.around(recipe),
        files=ports.artifacts.scenario(request.scenario.files),
        collect=wanted_files(told_by(counter, request.scenario.metrics)),
        lane=lane,
    )


def told_by(counter: Counter | None, metrics: Iterable[Metric]) -> tuple[Metric, ...]:
    """Those of `metrics` that a run tells, with `counter` around it or with nothing."""
    return tuple(metric for metric in metrics if (tells_itself(metric) if counter is None else counter.tells(metric)))


def _marked(recipe: RunRecipe, job: str) -> RunRecipe:
    """A run that puts load on a service, its own or another, is told how to say that the load is ours.

    One that cannot is left as it is, to the byte: the size of the environment may show in what is measured. It is no
    part of the run's identity, so that the samples of two jobs can be compared.
    """
    if recipe.network == "none" and not recipe.services:
        return recipe
    return replace(recipe, env={LOAD_HEADER: f"X-Bisector-Job: {job or 'none'}", **recipe.env})
