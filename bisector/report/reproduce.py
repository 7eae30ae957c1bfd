"""The command that asks for the same job again, with full names, the image's id and the seed."""

from collections.abc import Iterable, Iterator

from bisector.core.model.request import JobKind, Request, Search
from bisector.core.model.scenario import BuildRecipe, Metric, ProfileRecipe, RunRecipe
from bisector.core.model.trial import TrialKind
from bisector.formats.results import MEASURED, metric_of_command
from bisector.formats.scenario_metrics import WALL
from bisector.report import numbers
from bisector.report.shell import LONGEST, command_line
from bisector.report.text import redacted

SIMULATED = "simulated:"
"""What the repository of a simulated job begins with; its world follows."""


def reproduce_command(request: Request, scenario: str | None = None) -> str:
    """The exact command line for `request`.

    `scenario` is the name or path the person gave. Without one the command itself is spelt out where options can say
    all that the scenario says; else the scenario's own name stands for it.
    """
    words = list(_question(request))
    if request.kind is JobKind.TRY:
        return _line([*words, *_options(request)])
    if request.repository.startswith(SIMULATED):
        words += ["--simulate", request.repository.removeprefix(SIMULATED), *_metrics(request.metrics)]
        return _line([*words, *_options(request)])
    spelling = _spelling(request) if scenario is None else None
    words += ["--repo", request.repository]
    if spelling is None:
        words += ["--scenario", scenario or request.scenario.name]
    words += ["--runner", request.runner]
    words += _metrics(request.metrics if spelling is not None else tuple(metric.name for metric in request.asked))
    words += _options(request)
    image = request.image_id or (request.scenario.build.image if spelling is not None else None)
    if image is not None:
        words += ["--image", image]
    return _line([*words, *(spelling or ())])


def _question(request: Request) -> Iterator[str]:
    """The command and what it is about, before any option."""
    trial = request.trial
    if trial is None:
        yield from ("bisector", request.kind, request.good)
        yield "." if request.worktree is not None else request.bad
    elif request.kind is JobKind.TRY:
        yield from ("bisector", request.kind, trial.text or "PATCH", trial.job)
    else:
        yield from ("bisector", request.kind, trial.commit or "", "--good", request.good, "--bad", request.bad)
        if trial.kind is TrialKind.APPLY:
            yield "--apply"


def _line(words: Iterable[str]) -> str:
    """The words as a command line; a credential in one of them is left out, and then has to be filled in again."""
    return command_line(redacted(word[:LONGEST]) for word in words)


def _metrics(names: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        yield from ("--metric", name)


def _options(request: Request) -> Iterator[str]:
    """The seed, and every other option that differs from its default."""
    search, budget, usual = request.search, request.budget, Search()
    yield from ("--seed", str(search.seed))
    if search.min_effect is not None:
        yield from ("--min-effect", numbers.exact(search.min_effect))
    if search.confidence != usual.confidence:
        yield from ("--confidence", numbers.exact(search.confidence))
    if request.kind is JobKind.BISECT:
        yield from _search(search)
        yield from _proof(request)
    if budget.runs is not None:
        yield from ("--max-runs", str(budget.runs))
    if budget.builds is not None:
        yield from ("--max-builds", str(budget.builds))
    if budget.seconds is not None:
        yield from ("--max-time", f"{numbers.exact(budget.seconds)}s")
    if request.scenario.build.as_of:
        yield from ("--as-of", request.scenario.build.as_of)
    if not request.reuse_samples:
        yield "--no-reuse"
    if request.duet:
        yield "--duet"
    if request.parallel > 1:
        yield from ("--parallel", str(request.parallel))


def _search(search: Search) -> Iterator[str]:
    usual = Search()
    if search.direction is not usual.direction:
        yield from ("--direction", search.direction)
    if search.every_commit:
        yield "--every-commit"
    if not search.descend:
        yield "--no-descend"
    if not search.parts:
        yield "--no-packages"
    for commit in search.skip:
        yield from ("--skip", commit)
    for path in search.paths:
        yield from ("--path", path)
    for path in search.suspects:
        yield from ("--suspect", path)
    if search.across is not usual.across:
        yield from ("--across-runs", search.across)
    if search.bracket is not usual.bracket:
        yield from ("--bracket", search.bracket)
    if search.crash_is_bad:
        yield "--crash-is-bad"
    if not search.prior:
        yield "--no-prior"


def _proof(request: Request) -> Iterator[str]:
    """The attempts to prove the answer wrong that were asked for."""
    if request.verify_revert:
        yield "--verify-revert"
    if request.head is not None:
        yield from ("--head", request.head)


def _spelling(request: Request) -> list[str] | None:
    """The scenario as options with its command last; None where options cannot say everything that it says."""
    scenario, results = request.scenario, _results(request)
    build, run = scenario.build, scenario.run
    if scenario.files or results is None or scenario.profile != ProfileRecipe():
        return None
    spelt = BuildRecipe(image=build.image, steps=build.steps, as_of=build.as_of)
    if build != spelt or run != RunRecipe(command=run.command):
        return None
    steps = [word for step in build.steps for word in ("--build", step)]
    return [*steps, *results, "--", *run.command]


def _results(request: Request) -> list[str] | None:
    """The options that make the scenario's metrics, together with the names that are asked for; None without any."""
    metrics, names = request.scenario.metrics, request.metrics
    if not names and metrics == (Metric(name="printed", source="printed", if_printed=True), WALL):
        return []
    if names and metrics == tuple(metric_of_command(name if name in MEASURED else "json", name) for name in names):
        return []
    if len(metrics) != 1:
        return None
    metric, source = metrics[0], metrics[0].source
    made = metric_of_command(source, names[0] if names else "")
    return ["--results", source] if metric == made else None
