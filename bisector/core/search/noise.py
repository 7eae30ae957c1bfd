"""The noise of single runs: several families of density, averaged and never chosen between.

A Student t with three degrees of freedom takes outliers as erasures, a Gaussian uses well-behaved noise fully, and
once there are enough runs an empirical density knows skew and modes. Scales are estimated from runs whose side is
sure and then varied around the estimate, so that a stated probability stays honest while little is known.
"""

from dataclasses import dataclass

import numpy as np

from bisector.core.search.observations import FloatArray, IntArray

T_SCALE_OF_MAD = 1.307
"""Scale of a t3 density over its median absolute deviation: 1 / 0.7649."""
SIGMA_OF_MAD = 1.4826
EMPIRICAL_FROM = 10
"""Sure runs from which the empirical density joins."""
OUTLYING = 8.0
A_FEW = 8
"""Terms of a product: each is below 1e19, the square of the most deviations that a floor of the noise leaves."""
SCALE_STEPS = np.arange(-2, 3)


@dataclass(frozen=True, kw_only=True)
class Scales:
    """Estimated noise of one run: `t` scale of a t3 density, `normal` standard deviation, and what they rest on."""

    t: float
    normal: float
    df: float

    @property
    def typical(self) -> float:
        """The scale that grid spacing and padding go by: a few outliers must not widen it."""
        return min(self.normal, 2.5 * self.t)


