"""From an order of the outside world to a request: everything it names has to be configured here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bisector.core.model.request import Budget, JobKind, Request, RunnerName
from bisector.core.model.scenario import Scenario
from bisector.core.model.trigger import Trigger
from bisector.core.model.units import Sha
from bisector.engine.ports import Artifacts, Repository
from bisector.engine.queue import DEFAULT_CLASS, Order, Priority, dedup_key
from bisector.engine.scenarios import read_scenario_file, scenario_named
from bisector.errors import RefError, ScenarioError, UsageError
from bisector.formats.service import RepositoryTable


class Refused(UsageError):
    """An order that names what is not configured, or not enough."""


def _nothing_is_watched(_trigger: Trigger) -> Sha | None:
    return None


@dataclass(frozen=True, kw_only=True)
class Grounds:
    """What orders are checked against."""

    repositories: Mapping[str, RepositoryTable]
    open: Callable[[str], Repository]
    """The repository at a location."""
    scenario_directories: Callable[[Path | None], tuple[Path, ...]]
    artifacts: Artifacts
    accepted: Callable[[Trigger], Sha | None] = _nothing_is_watched
    """The commit whose level was last accepted of what a trigger is about; None where no sweep watches that."""

    def scenario_places(self, location: str) -> tuple[Path, ...]:
        """Where scenarios of the repository at `location` are looked for by name: its own only where it is a directory
        here, never from a commit."""
        top = Path(location)
        return self.scenario_directories(top if top.is_dir() else None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Ask:
    """An order: a trigger, and for whom it is."""

    trigger: Trigger
    priority: Priority = Priority.ALERT
    host_class: str = DEFAULT_CLASS
    kind: JobKind = JobKind.BISECT
    beside: tuple[Sha, ...] = ()
    """Tips, resolved already, whose histories may be built besides those of the configured branches."""


def request_of(ask: Ask, grounds: Grounds) -> Request:
    """The request for an order; Refused where it names what is not configured, or commits of no configured branch."""
    trigger = ask.trigger
    entry = grounds.repositories.get(trigger.repository)
    if entry is None:
        raise Refused("no such repository is configured", where=trigger.repository)
    scenario = _scenario(trigger, entry, grounds)
    repository = grounds.open(entry.location)
    good, bad = _range(ask, entry, repository, grounds)
    by_a_person = ask.priority is Priority.PERSON
    return Request(
        kind=ask.kind,
        repository=repository.location,
        good=good,
        bad=bad,
        good_text=trigger.good or "",
        bad_text=trigger.bad or "",
        scenario=scenario,
        scenario_text=trigger.scenario,
        metrics=(trigger.metric,) if trigger.metric else (),
        runner=RunnerName(entry.runner),
        budget=Budget() if by_a_person else Budget(runs=entry.max_runs, seconds=entry.max_seconds),
        profile=True,
    )


def order_of(ask: Ask, request: Request) -> Order:
    """How the request is queued: two orders that mean one question share a job."""
    return Order(
        priority=ask.priority, host_class=ask.host_class, dedup=dedup_key(request), asked_by=ask.trigger.source
    )


def _scenario(trigger: Trigger, entry: RepositoryTable, grounds: Grounds) -> Scenario:
    if entry.scenarios and trigger.scenario not in entry.scenarios:
        raise Refused("no such scenario is configured for this repository", where=trigger.scenario)
    try:
        found = scenario_named(trigger.scenario, grounds.scenario_places(entry.location))
    except ScenarioError:
        raise Refused("no such scenario", where=trigger.scenario) from None
    scenario = read_scenario_file(found, grounds.artifacts)
    if trigger.metric and all(metric.name != trigger.metric for metric in scenario.metrics):
        raise Refused("the scenario has no such metric", where=trigger.metric)
    return scenario


def _range(ask: Ask, entry: RepositoryTable, repository: Repository, grounds: Grounds) -> tuple[Sha, Sha]:
    """Both ends in full. Bad is the branch's tip by default, and good the commit that sweeps accepted last."""
    trigger = ask.trigger
    start = trigger.good or grounds.accepted(trigger)
    if start is None:
        then = "Let it name the commits, or a scenario whose history is watched"
        raise Refused("the range is missing: no good commit is named", where=trigger.scenario, then=then)
    tips = (*entry.branches, *ask.beside)
    ends = [_commit(name, tips, repository) for name in (start, trigger.bad or entry.branches[0])]
    if ends[0] == ends[1]:
        raise Refused("good and bad are the same commit", where=ends[0])
    return ends[0], ends[1]


def _commit(name: str, tips: tuple[str, ...], repository: Repository) -> Sha:
    """A commit that is in one of these histories: what anybody else pushed is never built."""
    try:
        sha = repository.resolve(name).sha
    except RefError as error:
        raise Refused(error.what, where=name) from None
    if not any(repository.contains(tip, sha) for tip in tips):
        raise Refused(f"the commit is on none of the branches {', '.join(tips)}", where=sha)
    return sha
