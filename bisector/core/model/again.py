"""A question asked again with something changed: another range, fewer samples, more runs, another metric."""

from dataclasses import dataclass, replace

from bisector.core.model.request import Budget, Request
from bisector.core.model.units import Seconds, Sha


@dataclass(frozen=True, kw_only=True, slots=True)
class Changes:
    """What differs from the job before. None, () and 0 leave things as they were.

    `narrow` are the new ends, `narrow_text` what the person typed for them; `skip` and `retract` add to what the job
    before left out. `add_runs` runs are made at least before the answer, and at most where runs were limited.
    """

    reuse: bool | None = None
    narrow: tuple[Sha, Sha] | None = None
    narrow_text: tuple[str, str] = ("", "")
    skip: tuple[Sha, ...] = ()
    retract: tuple[Sha, ...] = ()
    metrics: tuple[str, ...] = ()
    add_runs: int = 0
    runs: int | None = None
    builds: int | None = None
    seconds: Seconds | None = None
    as_of: str | None = None
    """The moment as of which builds resolve packages: with another one every build is another."""

    @property
    def takes_over(self) -> bool:
        """Whether earlier samples are taken over: as asked, else where something of the question changes."""
        if self.reuse is not None:
            return self.reuse
        limits = (self.runs, self.builds, self.seconds)
        return bool(self.narrow or self.skip or self.retract or self.metrics or self.add_runs) or any(limits)


def again(request: Request, changes: Changes) -> Request:
    """The request of the job that asks again."""
    search = replace(request.search, skip=tuple(dict.fromkeys((*request.search.skip, *changes.skip))))
    scenario = request.scenario
    if changes.as_of is not None:
        scenario = replace(scenario, build=replace(scenario.build, as_of=changes.as_of))
    made = replace(
        request,
        search=search,
        scenario=scenario,
        budget=_budget(request, changes),
        reuse_samples=changes.takes_over,
        retracted=tuple(dict.fromkeys((*request.retracted, *changes.retract))),
        metrics=changes.metrics or request.metrics,
        noise=request.noise if not changes.metrics else None,
    )
    if changes.narrow is None:
        return made
    good, bad = changes.narrow
    return replace(made, good=good, bad=bad, good_text=changes.narrow_text[0], bad_text=changes.narrow_text[1])


def _budget(request: Request, changes: Changes) -> Budget:
    before = request.budget
    runs = before.runs
    if changes.add_runs and runs is not None:
        runs = changes.add_runs
    return replace(
        before,
        runs=changes.runs if changes.runs is not None else runs,
        builds=changes.builds if changes.builds is not None else before.builds,
        seconds=changes.seconds if changes.seconds is not None else before.seconds,
        more_runs=changes.add_runs,
    )
