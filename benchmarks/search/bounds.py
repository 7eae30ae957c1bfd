"""What no strategy can beat: bits a run can carry, and the cost that follows from them.

Shannon's capacity of "run a commit": the input is the side the commit is on, the output the value. Fano's inequality
turns it into a strict bound on the cost; Burnashev's exponent (1976) into the usual yardstick of sequential search.
Both know the two densities beforehand and pay neither for the ends nor for doubt about the regression itself.
"""

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln, ndtr

from benchmarks.search.worlds import LOG_SIGMA, MODE_SD, MODE_SHARE, QUANTUM, REGIMES, mode_gap

Floats = npt.NDArray[np.float64]
REACH, POINTS = 60.0, 60_001


def density(shape: str, x: Floats) -> Floats:
    """Density at `x` of one run's noise of a shape, with mean 0 and deviation 1."""
    match shape:
        case "lognorm":
            mean = np.exp(LOG_SIGMA**2 / 2)
            sd = np.sqrt(np.exp(LOG_SIGMA**2) * (np.exp(LOG_SIGMA**2) - 1))
            y = np.maximum(x * sd + mean, 1e-300)
            inside = np.exp(-0.5 * (np.log(y) / LOG_SIGMA) ** 2) / (y * LOG_SIGMA * np.sqrt(2 * np.pi)) * sd
            return np.asarray(np.where(x * sd + mean > 0, inside, 0.0))
        case "t3":
            norm = np.exp(gammaln(2) - gammaln(1.5)) / np.sqrt(3 * np.pi) * np.sqrt(3)
            return np.asarray(norm * (1 + x**2) ** -2)
        case "bimodal":
            gap = mode_gap()
            first = (1 - MODE_SHARE) * _normal(x + gap * MODE_SHARE, MODE_SD)
            return np.asarray(first + MODE_SHARE * _normal(x - gap * (1 - MODE_SHARE), MODE_SD))
        case _:
            return _normal(x, 1.0)


def _normal(x: Floats, sd: float) -> Floats:
    return np.asarray(np.exp(-0.5 * (x / sd) ** 2) / (sd * np.sqrt(2 * np.pi)))


def sides(shape: str, effect: float) -> tuple[Floats, Floats]:
    """Probabilities of small cells of the value axis on the good and on the bad side."""
    if shape == "quant":
        steps = QUANTUM * np.arange(-12, 13 + int(effect))
        sides = [ndtr(steps + QUANTUM / 2 - level) - ndtr(steps - QUANTUM / 2 - level) for level in (0.0, effect)]
    else:
        x = np.linspace(-REACH, REACH, POINTS)
        sides = [density(shape, x - level) for level in (0.0, effect)]
    good, bad = (np.asarray(side / side.sum()) for side in sides)
    return good, bad


def _relative_entropy(p: Floats, q: Floats) -> float:
    """Kullback-Leibler divergence in nats: infinite where q cannot produce what p does."""
    kept = (p > 1e-290) & (q > 1e-290)
    if p[~kept].sum() > 1e-9:
        return float(np.inf)
    return float(np.sum(p[kept] * np.log(p[kept] / q[kept])))


@lru_cache(maxsize=256)
def capacity(shape: str, effect: float) -> float:
    """Bits one run can teach about the side of its commit, by quadrature, at the best share of bad commits."""
    good, bad = sides(shape, effect)

    def information(share: float) -> float:
        mixed = (1 - share) * good + share * bad
        return (1 - share) * _relative_entropy(good, mixed) + share * _relative_entropy(bad, mixed)

    shares = np.linspace(0.3, 0.7, 41) if shape == "lognorm" else np.array([0.5])
    return max(information(float(share)) for share in shares) / float(np.log(2))


def strict_bound(shape: str, effect: float, size: int, build_cost: float, error: float = 0.05) -> float:
    """Fano: no strategy with this error costs less on average."""
    bits = _bits(size, error)
    return bits / capacity(shape, effect) + build_cost * max(bits, 2.0)


@lru_cache(maxsize=256)
def _most_different(shape: str, effect: float) -> float:
    good, bad = sides(shape, effect)
    return max(_relative_entropy(bad, good), _relative_entropy(good, bad))


def burnashev_bound(shape: str, effect: float, size: int, build_cost: float, error: float = 0.05) -> float:
    """The yardstick: search at capacity, then confirmation at the speed of the most different pair, and builds."""
    confirmation = np.log(1 / error) / _most_different(shape, effect)
    runs = np.log2(size) / capacity(shape, effect) + confirmation
    return float(runs + build_cost * max(_bits(size, error), 2.0))


def _bits(size: int, error: float) -> float:
    spread = -(error * np.log2(error) + (1 - error) * np.log2(1 - error))
    return float((1 - error) * np.log2(size) - spread)


def bound_of(regime: str, effect: float, size: int, build_cost: float) -> float:
    """The yardstick of a regime: that of its run noise alone, which ignores drift, bursts and build offsets."""
    return burnashev_bound(REGIMES[regime].shape, effect, size, build_cost)
