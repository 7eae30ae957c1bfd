"""Which of many findings to believe, decided for all of them at once."""

import numpy as np
import numpy.typing as npt


def discoveries(chance: npt.NDArray[np.float64], rate: float) -> npt.NDArray[np.bool_]:
    """Which findings stand, so that of those that do at most `rate` are expected to be false.

    `chance[i]` is how often finding i would look as it does if there were nothing; NaN for one that was not looked at:
    it never stands, and counts for nothing. Benjamini and Hochberg, J. R. Stat. Soc. B 57 (1995): the largest k for
    which k findings have a chance of at most k/m of the rate, where findings are independent or rise together.
    """
    looked_at = ~np.isnan(chance)
    ordered = np.sort(chance[looked_at])
    passed = np.flatnonzero(ordered <= rate * np.arange(1, ordered.size + 1) / max(ordered.size, 1))
    limit = ordered[passed[-1]] if passed.size else -1.0
    return np.asarray(looked_at & (chance <= limit), dtype=bool)
