"""When a likely answer is verified once more, how many runs that takes, and whether what was verified held."""

from itertools import combinations

import numpy as np

from bisector.core.search.observations import Observations, Settings, Verification
from bisector.core.search.posterior import Posterior

LEAST_RISE, MOST_ROUNDS = 0.25, 2
"""Part of the step that fresh runs have to show, else they are made once more: the step may have been a burst. Rounds
that verify one pair in all, before the search ends without it, and a third where they disagree."""
UNEVEN = 0.125
"""Deviation of builds, as a part of the step, from which one pair of fresh builds may show a step by luck alone."""


def wants_verifying(
    observations: Observations, posterior: Posterior, settings: Settings, places: tuple[int, int], *, afresh: bool
) -> bool:
    """Whether the pair (parent, culprit) at `places` has to be measured afresh before it is an answer.

    Once at least; twice where that is `afresh`, on other builds each time, and builds may deviate by a good part of
    the step: of two modes one fresh pair shows such a step once in four times, and nothing of how far builds differ.
    """
    rounds, borne_out = _counted(observations, places)
    if rounds >= MOST_ROUNDS:
        return rounds == 2 * borne_out
    uneven = afresh and not posterior.exact and posterior.tau >= UNEVEN * posterior.step
    return not rounds or uneven or not held(observations, posterior, settings, places)


def is_borne_out(observations: Observations, places: tuple[int, int]) -> bool:
    """Whether most rounds of fresh runs of the pair showed a change worth naming."""
    rounds, borne_out = _counted(observations, places)
    return 2 * borne_out > rounds


def held(observations: Observations, posterior: Posterior, settings: Settings, places: tuple[int, int]) -> bool:
    """Whether fresh runs of the pair showed enough of the step."""
    return bool(_shown(observations, places, posterior.step, two_sided=settings.two_sided))


def held_on_other_builds(observations: Observations, places: tuple[int, int], step: float, *, two_sided: bool) -> bool:
    """Whether two pairs of builds, all of them made afresh, each showed enough of the `step`."""
    shown = [v.numbers for v in _shown(observations, places, step, two_sided=two_sided) if min(v.numbers) > 0]
    return any(one[0] != other[0] and one[1] != other[1] for one, other in combinations(shown, 2))


def verify_pairs(posterior: Posterior, settings: Settings) -> int:
    """How many runs of each of the two a round takes, for the step to stand out of the noise."""
    if posterior.exact:
        return 1
    step = max(posterior.step, 1e-12)
    least, most = settings.verify_pairs
    return int(np.clip(np.ceil(6 * (posterior.sigma / step) ** 2), least, most))


def _counted(observations: Observations, places: tuple[int, int]) -> tuple[int, int]:
    """How many rounds verified the pair, and how many of them it passed."""
    rounds = [v.passed for v in observations.verifications if (v.parent, v.culprit) == places]
    return len(rounds), sum(rounds)


def _shown(observations: Observations, places: tuple[int, int], step: float, *, two_sided: bool) -> list[Verification]:
    """The rounds of the pair that showed enough of the `step`, those of which no size was kept among them."""
    rounds = [v for v in observations.verifications if (v.parent, v.culprit) == places]
    return [v for v in rounds if v.rise is None or (abs(v.rise) if two_sided else v.rise) > LEAST_RISE * step]
