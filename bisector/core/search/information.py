"""What a run would teach: expected information about the culprit, in bits."""

from dataclasses import dataclass, replace

import numpy as np

from bisector.core.model.history import BoolArray
from bisector.core.search.build_models import Kinds
from bisector.core.search.observations import FloatArray
from bisector.core.search.posterior import Posterior

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(9)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


@dataclass(frozen=True, kw_only=True)
class Hypotheses:
    """The classes worth considering, and last "no change": probability, sides of the units, levels of both sides.

    `level[h, s]` and `variance[h, s]` are mean and variance of the level of side s (0 old, 1 new) under h, `tau[h]`
    the deviation of a build. That of a run, `sigma`, is a matter of the machine and not of the answer: runs within a
    burst would else seem to tell whether the noise is the wide one that some answer takes.
    """

    classes: tuple[int, ...]
    probability: FloatArray
    bad: BoolArray
    level: FloatArray
    variance: FloatArray
    sigma: float
    tau: FloatArray
    common: float = 0.0
    speed: float = 0.0
    """Where the machine drifts: the variance that both sides share, and what it gains during one run."""
    kinds: Kinds | None = None
    """Where builds are of two kinds; those of one then deviate by `tau`."""

    @classmethod
    def of(cls, posterior: Posterior) -> "Hypotheses":
        """The likely classes of `posterior` and "no change"."""
        levels, kinds = posterior.levels, posterior.kinds
        probability = np.append(posterior.probability[list(levels.classes)], max(posterior.no_change, 1e-12))
        sides = posterior.classes.bad[list(levels.classes)]
        return cls(
            classes=levels.classes,
            probability=probability / probability.sum(),
            bad=np.vstack([sides, np.zeros((1, sides.shape[1]), dtype=bool)]),
            level=levels.mean,
            variance=levels.variance,
            sigma=posterior.sigma,
            tau=levels.tau if kinds is None else np.full_like(levels.tau, kinds.within(posterior.sigma)),
            kinds=kinds,
            common=0.0 if posterior.drift is None else posterior.drift.common,
            speed=0.0 if posterior.drift is None else posterior.drift.speed,
        )

    def beside(self, references: int, wait: float) -> "Hypotheses":
        """What is known after `wait` runs' time and `references` runs of an end: where the machine stands now.

        A reference teaches nothing about the culprit but takes away what both sides do not know in common.
        """
        if self.speed == 0:
            return self
        gained = self.speed * wait
        common = self.common + gained
        left = common * self.sigma**2 / (self.sigma**2 + references * common)
        return replace(self, variance=np.maximum(self.variance - self.common, 0.0) + left)

    def rerun(self, unit: int, mean: float, count: int, runs: FloatArray) -> FloatArray:
        """Bits that `runs` more runs of a measured unit teach, for each entry of `runs`."""
        side = self.bad[:, unit].astype(int)
        rows = np.arange(len(side))
        level, variance = self.level[rows, side], self.variance[rows, side]
        noise, build = self.sigma**2, self.tau**2
        shrink = build / (build + noise / count)
        predicted = level + shrink * (mean - level)
        spread = (1 - shrink) ** 2 * variance + build * noise / (noise + count * build)
        spread = spread[None, :] + noise / runs[:, None]
        if self.kinds is None:
            return bits(self.probability, predicted, spread)
        # Of which kind the build is goes by the runs that it has.
        offsets = self.kinds.offsets
        deviations = (mean - level[:, None] - offsets) / np.sqrt(variance + build + noise / count)[:, None]
        weight = self.kinds.shares * np.exp(-0.5 * (deviations**2 - (deviations**2).min(axis=1, keepdims=True)))
        weight /= weight.sum(axis=1, keepdims=True)
        means = predicted[:, None] + (1 - shrink)[:, None] * offsets
        return bits_of_kinds(self.probability, means, spread, weight)

    def new(self, share: FloatArray, runs: FloatArray) -> FloatArray:
        """Bits that `runs` runs of a commit never built teach, for each entry of `runs`.

        `share[h]` is the part of hypothesis h under which the commit has the new level (0 or 1 unless it splits h).
        """
        split = np.append(share, 0.0)
        probability = np.concatenate([self.probability * (1 - split), self.probability * split])
        kept = probability > 1e-12
        predicted = np.concatenate([self.level[:, 0], self.level[:, 1]])[kept]
        spread = np.concatenate([self.variance[:, 0], self.variance[:, 1]])[kept]
        spread = spread + np.concatenate([self.tau, self.tau])[kept] ** 2
        spread = spread[None, :] + self.sigma**2 / runs[:, None]
        if self.kinds is None:
            return bits(probability[kept], predicted, spread)
        means = predicted[:, None] + self.kinds.offsets
        return bits_of_kinds(probability[kept], means, spread, np.broadcast_to(self.kinds.shares, means.shape))

    def pair(self, sides: BoolArray, runs: float) -> float:
        """Bits that `runs` runs of each of two new builds teach; `sides[i, h]` says whether build i is bad under h."""
        side = np.vstack([sides.T, [[False, False]]]).astype(int)
        rows = np.arange(len(side))[:, None]
        spread = self.variance[rows, side] + (self.tau**2 + self.sigma**2 / runs)[:, None]
        return bits_of_two(self.probability, self.level[rows, side], spread, self.kinds)


