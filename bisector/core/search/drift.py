"""A machine that drifts: the same posterior when the level of everything wanders in time.

value = level of the side + w(time) + offset of the build + noise, w a random walk. All but the side a unit is on is
Gaussian and integrated out in closed form (generalised least squares; levels flat, variance by Jeffreys' prior), over
a few speeds of the walk and deviations of builds. The speed 0 is among them, so that the same sums say how far the data
speak for a drift at all.
"""

from dataclasses import dataclass

import numpy as np

from bisector.core.model.history import BoolArray
from bisector.core.model.special import gammaln, stdtr
from bisector.core.search.bursts import agree, quiet_reach
from bisector.core.search.levels import OTHER_SHARE, log_sum
from bisector.core.search.noise import centre, shortest_half
from bisector.core.search.observations import Classes, FloatArray, IntArray, Observations, Settings

SPEEDS = np.array([0.0, 0.0025, 0.01, 0.04, 0.12, 0.5, 4.0])
"""Variance that the walk gains during one run, in units of the variance of one run."""
FEWEST_RUNS = 8
MOST_BATCHES = 80
ERASED_FROM = 8.0
"""Deviations from every level in sight from which a run says nothing here (a burst)."""
FEWEST_OF_A_LEVEL = 3
"""Runs of a commit that have to agree before they are a level of their own."""


@dataclass(frozen=True, kw_only=True)
class Drift:
    """What the observations amount to if the level wanders.

    `odds` are the log odds that it does, by the data alone; `probability` and `no_change` hold given that it does.
    `mean[m, s]` and `variance[m, s]` are of side s at the time of the last run under class m, and last under "no
    change"; `common` is the part of the variance that both sides share, which a reference run takes away, and `speed`
    what it gains during one run. `unit_mean` are the units' levels brought to the same time, with their covariance.
    """

    odds: float
    probability: FloatArray
    no_change: float
    mean: FloatArray
    variance: FloatArray
    common: float
    speed: float
    unit_mean: FloatArray
    unit_covariance: FloatArray
    sigma: float
    tau: float


@dataclass(frozen=True, kw_only=True)
class _Batches:
    """Runs of one unit close in time, as one mean each. `scatter` is the square sum inside them."""

    time: FloatArray
    unit: IntArray
    mean: FloatArray
    count: FloatArray
    scatter: float
    units: int

    @classmethod
    def of(cls, observations: Observations, times: FloatArray, values: FloatArray, kept: FloatArray) -> "_Batches":
        """The batches of the runs with weight `kept`, in the order of `times`."""
        order = np.argsort(times, kind="stable")
        units = len(observations.unit_place)
        group = _groups(observations.run_unit[order], units)
        value, weight, time = values[order], kept[order], times[order]
        count = np.bincount(group, weight).astype(np.float64)
        mean = np.bincount(group, weight * value) / count
        middle = np.bincount(group, weight * time) / count
        unit = np.zeros(len(count), dtype=np.int64)
        unit[group] = observations.run_unit[order]
        sooner = np.argsort(middle, kind="stable")
        return cls(
            time=middle[sooner],
            unit=unit[sooner],
            mean=mean[sooner],
            count=count[sooner],
            scatter=float(weight @ (value - mean[group]) ** 2),
            units=units,
        )


def _groups(unit: IntArray, units: int) -> IntArray:
    """The batch of each run, runs in the order of time: those that follow each other on one unit.

    Where that makes too many, the time is cut into stretches and a unit's runs in one stretch are a batch: the work
    grows with the cube of their number.
    """
    group = np.cumsum(np.diff(unit, prepend=-1) != 0) - 1
    stretches = len(unit)
    while group.max() >= MOST_BATCHES and stretches > 1:
        stretches = stretches * 3 // 4
        cell = np.arange(len(unit)) * stretches // len(unit) * units + unit
        group = (np.cumsum(np.bincount(cell) > 0) - 1)[cell]
    return np.asarray(group)


@dataclass(frozen=True, kw_only=True)
class _Models:
    """Products of units, values and the walk's end in the metric of the covariance; the first axis is the model."""

    info: FloatArray
    pull: FloatArray
    square: FloatArray
    log_volume: FloatArray
    ahead: FloatArray
    ahead_value: FloatArray
    ahead_variance: FloatArray

    @classmethod
    def of(cls, batches: _Batches, speeds: FloatArray, ratios: FloatArray) -> "_Models":
        """One model for each walk of `speeds` with builds that deviate by `ratios`, in units of a run's noise."""
        since = batches.time - batches.time[0]
        walk = np.minimum(since[:, None], since[None, :])
        same = (batches.unit[:, None] == batches.unit[None, :]).astype(float)
        covariance = speeds[:, None, None] * walk + (ratios**2)[:, None, None] * same
        own = np.arange(len(since))
        covariance[:, own, own] += 1 / batches.count
        root = np.linalg.cholesky(covariance)
        member = (batches.unit[:, None] == np.arange(batches.units)).astype(float)
        columns = np.empty((len(speeds), len(since), batches.units + 2))
        columns[:, :, :-2] = member
        columns[:, :, -2] = batches.mean
        columns[:, :, -1] = speeds[:, None] * since
        white = np.linalg.solve(root, columns)
        gram = np.swapaxes(white, 1, 2) @ white
        return cls(
            info=gram[:, :-2, :-2],
            pull=gram[:, :-2, -2],
            square=gram[:, -2, -2] + batches.scatter,
            log_volume=np.log(np.diagonal(root, axis1=1, axis2=2)).sum(axis=1),
            ahead=gram[:, :-2, -1],
            ahead_value=gram[:, -1, -2],
            ahead_variance=speeds * since[-1] - gram[:, -1, -1],
        )


