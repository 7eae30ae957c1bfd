"""Functions of `scipy.special`, imported when the first of them is called.

They take a third of a second to import, and most commands (`jobs list`, `report`, `doctor`) compute nothing with them.
"""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
"""An array, or a single number of numpy."""


def bdtrc(least: npt.ArrayLike, trials: npt.ArrayLike, chance: npt.ArrayLike) -> Floats:
    """The probability of more than `least` successes in `trials` of this chance."""
    import scipy.special as special

    found: Floats = special.bdtrc(least, trials, chance)
    return found


def expit(odds: npt.ArrayLike) -> Floats:
    """The probability with these logarithmic odds."""
    import scipy.special as special

    found: Floats = special.expit(odds)
    return found


def gammaln(at: npt.ArrayLike) -> Floats:
    """The logarithm of the gamma function."""
    import scipy.special as special

    found: Floats = special.gammaln(at)
    return found


def logit(probability: npt.ArrayLike) -> Floats:
    """The logarithmic odds of a probability."""
    import scipy.special as special

    found: Floats = special.logit(probability)
    return found


def ndtr(at: npt.ArrayLike) -> Floats:
    """The normal distribution's probability below `at`."""
    import scipy.special as special

    found: Floats = special.ndtr(at)
    return found


def stdtr(freedom: npt.ArrayLike, at: npt.ArrayLike) -> Floats:
    """Student's t distribution's probability below `at`."""
    import scipy.special as special

    found: Floats = special.stdtr(freedom, at)
    return found


def stdtrit(freedom: npt.ArrayLike, probability: npt.ArrayLike) -> Floats:
    """The quantile of Student's t distribution."""
    import scipy.special as special

    found: Floats = special.stdtrit(freedom, probability)
    return found
