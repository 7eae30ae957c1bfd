"""The state a run finds: what is set up and prepared before it, where data sets lie, which seed it is told."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from bisector.adapters.measure.outcome import REASON_LIMIT
from bisector.adapters.measure.places import Places
from bisector.adapters.measure.record import Record
from bisector.adapters.measure.steps import Failure, judge_step
from bisector.core.model.samples import Outcome
from bisector.core.model.scenario import RunRecipe
from bisector.core.model.units import Seconds
from bisector.engine.ports import RunRecord

HASH_SEED = "PYTHONHASHSEED"
Shell = Callable[[str, Seconds], Record | Failure]
"""Runs shell lines where the next run is made, for at most so many seconds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """What came of setting up and preparing: why there can be no run, and how long it took."""

    failed: RunRecord | None = None
    seconds: Seconds = 0.0

    def told(self, record: RunRecord) -> RunRecord:
        """The record of the run that followed."""
        return replace(record, prepared=self.seconds)


def known_places(places: Places, recipe: RunRecipe, state: str, data: Mapping[str, str]) -> Places:
    """`places` with what the recipe says of the state: the directory that is kept, where data sets lie, the seed."""
    more = {f"data.{name}": at for name, at in data.items()}
    more["target"] = recipe.target or "http://127.0.0.1:{port}"
    if recipe.keeps_state:
        more["state"] = state
    if recipe.seed is not None:
        more["seed"] = str(recipe.seed)
    return replace(places, more=more)


def state_env(places: Places, recipe: RunRecipe) -> dict[str, str]:
    """The same as variables, for whoever is given no words."""
    env = {each.variable: places.more[f"data.{each.name}"] for each in recipe.data}
    if recipe.keeps_state:
        env["BISECTOR_STATE"] = places.more["state"]
    if recipe.seed is not None:
        env["BISECTOR_SEED"] = str(recipe.seed)
    return env


def unfixed_hashes(image_env: Mapping[str, str], recipe: RunRecipe) -> dict[str, str]:
    """What lets Python draw its hash seed anew for every process where an image fixes it: the order of sets would be
    a part of every run of a build, and look like the commit's doing. A recipe that names the seed means it."""
    fixed = image_env.get(HASH_SEED, "random") != "random"
    return {HASH_SEED: "random"} if fixed and HASH_SEED not in recipe.env else {}


def make_ready(recipe: RunRecipe, places: Places, shell: Shell, *, new: bool) -> Prepared:
    """Set up, where the place is `new`, and prepare the next run."""
    begun = time.monotonic()
    stages = (("setup", recipe.setup if new else (), recipe.setup_seconds),)
    for what, lines, seconds in (*stages, ("prepare", recipe.prepare, recipe.prepare_seconds)):
        if lines:
            record = shell("\n".join(places.fill_all(lines)), seconds)
            failed = _judged(record, what, seconds)
            if failed is not None:
                return Prepared(failed=failed, seconds=time.monotonic() - begun)
    return Prepared(seconds=time.monotonic() - begun) if recipe.keeps_state else Prepared()


def shell_words(lines: str) -> tuple[str, ...]:
    """The command that runs shell lines until one fails."""
    return ("sh", "-ec", lines)


def _judged(record: Record | Failure, what: str, seconds: Seconds) -> RunRecord | None:
    """Why there can be no run. One that was not prepared in time is not a slow one: it has no time."""
    if isinstance(record, Record):
        output = record.stderr or record.stdout
        failure = judge_step(record, what, seconds, output)
    else:
        output, failure = b"", Failure(outcome=record.outcome, reason=f"{what} failed: {record.reason}")
    if failure is None:
        return None
    reason = failure.reason.replace("the build's ", "its ")
    outcome = Outcome.OOM if failure.outcome is Outcome.OOM else Outcome.BENCH_FAILED
    return RunRecord(outcome=outcome, reason=reason[:REASON_LIMIT], stderr=output)