@dataclass(frozen=True, kw_only=True)
class _Fit:
    """Under each model (first axis): log evidence and levels at the last run of every class and, last, of no change."""

    evidence: FloatArray
    mean: FloatArray
    variance: FloatArray
    common: FloatArray
    noise: FloatArray


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """How many runs count, the smallest change, how far apart levels may lie, and whether either direction counts."""

    runs: float
    threshold: float
    reach: float
    two_sided: bool
    log_weight: FloatArray
    """Log of each class's share of the prior."""


def find_drift(
    observations: Observations, values: FloatArray, classes: Classes, settings: Settings, reach: float
) -> Drift | None:
    """The posterior with a walk in time; None where times are unknown or the runs too few.

    `reach` is how far apart the two levels may lie a priori.
    """
    if observations.times is None or observations.exact or len(values) < FEWEST_RUNS:
        return None
    kept = _kept(observations, values, observations.times)
    batches = _Batches.of(observations, observations.times, values, kept)
    runs = float((kept > 0.5).sum())
    with np.errstate(divide="ignore"):
        weight = np.log(classes.weight / classes.weight.sum())
    prior = np.append(weight + np.log(1 - settings.prior_no_change), np.log(settings.prior_no_change))
    asked = _Asked(
        runs=runs, threshold=observations.threshold, reach=reach, two_sided=settings.two_sided, log_weight=weight
    )
    speeds = np.repeat(SPEEDS, len(settings.tau_ratios))
    ratios, chances = (np.tile(each, len(SPEEDS)) for each in (settings.tau_ratios, settings.tau_prior))
    models = _Models.of(batches, speeds, ratios)
    fit = _fit(models, classes, asked)
    evidence = fit.evidence + prior + np.log(chances)[:, None]
    return _average(evidence, fit, models, speeds, ratios)


def _kept(observations: Observations, values: FloatArray, times: FloatArray) -> FloatArray:
    """1 for a run, next to nothing for one that lies far from both ends' levels and from any of its own commit.

    Not far from everything else: of a large step the side with fewer runs would be taken for a burst.
    """
    place = observations.unit_place[observations.run_unit]
    apart = np.abs(values[:, None] - _levels_of_ends(observations, values)).min(axis=1)
    reach = ERASED_FROM * max(1.4826 * float(np.median(apart)), 1e-300)
    spell = _spells(times, apart > reach)
    kept = apart <= reach
    for each in np.unique(place[~kept]):
        own = place == each
        near = own & (np.abs(values - np.median(values[own])) <= reach)
        # A burst over a few runs in a row makes no level, however well they agree: a level is there again later on.
        if near.sum() >= max(FEWEST_OF_A_LEVEL, own.sum() / 2) and len(np.unique(spell[near])) > 1:
            kept |= near
    return np.where(kept, 1.0, 1e-4)


def _levels_of_ends(observations: Observations, values: FloatArray) -> FloatArray:
    """The levels of both ends, and of all runs together where those of an end do not agree (most fell into a burst)."""
    reach = quiet_reach(observations, values)
    ends = [observations.unit_place == end for end in (observations.low, observations.high)]
    runs = [own for end in ends if len(own := values[end[observations.run_unit]])]
    levels = [level for own in runs if agree(own, level := centre(own), reach)]
    return np.array(levels if len(levels) == len(runs) else [*levels, shortest_half(values)])


def _spells(times: FloatArray, far: BoolArray) -> IntArray:
    """For each run how many runs that were not `far` from all levels had begun before it: the same within one burst."""
    order = np.argsort(times, kind="stable")
    spell = np.empty(len(times), dtype=np.int64)
    spell[order] = np.cumsum(~far[order])
    return spell