def bits_of_two(probability: FloatArray, mean: FloatArray, variance: FloatArray, kinds: Kinds | None = None) -> float:
    """The same of two observations, each N(mean[:, i], variance[:, i]) whatever the other, of builds of two `kinds`."""
    sd = np.sqrt(variance.T)
    means, weight = mean.T[:, :, None], np.ones(1)
    if kinds is not None:
        means, weight = means + kinds.offsets, kinds.shares
    points = (means[..., None] + sd[:, :, None, None] * _NODES).reshape(2, len(probability), -1)
    offsets = (points[:, :, :, None, None] - means[:, None, None]) / sd[:, None, None, :, None]
    each = (np.exp(-0.5 * offsets**2) @ weight) / sd[:, None, None, :]
    density = np.einsum("hai,hbi,i->hab", each[0], each[1], probability)
    own = np.log(np.diagonal(each, axis1=1, axis2=3) + 1e-300)
    share = np.outer(weight, _WEIGHTS).ravel()
    alone = np.einsum("oah,a,h->", own, share, probability)
    gain = alone - np.einsum("hab,a,b,h->", np.log(density + 1e-300), share, share, probability)
    return max(float(gain), 0.0) / float(np.log(2))


def bits(probability: FloatArray, mean: FloatArray, variance: FloatArray) -> FloatArray:
    """Mutual information, in bits, between a hypothesis and an observation that is N(mean, variance) under it.

    `probability` and `mean` are (hypotheses,), `variance` is (cases, hypotheses); by Gauss-Hermite quadrature.
    """
    sd = np.sqrt(variance)
    points = mean[None, :, None] + sd[:, :, None] * _NODES[None, None, :]
    offsets = (points[:, :, :, None] - mean) / sd[:, None, None, :]
    density = np.exp(-0.5 * offsets**2) * (probability / sd)[:, None, None, :]
    mixture = np.log(density.sum(axis=-1) + 1e-300)
    own = -0.5 * _NODES[None, None, :] ** 2 - np.log(sd)[:, :, None]
    gain = ((own - mixture) * _WEIGHTS).sum(axis=-1)
    return np.asarray(np.maximum((gain * probability).sum(axis=-1), 0.0) / np.log(2))


def bits_of_kinds(probability: FloatArray, mean: FloatArray, variance: FloatArray, weight: FloatArray) -> FloatArray:
    """The same of an observation that is, under hypothesis h, N(mean[h, k], variance[:, h]) with weight[h, k]."""
    sd = np.sqrt(variance)
    points = (mean[None, :, :, None] + sd[:, :, None, None] * _NODES).reshape(len(sd), len(mean), -1)
    offsets = (points[:, :, :, None, None] - mean) / sd[:, None, None, :, None]
    each = (np.exp(-0.5 * offsets**2) * weight).sum(axis=-1) / sd[:, None, None, :]
    own = np.moveaxis(np.diagonal(each, axis1=1, axis2=3), -1, 1)
    gain = np.log(own + 1e-300) - np.log(each @ probability + 1e-300)
    shares = (weight[:, :, None] * _WEIGHTS).reshape(len(mean), -1) * probability[:, None]
    return np.asarray(np.maximum((gain * shares).sum(axis=(1, 2)), 0.0) / np.log(2))


def entropy_of_share(share: FloatArray) -> FloatArray:
    """Binary entropy of a share, in bits: how evenly a commit would split the candidates."""
    inside = np.clip(share, 1e-12, 1 - 1e-12)
    return np.asarray(-(inside * np.log2(inside) + (1 - inside) * np.log2(1 - inside)))