def median(values: FloatArray) -> float:
    """The median of at least one value: NumPy's own takes many times as long on a few."""
    ordered = np.sort(values)
    return float(ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2


def shortest_half(values: FloatArray) -> float:
    """Median of the shortest interval that holds half of `values`: stands while under half of them are off."""
    ordered = np.sort(values)
    half = len(ordered) // 2 + 1
    if half >= len(ordered):
        return median(ordered)
    start = int(np.argmin(ordered[half - 1 :] - ordered[: len(ordered) - half + 1]))
    return median(ordered[start : start + half])


def centre(values: FloatArray) -> float:
    """The median, or the median of the shortest half where something lies far out (a burst may be half of few runs)."""
    middle = median(values)
    mad = median(np.abs(values - middle))
    if mad > 0 and np.max(np.abs(values - middle)) > OUTLYING * SIGMA_OF_MAD * mad:
        return shortest_half(values)
    return middle


def smallest_gap(values: FloatArray) -> float:
    """The smallest difference between two distinct values; 0 when all are equal."""
    gaps = np.diff(np.unique(values))
    return float(gaps.min()) if len(gaps) else 0.0


def estimate_scales(residuals: FloatArray, df: float, floor: float) -> Scales:
    """Noise scales from residuals about their centres, with `df` degrees of freedom, not below `floor`."""
    df = max(df, 1.0)
    mad = median(np.abs(residuals)) if len(residuals) else 0.0
    t_scale = max(T_SCALE_OF_MAD * mad * np.sqrt(max(len(residuals) / df, 1.0)), floor)
    clipped = np.clip(residuals, -7 * t_scale, 7 * t_scale)
    return Scales(t=t_scale, normal=max(float(np.sqrt(np.sum(clipped**2) / df)), floor), df=df)


@dataclass(frozen=True, kw_only=True)
class Empirical:
    """A kernel density of sure residuals, with a t3 share for what they have not shown yet."""

    positions: FloatArray
    density: FloatArray
    bandwidth: float
    pool: int
    share: float
    wide: float
    """Scale of the t3 share."""

    @classmethod
    def of(cls, residuals: FloatArray, t_scale: float) -> "Empirical":
        """The density of `residuals`, clipped at 8 t scales, by a Gaussian kernel of Silverman's width."""
        pool = np.clip(residuals, -OUTLYING * t_scale, OUTLYING * t_scale)
        sd = max(float(pool.std()), 1e-12)
        iqr = float(np.subtract(*np.percentile(pool, [75, 25])))
        bandwidth = 0.9 * max(min(sd, 1.1 * iqr / 1.34), sd / 3) * len(pool) ** -0.2
        reach = max(12 * sd, float(np.max(np.abs(pool))) + 5 * bandwidth)
        positions = np.linspace(-reach, reach, 1025)
        density = _smoothed(pool, positions, bandwidth)
        return cls(
            positions=positions,
            density=density,
            bandwidth=bandwidth,
            pool=len(pool),
            share=3 / (len(pool) + 10),
            wide=1.5 * sd,
        )

    @property
    def sigma(self) -> float:
        """Deviation of the Gaussian that teaches as much a run: one over the root of the Fisher information."""
        mixed = self._mix(self.density, self.positions)
        step = self.positions[1] - self.positions[0]
        fisher = float(np.sum(np.gradient(mixed, step) ** 2 / mixed) * step)
        return float(1 / np.sqrt(max(fisher, 1e-300)))

    def log_density(self, values: FloatArray, grid: FloatArray, own: FloatArray) -> FloatArray:
        """(runs, grid): log density of each run at each level.

        `own[j]` is the centre about which run j entered the pool, or NaN where it did not: its own kernel is taken out.
        """
        offsets = values[:, None] - grid[None, :]
        kernel = np.interp(offsets, self.positions, self.density, left=0.0, right=0.0)
        pooled = ~np.isnan(own)
        if self.pool > 1 and pooled.any():
            itself = gaussian(own[pooled, None] - grid[None, :], self.bandwidth)
            kernel[pooled] = np.maximum(self.pool * kernel[pooled] - itself, 0.0) / (self.pool - 1)
        return np.log(self._mix(kernel, offsets))

    def _mix(self, kernel: FloatArray, offsets: FloatArray) -> FloatArray:
        # The t3 density itself: a logarithm that is taken back takes as long as all the rest here.
        tail = 1 + (offsets / self.wide) ** 2 / 3
        tail *= tail
        return np.asarray((1 - self.share) * kernel + self.share * _t3_peak(self.wide) / tail + 1e-300)


def _smoothed(pool: FloatArray, positions: FloatArray, bandwidth: float) -> FloatArray:
    """Kernel density of `pool` on a uniform grid finer than the kernel: values shared out to neighbours, convolved."""
    step = float(positions[1] - positions[0])
    place = (pool - positions[0]) / step
    left = np.floor(place).astype(np.int64)
    share = place - left
    size = len(positions)
    mass = np.bincount(left, 1 - share, minlength=size) + np.bincount(left + 1, share, minlength=size)
    reach = min(int(np.ceil(6 * bandwidth / step)), size // 2)
    kernel = gaussian(np.arange(-reach, reach + 1, dtype=np.float64) * step, bandwidth)
    return np.asarray(np.convolve(mass, kernel, mode="same") / len(pool))


def gaussian(offsets: FloatArray, sigma: float) -> FloatArray:
    """Density of N(0, sigma²) at `offsets`."""
    return np.asarray(np.exp(-0.5 * (offsets / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi)))


def log_t3(offsets: FloatArray, scale: float) -> FloatArray:
    """Log density of a Student t with three degrees of freedom and `scale` at `offsets`."""
    return np.asarray(np.log(_t3_peak(scale)) - 2 * np.log1p((offsets / scale) ** 2 / 3))


def _t3_peak(scale: float) -> float:
    """Density of a Student t with three degrees of freedom and `scale` at its middle."""
    return float(2 / (np.pi * np.sqrt(3) * scale))


def _a_few_each(starts: IntArray, size: int) -> tuple[IntArray, IntArray]:
    """Where the stretches that begin at `starts` of `size` are cut into pieces of at most A_FEW, and which piece each
    stretch begins with."""
    place = np.arange(size)
    inside = place - np.repeat(starts, np.diff(np.append(starts, size)))
    few = np.flatnonzero(inside % A_FEW == 0)
    return few, np.flatnonzero(inside[few] == 0)


@dataclass(frozen=True, kw_only=True)
class Noise:
    """The families and scales that are averaged over.

    `t_scales` and `normal_scales` hold one entry a family member; `sigma[k]` is what member k is worth as a Gaussian
    standard deviation, members in the order t, normal, empirical; `log_prior[k]` their prior.
    """

    scales: Scales
    t_scales: FloatArray
    normal_scales: FloatArray
    empirical: Empirical | None
    sigma: FloatArray
    log_prior: FloatArray

    @classmethod
    def of(cls, scales: Scales, residuals: FloatArray, *, quick: bool = False) -> "Noise":
        """The families about estimated `scales`; `quick` keeps one member of the first two families."""
        spread = float(np.clip(1.1 / np.sqrt(2 * scales.df), 0.10, 0.60))
        factors = np.exp((np.array([0]) if quick else SCALE_STEPS) * spread)
        empirical = Empirical.of(residuals, scales.t) if len(residuals) >= EMPIRICAL_FROM and not quick else None
        families = 2 if empirical is None else 3
        each = np.full(len(factors), 1 / (families * len(factors)))
        prior = np.concatenate([each, each, [] if empirical is None else [1 / families]])
        sigma = np.concatenate(
            [scales.t * factors * np.sqrt(1.5), scales.normal * factors, [] if empirical is None else [empirical.sigma]]
        )
        return cls(
            scales=scales,
            t_scales=scales.t * factors,
            normal_scales=scales.normal * factors,
            empirical=empirical,
            sigma=sigma,
            log_prior=np.log(prior),
        )

    def unit_log_likelihood(
        self, values: FloatArray, run_unit: IntArray, units: int, grid: FloatArray, own: FloatArray
    ) -> FloatArray:
        """(members, units, grid): log likelihood of each unit's runs at each level. `own` as in `Empirical`."""
        order = np.argsort(run_unit, kind="stable")
        values, run_unit, own = values[order], run_unit[order], own[order]
        starts = np.flatnonzero(np.diff(run_unit, prepend=-1))
        measured = run_unit[starts]
        result = np.zeros((len(self.sigma), units, len(grid)))
        squares = (values[:, None] - grid[None, :]) ** 2
        counts = np.diff(np.append(starts, len(values)))[:, None]
        few, begun = _a_few_each(starts, len(values))
        each = np.empty_like(squares)
        for member, scale in enumerate(self.t_scales):
            # The logarithm of a product of a few terms is their sum, and is taken once.
            np.multiply(squares, 1 / (3 * scale**2), out=each)
            each += 1
            product = np.multiply.reduceat(each, few, axis=0)
            total = np.add.reduceat(np.log(product), begun, axis=0)
            result[member, measured] = counts * np.log(_t3_peak(scale)) - 2 * total
        total = np.add.reduceat(squares, starts, axis=0)
        for member, scale in enumerate(self.normal_scales, start=len(self.t_scales)):
            result[member, measured] = -0.5 * total / scale**2 - counts * np.log(scale * np.sqrt(2 * np.pi))
        if self.empirical is not None:
            each = self.empirical.log_density(values, grid, own)
            result[-1, measured] = np.add.reduceat(each, starts, axis=0)
        return result
