"""A machine that drifts: the same posterior when the level of everything wanders in time.

value = level of the side + w(time) + offset of the build + noise, w a random walk. All but the side a unit is on is
Gaussian and integrated out in closed form (generalised least squares; levels flat, variance by Jeffreys' prior), over
a few speeds of the walk and deviations of builds. The speed 0 is among them, so that the same sums say how far the data
speak for a drift at all.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, stdtr

from bisector.core.search.levels import OTHER_SHARE, log_sum
from bisector.core.search.observations import Classes, FloatArray, IntArray, Observations, Settings

SPEEDS = (0.0, 0.0025, 0.01, 0.04, 0.12)
"""Variance that the walk gains during one run, in units of the variance of one run."""
FEWEST_RUNS = 8
ERASED_FROM = 8.0
"""Deviations about the median of everything from which a run says nothing here (a burst)."""


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
    """Runs that followed each other on one unit, as one mean each. `scatter` is the square sum inside them."""

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
        unit, time = observations.run_unit[order], times[order]
        value, weight = values[order], kept[order]
        starts = np.flatnonzero(np.diff(unit, prepend=-1) != 0)
        total = np.add.reduceat(weight, starts)
        mean = np.add.reduceat(weight * value, starts) / total
        middle = np.repeat(mean, np.diff(np.append(starts, len(unit))))
        return cls(
            time=np.add.reduceat(weight * time, starts) / total,
            unit=unit[starts],
            mean=mean,
            count=total,
            scatter=float(weight @ (value - middle) ** 2),
            units=len(observations.unit_place),
        )


@dataclass(frozen=True, kw_only=True)
class _Model:
    """One speed and build deviation: products of units, values and the walk's end in the metric of the covariance."""

    info: FloatArray
    pull: FloatArray
    square: float
    log_volume: float
    ahead: FloatArray
    ahead_value: float
    ahead_variance: float

    @classmethod
    def of(cls, batches: _Batches, speed: float, ratio: float) -> "_Model":
        """The products for a walk of `speed` and builds that deviate by `ratio`, both in units of a run's noise."""
        since = batches.time - batches.time[0]
        covariance = np.diag(1 / batches.count) + speed * np.minimum(since[:, None], since[None, :])
        covariance += ratio**2 * (batches.unit[:, None] == batches.unit[None, :])
        root = np.linalg.cholesky(covariance)
        member = (batches.unit[:, None] == np.arange(batches.units)).astype(float)
        columns = np.column_stack([member, batches.mean, speed * since])
        white = np.linalg.solve(root, columns)
        gram = white.T @ white
        units = batches.units
        return cls(
            info=gram[:units, :units],
            pull=gram[:units, units],
            square=float(gram[units, units]) + batches.scatter,
            log_volume=float(np.log(np.diag(root)).sum()),
            ahead=gram[:units, units + 1],
            ahead_value=float(gram[units, units + 1]),
            ahead_variance=speed * float(since[-1]) - float(gram[units + 1, units + 1]),
        )


@dataclass(frozen=True, kw_only=True)
class _Fit:
    """Under one model: log evidence and levels at the last run of every class and, last, of "no change"."""

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
    kept = _kept(values)
    batches = _Batches.of(observations, observations.times, values, kept)
    runs = float((kept > 0.5).sum())
    ratios, chances = np.array(settings.tau_ratios), np.array(settings.tau_prior)
    models = [[_Model.of(batches, speed, float(ratio)) for ratio in ratios] for speed in SPEEDS]
    with np.errstate(divide="ignore"):
        weight = np.log(classes.weight / classes.weight.sum())
    prior = np.append(weight + np.log(1 - settings.prior_no_change), np.log(settings.prior_no_change))
    asked = _Asked(
        runs=runs, threshold=observations.threshold, reach=reach, two_sided=settings.two_sided, log_weight=weight
    )
    fits = [[_fit(model, classes, asked) for model in row] for row in models]
    evidence = np.array([[fit.evidence for fit in row] for row in fits]) + prior
    evidence += np.log(chances / chances.sum())[None, :, None]
    return _drift(evidence, fits, models, ratios)


def _kept(values: FloatArray) -> FloatArray:
    """1 for a run, next to nothing for one that lies far from everything else."""
    far = np.abs(values - np.median(values))
    spread = 1.4826 * float(np.median(far))
    return np.where(far > ERASED_FROM * max(spread, 1e-300), 1e-4, 1.0)


