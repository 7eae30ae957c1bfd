"""From runs of one commit to its noise, and from the noise to what can be seen, at what cost, and what to expect."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from bisector.core.model.calibration import Calibration
from bisector.core.search.build_models import ODD_SHARE
from bisector.core.search.kinds import two_kinds
from bisector.core.search.observations import FloatArray, IntArray, Settings

BOTH_ERRORS = 3.29
"""Standard errors at which a change is both told at 95 % and missed once in twenty: 1.645 twice."""
CLIPPED = 4.0
"""Deviations beyond which a run counts as that far out: a burst is not the usual noise."""
FAR = 3.0
"""Deviations beyond which a run says nothing of a drift, nor a build of others: a burst goes over several in a row."""
EFFECTS = np.array([0.25, 0.5, 1.0, 2.0, 4.0, 10.0])
CAPACITY = np.array([0.0111, 0.044, 0.161, 0.486, 0.913, 1.0])
"""Bits that one run can tell of the side its commit is on, for changes of so many deviations (Gaussian noise)."""
SIZES = np.array([1.5, 4.0])
ABOVE_BOUND, FEWEST, MOST = np.array([2.7, 1.2]), np.array([0.5, 0.85]), np.array([5.0, 1.3])
"""For changes of `SIZES` deviations: what a search takes as a multiple of the bound log2 N / capacity + ln(1 / error) /
(d² / 2), and between which multiples of that nine searches of ten end. Read from simulated searches (64 candidates, 15
each, d of 1, 1.5, 3 and 5) for a change just worth naming, which is the costliest to tell."""
LEAST_DRIFT_CHANCE, MOST_DRIFT_CHANCE = 0.02, 0.6
CORRELATED = 1.645
KINDS_KNOWN = 3.6, 0.4
"""How much likelier two kinds of builds are than one where they were seen before, odd ones on the side on which they
were and on the other: of eight builds of which one in four is odd it is the fewer in nine calibrations of ten."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """One run of a calibration: of which build (0 the first), and its value. Readings stand in the order of time."""

    build: int
    value: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Outlay:
    """What a search is expected to take: runs with the range nine of ten lie in, and builds."""

    runs: int
    fewest: int
    most: int
    builds: int


def calibration_of(metric: str, readings: Sequence[Reading], *, same_build: bool = False) -> Calibration:
    """The noise in `readings`: analysis of variance with builds as a random effect. At least 2 builds, 2 runs each.

    `same_build` says that the builds are equal: that they do not differ then says nothing of those of other commits.
    """
    values = np.array([reading.value for reading in readings], dtype=float)
    builds = np.array([reading.build for reading in readings])
    names = np.unique(builds)
    if len(names) < 2 or len(values) < 2 * len(names):
        raise ValueError("two runs of two builds are the least that noise can be told from")
    level = float(np.median(values))
    scaled = np.log(values) if (values > 0).all() else values / (abs(level) or 1.0)
    runs = len(values) / len(names)
    middle = np.array([np.median(scaled[builds == name]) for name in names])
    left = scaled - middle[np.searchsorted(names, builds)]
    spread = 1.4826 * float(np.median(np.abs(left))) or np.inf
    drawn_in = scaled - left + np.clip(left, -CLIPPED * spread, CLIPPED * spread)
    means = np.array([drawn_in[builds == name].mean() for name in names])
    residuals = within_builds(drawn_in, builds)
    sigma = float(np.sqrt((residuals**2).sum() / (len(values) - len(names))))
    # How far kinds lie apart is kept as a logarithm: elsewhere the search has a unit of its own.
    kinds = two_kinds(means, sigma / np.sqrt(runs)) if (values > 0).all() else None
    alike = means if kinds is None else means - kinds.gap * kinds.odd
    between = float(runs * alike.var(ddof=1 if kinds is None else 2))
    near = np.abs(left) <= FAR * spread
    usual = within_builds(scaled[near], builds[near])
    return Calibration(
        metric=metric,
        runs=round(runs),
        builds=len(names),
        level=level,
        sigma=sigma,
        tau=float(np.sqrt(max(between - sigma**2, 0.0) / runs)),
        between=between,
        gap=0.0 if kinds is None else kinds.gap,
        autocorrelation=_autocorrelation(usual),
        drift=drift_of(usual, sigma),
        same_build=same_build,
    )


def within_builds(values: FloatArray, builds: IntArray) -> FloatArray:
    """Values about the mean of their build; `builds` names that of each."""
    _, unit = np.unique(builds, return_inverse=True)
    return np.asarray(values - (np.bincount(unit, values) / np.bincount(unit))[unit])


def informed(settings: Settings, known: Calibration, sign: float = 1.0) -> Settings:
    """`settings` with what is `known` of builds and drift as prior: insurance costs nothing where it is not needed.

    `sign` is 1 where larger values of the metric are larger in the search's units, too, and -1 where smaller ones are.

    The between-builds mean square over σ²(1 + r ρ²) is chi-squared with builds - 1 degrees of freedom, for each ratio ρ
    of build to run deviation; that likelihood times the usual prior is the new one. Builds of one commit that came out
    equal leave the usual one: each commit may still be fast or slow by where its code happens to lie.
    """
    ratios, usual = np.array(settings.tau_ratios), np.array(settings.tau_prior)
    sigma = max(known.sigma, 1e-12)
    expected = 1 + known.runs * ratios**2
    degrees = 0 if known.same_build else max(known.builds - 1 - (known.gap != 0), 0)
    log_weight = -degrees / 2 * (np.log(expected) + known.between / sigma**2 / expected) + np.log(usual)
    weight = np.exp(log_weight - log_weight.max())
    count = known.neighbours or known.runs * known.builds
    moves = known.drift != 0.0 or known.autocorrelation * np.sqrt(count) > CORRELATED
    # A calibration sees no drift for as long as it takes, and a search may take longer: a little is kept.
    drift = MOST_DRIFT_CHANCE if moves else max(LEAST_DRIFT_CHANCE, settings.prior_drift / (1 + count / 10))
    chances = weight / weight.sum()
    kept = 0.95 * chances + 0.05 * usual / usual.sum()
    told = replace(settings, tau_prior=tuple(float(each) for each in kept), prior_drift=float(drift))
    if not known.gap:
        return told
    there, other = KINDS_KNOWN
    return replace(told, gap=abs(known.gap), kinds_prior=(there, other) if sign * known.gap > 0 else (other, there))


def visible(known: Calibration, runs: int) -> float:
    """The smallest relative change that `runs` runs of each of two commits, one build each, tell from none: the two may
    be of both kinds."""
    error = np.sqrt(2 * known.tau**2 + 2 * known.sigma**2 / max(runs, 1))
    return float(np.expm1(abs(known.gap) + BOTH_ERRORS * error))


def runs_for(known: Calibration, effect: float) -> int | None:
    """Runs of each of two commits that tell a change of `effect`; None where no number does, for builds differ more."""
    room = (max(np.log1p(effect) - abs(known.gap), 0.0) / BOTH_ERRORS) ** 2 - 2 * known.tau**2
    return int(np.ceil(2 * known.sigma**2 / room)) if room > 0 and known.sigma >= 0 else None


def outlay(known: Calibration, candidates: int, effect: float, error: float) -> Outlay:
    """What finding a change of `effect` among so many candidates takes, to be wrong with a chance of `error`.

    Where builds are of two kinds the search knows which are odd, and needs as many more as it takes to get another.
    """
    spread = max(float(np.hypot(known.sigma, known.tau)), 1e-9)
    size = float(np.clip(np.log1p(effect) / spread, EFFECTS[0], EFFECTS[-1]))
    bits = np.log2(max(candidates, 1))
    capacity = float(np.interp(np.log(size), np.log(EFFECTS), CAPACITY))
    above, low, high = (float(np.interp(size, SIZES, known)) for known in (ABOVE_BOUND, FEWEST, MOST))
    search = above * (bits / capacity + np.log(1 / error) / (size**2 / 2))
    tries = 1 / (1 - ODD_SHARE) if known.gap else 1.0
    runs = tries * (8 + search + 2 * float(np.clip(np.ceil(6 / size**2), 2, 24)))
    builds = int(np.ceil(tries * (np.ceil(bits) + 2 + (0 if size >= 2 else np.ceil(bits / 2)))))
    return Outlay(
        runs=round(runs), fewest=round(low * runs), most=round(high * runs), builds=min(builds, candidates + 1)
    )


def _autocorrelation(residuals: FloatArray) -> float:
    """Correlation of residuals that follow each other; 0 where there is no noise."""
    total = float(residuals @ residuals)
    return float(residuals[:-1] @ residuals[1:]) / total if total > 0 else 0.0


def drift_of(residuals: FloatArray, sigma: float) -> float:
    """How far the second half lies from the first; 0 where three standard errors hold the difference."""
    half = len(residuals) // 2
    moved = float(residuals[half:].mean() - residuals[:half].mean())
    error = sigma * np.sqrt(1 / half + 1 / (len(residuals) - half))
    return moved if abs(moved) > 3 * error else 0.0
