"""What runs of one and the same commit said of a scenario's noise on a host."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Calibration:
    """Noise of one metric of one scenario on one host, from `runs` runs of each of `builds` builds of one commit.

    `level` is the median in the metric's unit; the rest is relative to it. `sigma` is the deviation of a run within its
    build, `tau` that of a build, `between` the mean square between builds (of single-run weight) that `tau` comes from,
    `autocorrelation` that of runs that follow each other, `drift` how far the level moved from the first to the second
    half (0 where that is within the noise).
    """

    metric: str
    runs: int
    builds: int
    level: float
    sigma: float
    tau: float
    between: float
    autocorrelation: float
    drift: float
    gap: float = 0.0
    """How far odd builds lie above the others (below where negative), where builds are of two kinds; else 0. `tau` and
    `between` are then those of builds of one kind."""
    within: int = 0
    """Degrees of freedom of `sigma`; 0 stands for those of as many runs of each build."""
    neighbours: int = 0
    """Pairs of runs that `autocorrelation` rests on; 0 stands for all runs."""
    jobs: int = 0
    """Finished jobs whose runs are in it; 0 for a calibration alone."""
    same_build: bool = False
    """Whether all builds came out equal, file by file: how far those of other commits deviate is then not in it."""
    last: str = ""
    """The job whose runs came to it last, so that one that is killed and gone on with does not count twice."""
