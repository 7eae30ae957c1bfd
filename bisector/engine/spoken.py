"""From a command in a comment to a request: only what is configured, of the branches and of the pull request itself."""

from dataclasses import dataclass, replace

from bisector.core.model.request import JobKind, Request, Search
from bisector.core.model.scenario import Direction, Scenario
from bisector.core.model.trigger import Trigger
from bisector.core.model.units import Sha
from bisector.engine.asking import Ask, Grounds, Refused, request_of
from bisector.engine.commands import Noted, PullRequest
from bisector.engine.ports import Repository
from bisector.engine.queue import Priority
from bisector.engine.scenarios import known_scenarios
from bisector.errors import RefError
from bisector.formats.alerts.commands import Bisect, Compare
from bisector.formats.service import RepositoryTable

HEAD = "HEAD"
"""The pull request's last commit; outside of one, that of the first branch."""


@dataclass(frozen=True, kw_only=True)
class Spoken:
    """A command with what it was said about; `pull` is None outside of a pull request."""

    command: Compare | Bisect
    noted: Noted
    entry: RepositoryTable
    pull: PullRequest | None
    host_class: str


def request_spoken(spoken: Spoken, grounds: Grounds) -> tuple[Ask, Request]:
    """What is asked for; Refused, or another UsageError, where it may not be."""
    repository, pull = grounds.open(spoken.entry.location), spoken.pull
    if pull is not None:
        _check_trust(spoken, pull)
        _resolved(pull.head, repository)
    command = spoken.command
    if isinstance(command, Compare):
        kind, good, bad = JobKind.COMPARE, _beginning(spoken, repository), pull.head if pull is not None else ""
        texts = ("", "")
        scenario = command.scenario or _only_scenario(spoken.entry, grounds)
    else:
        kind, texts = JobKind.BISECT, (command.good, command.bad)
        good, bad = (_named(text, spoken, repository) for text in texts)
        scenario = command.scenario
    trigger = Trigger(
        source=f"#{spoken.noted.comment.issue}",
        repository=spoken.entry.name,
        scenario=scenario,
        good=good,
        bad=bad,
    )
    ask = Ask(
        trigger=trigger,
        priority=Priority.PERSON,
        host_class=spoken.host_class,
        kind=kind,
        beside=(pull.head,) if pull is not None else (),
    )
    request = replace(request_of(ask, grounds), good_text=texts[0], bad_text=texts[1])
    if kind is JobKind.COMPARE:
        search = Search(direction=Direction.EITHER)
        return ask, replace(request, metrics=_every_metric(request.scenario), search=search)
    return ask, request


def scenarios_of(entry: RepositoryTable, grounds: Grounds) -> tuple[str, ...]:
    """The scenarios that may be asked for, by name."""
    known = known_scenarios(grounds.scenario_places(entry.location))
    return tuple(sorted(name for name in known if not entry.scenarios or name in entry.scenarios))


def _check_trust(spoken: Spoken, pull: PullRequest) -> None:
    """What is run has to be what was there when somebody who may write asked for it, behind a fence if a stranger's."""
    if not pull.foreign:
        return
    if spoken.entry.runner == "local":
        raise Refused("the pull request is of a fork, and this repository is measured without a container")
    if pull.pushed > spoken.noted.comment.written:
        raise Refused("something was pushed to the fork after the comment: look at it, and ask again")


def _beginning(spoken: Spoken, repository: Repository) -> Sha:
    """Where the pull request left the branch that it is to go to."""
    pull = spoken.pull
    if pull is None:
        raise Refused("only a pull request can be compared with where it began")
    if pull.base not in spoken.entry.branches:
        raise Refused("the pull request goes to a branch that is not configured", where=pull.base)
    return repository.merge_base(_resolved(pull.base, repository), pull.head)


def _named(text: str, spoken: Spoken, repository: Repository) -> Sha:
    if text == HEAD:
        return spoken.pull.head if spoken.pull is not None else _resolved(spoken.entry.branches[0], repository)
    return _resolved(text, repository)


def _resolved(name: str, repository: Repository) -> Sha:
    try:
        return repository.resolve(name).sha
    except RefError as error:
        raise Refused(error.what, where=name) from None


def _only_scenario(entry: RepositoryTable, grounds: Grounds) -> str:
    names = scenarios_of(entry, grounds)
    if len(names) != 1:
        raise Refused("no scenario is named, and there is not just one")
    return names[0]


def _every_metric(scenario: Scenario) -> tuple[str, ...]:
    """One measurement tells of all of them; of those that are there in case they are printed only runs can tell."""
    if any(metric.if_printed for metric in scenario.metrics):
        return ()
    return tuple(metric.name for metric in scenario.metrics)
