"""What is left to do, estimated from what the job has learnt for its runs so far. A guess, and told as one."""

import math
from dataclasses import dataclass

from bisector.core.model.investigation import Investigation
from bisector.core.model.samples import Purpose
from bisector.core.model.units import Seconds
from bisector.core.search.outlook import Outlook
from bisector.report import numbers

FIRST_RUNS = 8
"""Runs of both ends that a job begins with."""
VERIFYING_RUNS = 4
USUAL_RUNS_PER_BIT = 2.0
"""Runs a bit costs while the job has not shown its own rate: a run of a commit and one of a reference beside it."""
FEWEST_BITS, FEWEST_RUNS = 1.0, 12
"""Below these the job's own rate says nothing yet."""


NEGLIGIBLE_RUNS = 0.1
"""Less than this is the rest of doubt that always stays, and no run is made for it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """Runs, builds and seconds that are probably left; `seconds` is None while nothing was run."""

    runs: int
    builds: int
    seconds: Seconds | None

    def text(self) -> str:
        """The estimate in words that say what it is."""
        parts = [f"{numbers.count(self.runs, 'run')}", f"{numbers.count(self.builds, 'build')}"]
        time = f", {numbers.whole_seconds(self.seconds)}" if self.seconds is not None else ""
        return f"about {' and '.join(parts)}{time} to go (estimate)"


def remaining(investigation: Investigation, found: Outlook | None) -> Estimate | None:
    """What is left on the line of `found`; None where nothing is, or nothing is known of the range yet."""
    if investigation.verdict is not None or investigation.history is None or found is None:
        return None
    size = len(found.chances)
    wanted = math.log2(size + 1)
    left = min(entropy([*found.chances.tolist(), found.no_change]), wanted)
    runs = investigation.runs()
    gained = wanted - left
    own_rate = runs / gained if gained >= FEWEST_BITS and runs >= FEWEST_RUNS else USUAL_RUNS_PER_BIT
    first = max(FIRST_RUNS - runs, 0) if found.posterior is None else 0
    verified = any(sample.purpose is Purpose.VERIFY for sample in investigation.samples)
    searching = math.ceil(left * own_rate) if left * own_rate > NEGLIGIBLE_RUNS else 0
    runs_left = searching + first + (0 if verified else VERIFYING_RUNS)
    builds_left = math.ceil(math.log2(max(len(found.likely), 1))) + max(2 - len(investigation.builds), 0)
    if runs_left == builds_left == 0:
        return None
    return Estimate(runs=runs_left, builds=builds_left, seconds=_seconds(investigation, runs_left, builds_left))


def entropy(chances: list[float]) -> float:
    """Entropy in bits: how many halvings are left."""
    return -sum(chance * math.log2(chance) for chance in chances if chance > 0)


def _seconds(investigation: Investigation, runs: int, builds: int) -> Seconds | None:
    """Time for so many runs, warm-ups in proportion, and builds, at what they took so far."""
    walls = [sample.usage.wall for sample in investigation.samples if sample.usage is not None]
    measured = investigation.runs()
    if not measured or not walls:
        return None
    made = [build.seconds for build in investigation.builds.values() if not build.reused]
    return runs * sum(walls) / measured + builds * (sum(made) / len(made) if made else 0.0)
