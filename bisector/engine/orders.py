"""What a runner is asked for: a build or runs, as a request wants them."""

from bisector.core.model.request import Request
from bisector.engine.ports import BuildOrder, Ports, RunOrder
from bisector.formats.results import wanted_files


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


def run_order(request: Request, ports: Ports, lane: int = 0) -> RunOrder:
    """What the scenario of `request` runs, on the host's processors of that lane."""
    return RunOrder(
        recipe=request.scenario.run_recipe(),
        files=ports.artifacts.scenario(request.scenario.files),
        collect=wanted_files(request.scenario.metrics),
        lane=lane,
    )
