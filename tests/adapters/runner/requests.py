"""A request, for the part of a runner that wants one."""

from bisector.core.model.request import Request, RunnerName
from bisector.core.model.scenario import BuildRecipe, Metric, RunRecipe, Scenario
from bisector.core.model.units import Sha


def request_for(runner: RunnerName, image_id: str | None) -> Request:
    """A request to bisect anything with `runner`."""
    scenario = Scenario(
        name="any", build=BuildRecipe(), run=RunRecipe(command=("true",)), metrics=(Metric(name="wall", source="wall"),)
    )
    good, bad = Sha("a" * 40), Sha("b" * 40)
    return Request(repository="any", good=good, bad=bad, scenario=scenario, runner=runner, image_id=image_id)
