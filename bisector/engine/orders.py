"""What a runner is asked for: a build or runs, as a request wants them."""

from dataclasses import replace

from bisector.core.model.request import Request
from bisector.core.model.scenario import RunRecipe, Scenario
from bisector.engine.ports import Artifacts, BuildOrder, Ports, RunOrder
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


def run_order(request: Request, ports: Ports, lane: int = 0, job: str = "") -> RunOrder:
    """What the scenario of `request` runs for a job, on the host's processors of that lane."""
    return replace(order_of(request.scenario, ports.artifacts, job), lane=lane)


def order_of(scenario: Scenario, artifacts: Artifacts, job: str = "") -> RunOrder:
    """What `scenario` runs."""
    return RunOrder(
        recipe=_marked(scenario.run_recipe(), job),
        files=artifacts.scenario(scenario.files),
        collect=wanted_files(scenario.metrics),
        data={data.name: artifacts.data_set(data) for data in scenario.run.data},
    )


def _marked(recipe: RunRecipe, job: str) -> RunRecipe:
    """A run that puts load on a service, its own or another, is told how to say that the load is ours.

    One that cannot is left as it is, to the byte: the size of the environment may show in what is measured. It is no
    part of the run's identity, so that the samples of two jobs can be compared.
    """
    if recipe.network == "none" and not recipe.services:
        return recipe
    return replace(recipe, env={LOAD_HEADER: f"X-Bisector-Job: {job or 'none'}", **recipe.env})