def _fit(model: _Model, classes: Classes, asked: _Asked) -> _Fit:
    bad = classes.bad.astype(float)
    sides = np.stack([1 - bad, bad], axis=1)
    info = np.einsum("csu,uv,ctv->cst", sides, model.info, sides, optimize=True)
    # A class that cannot hold the culprit may have all units on one side: it counts for nothing, but has to be solved.
    info[~np.isfinite(asked.log_weight)] += np.eye(2)
    inverse = np.linalg.inv(info)
    pull, ahead = sides @ model.pull, sides @ model.ahead
    level = np.einsum("cst,ct->cs", inverse, pull)
    free = asked.runs - 2
    left = np.maximum(model.square - np.einsum("cs,cs->c", pull, level), 1e-300)
    step = level[:, 1] - level[:, 0]
    error = np.sqrt(left / free * (inverse[:, 0, 0] + inverse[:, 1, 1] - 2 * inverse[:, 0, 1]))
    allowed = stdtr(free, (step - asked.threshold) / error)
    area = max(asked.reach - asked.threshold, asked.threshold) ** 2
    if asked.two_sided:
        allowed, area = allowed + stdtr(free, (-step - asked.threshold) / error), 2 * area
    with np.errstate(divide="ignore"):
        levels = _student(left, free) - 0.5 * np.linalg.slogdet(info)[1]
        change = levels + np.log(allowed) + np.log(2) - np.log(area)
        other = levels + np.log1p(-np.minimum(allowed, 1 - 1e-12)) - np.log(max(asked.reach, asked.threshold) ** 2)
    total = float(model.info.sum())
    common = float(model.pull.sum()) / total
    rest = max(model.square - common * float(model.pull.sum()), 1e-300)
    flat = _student(np.array([rest]), asked.runs - 1) - 0.5 * np.log(total) - np.log(max(asked.reach, asked.threshold))
    apart = log_sum(other + asked.log_weight)
    none = np.logaddexp(flat + np.log(1 - OTHER_SHARE), apart + np.log(OTHER_SHARE))
    noise = np.append(left / max(free - 2, 1), rest / max(asked.runs - 3, 1))
    lean = np.eye(2)[None] - ahead[:, None, :]
    spread = np.einsum("csa,cab,ctb->cst", lean, inverse, lean)
    lean_one = 1 - float(model.ahead.sum())
    spread_one = np.full((1, 2, 2), lean_one**2 / total)
    covariance = noise[:, None, None] * (model.ahead_variance + np.concatenate([spread, spread_one]))
    now = level + (model.ahead_value - np.einsum("cs,cs->c", ahead, level))[:, None]
    one = common * lean_one + model.ahead_value
    return _Fit(
        evidence=np.concatenate([change, none]) - model.log_volume,
        mean=np.vstack([now, [[one, one]]]),
        variance=np.stack([covariance[:, 0, 0], covariance[:, 1, 1]], axis=1),
        common=covariance[:, 0, 1],
        noise=noise,
    )


def _student(left: FloatArray, free: float) -> FloatArray:
    """Log density of the data given levels and variance integrated out; `left` is the residual square sum."""
    return np.asarray(gammaln(free / 2) - free / 2 * np.log(np.pi * left))


def _drift(evidence: FloatArray, fits: list[list[_Fit]], models: list[list[_Model]], ratios: FloatArray) -> Drift:
    """Average over the moving models, as the data weigh them."""
    moving = evidence[1:]
    odds = float(log_sum(moving.ravel()) - np.log(len(SPEEDS) - 1) - log_sum(evidence[0].ravel()))
    share = np.exp(moving - moving.max())
    share /= share.sum()
    by_class = share.sum(axis=(0, 1))
    by_speed = share.sum(axis=(1, 2))
    every = [fit for row in fits[1:] for fit in row]
    flat = share.reshape(-1, share.shape[2])
    within = flat / np.maximum(flat.sum(axis=0, keepdims=True), 1e-300)
    mean = np.einsum("kc,kcs->cs", within, np.array([fit.mean for fit in every]))
    square = np.einsum("kc,kcs->cs", within, np.array([fit.variance + fit.mean**2 for fit in every]))
    noise = np.array([fit.noise for fit in every]).reshape(share.shape)
    common = float((share * np.array([fit.common for fit in every]).reshape(share.shape)).sum())
    variance = float((share * noise).sum())
    best = models[1 + int(np.argmax(by_speed))][0]
    free = np.linalg.inv(best.info)
    unit = free @ best.pull
    return Drift(
        odds=odds,
        probability=by_class[:-1],
        no_change=float(by_class[-1]),
        mean=mean,
        variance=np.maximum(square - mean**2, 1e-300),
        common=max(common, 0.0),
        speed=float((share * noise * np.array(SPEEDS[1:])[:, None, None]).sum()),
        unit_mean=unit + best.ahead_value - float(best.ahead @ unit),
        unit_covariance=np.asarray(variance * free, dtype=np.float64),
        sigma=float(np.sqrt(variance)),
        tau=float(np.sqrt((share * noise * (ratios**2)[None, :, None]).sum())),
    )