def _fit(models: _Models, classes: Classes, asked: _Asked) -> _Fit:
    bad = classes.bad.astype(float)
    sides = np.stack([1 - bad, bad], axis=1)
    info = sides @ (models.info[:, None] @ np.swapaxes(sides, 1, 2))
    # A class that cannot hold the culprit may have all units on one side: it counts for nothing, but has to be solved.
    info[:, ~np.isfinite(asked.log_weight)] += np.eye(2)
    determinant = info[..., 0, 0] * info[..., 1, 1] - info[..., 0, 1] ** 2
    inverse = np.stack([info[..., 1, 1], -info[..., 0, 1], -info[..., 0, 1], info[..., 0, 0]], axis=-1)
    inverse = inverse.reshape(info.shape) / determinant[..., None, None]
    pull, ahead = (np.moveaxis(sides @ each.T, -1, 0) for each in (models.pull, models.ahead))
    level = (inverse @ pull[..., None])[..., 0]
    left = np.maximum(models.square[:, None] - (pull * level).sum(axis=-1), 1e-300)
    change, other = _evidence_of_levels(left, level, inverse, asked)
    change, other = (each - 0.5 * np.log(determinant) for each in (change, other))

    total, alone = models.info.sum(axis=(1, 2)), models.pull.sum(axis=1)
    common = alone / total
    rest = np.maximum(models.square - common * alone, 1e-300)
    flat = _student(rest, asked.runs - 1) - 0.5 * np.log(total) - np.log(max(asked.reach, asked.threshold))
    apart = log_sum(other + asked.log_weight)
    none = np.logaddexp(flat + np.log(1 - OTHER_SHARE), apart + np.log(OTHER_SHARE))

    noise = np.column_stack([left / max(asked.runs - 4, 1), rest / max(asked.runs - 3, 1)])
    lean = np.eye(2) - ahead[..., None, :]
    spread = lean @ inverse @ np.swapaxes(lean, -1, -2)
    lean_one = 1 - models.ahead.sum(axis=1)
    spread_one = np.broadcast_to((lean_one**2 / total)[:, None, None, None], (len(total), 1, 2, 2))
    covariance = np.concatenate([spread, spread_one], axis=1) + models.ahead_variance[:, None, None, None]
    covariance *= noise[..., None, None]
    now = level + (models.ahead_value[:, None] - (ahead * level).sum(axis=-1))[..., None]
    one = np.broadcast_to((common * lean_one + models.ahead_value)[:, None, None], (len(total), 1, 2))
    return _Fit(
        evidence=np.column_stack([change, none]) - models.log_volume[:, None],
        mean=np.concatenate([now, one], axis=1),
        variance=np.diagonal(covariance, axis1=-2, axis2=-1),
        common=covariance[..., 0, 1],
        noise=noise,
    )


def _evidence_of_levels(
    left: FloatArray, level: FloatArray, inverse: FloatArray, asked: _Asked
) -> tuple[FloatArray, FloatArray]:
    """Log evidence of levels that differ by a change worth naming, and of two others, volumes apart."""
    free = asked.runs - 2
    step = level[..., 1] - level[..., 0]
    error = np.sqrt(left / free * (inverse[..., 0, 0] + inverse[..., 1, 1] - 2 * inverse[..., 0, 1]))
    allowed = stdtr(free, (step - asked.threshold) / error)
    area = max(asked.reach - asked.threshold, asked.threshold) ** 2
    if asked.two_sided:
        allowed, area = allowed + stdtr(free, (-step - asked.threshold) / error), 2 * area
    data = _student(left, free)
    with np.errstate(divide="ignore"):
        change = data + np.log(allowed) + np.log(2) - np.log(area)
    other = data + np.log1p(-np.minimum(allowed, 1 - 1e-12)) - 2 * np.log(max(asked.reach, asked.threshold))
    return np.asarray(change), np.asarray(other)


def _student(left: FloatArray, free: float) -> FloatArray:
    """Log density of the data given levels and variance integrated out; `left` is the residual square sum."""
    return np.asarray(gammaln(free / 2) - free / 2 * np.log(np.pi * left))


def _average(evidence: FloatArray, fit: _Fit, models: _Models, speeds: FloatArray, ratios: FloatArray) -> Drift:
    """Average over the moving models, as the data weigh them."""
    moving = speeds > 0
    odds = log_sum(evidence[moving].ravel()) - np.log(len(SPEEDS) - 1) - log_sum(evidence[~moving].ravel())
    share = np.where(moving[:, None], np.exp(evidence - evidence[moving].max()), 0.0)
    share /= share.sum()
    by_class, by_model = share.sum(axis=0), share.sum(axis=1)
    within = (share / np.maximum(by_class, 1e-300))[..., None]
    mean = (within * fit.mean).sum(axis=0)
    square = (within * (fit.variance + fit.mean**2)).sum(axis=0)
    variance = float((share * fit.noise).sum())
    # Units are levelled under the likeliest speed, their own deviations left in.
    steady_builds = np.flatnonzero(moving & (ratios == ratios.min()))
    by_speed = np.array([by_model[speeds == speeds[k]].sum() for k in steady_builds])
    best = int(steady_builds[np.argmax(by_speed)])
    free = np.linalg.inv(models.info[best])
    unit = free @ models.pull[best]
    return Drift(
        odds=float(odds),
        probability=by_class[:-1],
        no_change=float(by_class[-1]),
        mean=mean,
        variance=np.maximum(square - mean**2, 1e-300),
        common=max(float((share * fit.common).sum()), 0.0),
        speed=float((share * fit.noise * speeds[:, None]).sum()),
        unit_mean=unit + models.ahead_value[best] - float(models.ahead[best] @ unit),
        unit_covariance=np.asarray(variance * free, dtype=np.float64),
        sigma=float(np.sqrt(variance)),
        tau=float(np.sqrt((share * fit.noise * (ratios**2)[:, None]).sum())),
    )
