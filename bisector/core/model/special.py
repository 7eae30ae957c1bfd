"""Functions of `scipy.special`, imported when the first of them is called.

They take a third of a second to import, and most commands (`jobs list`, `report`, `doctor`) compute nothing with them.
"""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
"""An array, or a single number of numpy."""


def _of(name: str, *arguments: npt.ArrayLike) -> Floats:
    import scipy.special as special

    found: Floats = getattr(special, name)(*arguments)
    return found


def bdtrc(least: npt.ArrayLike, trials: npt.ArrayLike, chance: npt.ArrayLike) -> Floats:
    """The probability of more than `least` successes in `trials` of this chance."""
    return _of("bdtrc", least, trials, chance)


def expit(odds: npt.ArrayLike) -> Floats:
    """The probability with these logarithmic odds."""
    return _of("expit", odds)


def gammaln(at: npt.ArrayLike) -> Floats:
    """The logarithm of the gamma function."""
    return _of("gammaln", at)


def logit(probability: npt.ArrayLike) -> Floats:
    """The logarithmic odds of a probability."""
    return _of("logit", probability)


def ndtr(at: npt.ArrayLike) -> Floats:
    """The normal distribution's probability below `at`."""
    return _of("ndtr", at)


def stdtr(freedom: npt.ArrayLike, at: npt.ArrayLike) -> Floats:
    """Student's t distribution's probability below `at`."""
    return _of("stdtr", freedom, at)


def stdtrit(freedom: npt.ArrayLike, probability: npt.ArrayLike) -> Floats:
    """The quantile of Student's t distribution."""
    return _of("stdtrit", freedom, probability)
