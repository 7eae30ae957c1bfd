"""Limits: broken only where that is sure, whatever the values' distribution."""

import numpy as np
import pytest
from scipy import stats

from bisector.core.search.limits import Kept, Limit, judge
from bisector.errors import UsageError
from bisector.formats.limits import parse_limit


def test_what_is_clearly_beyond_is_broken_and_what_is_within_is_kept() -> None:
    limit = Limit(metric="seconds", bound=1.2)
    assert judge(limit, [1.0] * 10, 0.95).kept is Kept.YES
    assert judge(limit, [1.3] * 10, 0.95).kept is Kept.NO
    assert judge(limit, [1.1] * 4 + [1.3] * 6, 0.95).kept is Kept.UNSURE
    assert judge(limit, [1.3] * 3, 0.95).kept is Kept.UNSURE
    assert judge(limit, [], 0.95).kept is Kept.UNSURE


def test_a_least_value_and_a_high_quantile() -> None:
    least = Limit(metric="rate", bound=100.0, upper=False)
    assert judge(least, [120.0] * 10, 0.95).kept is Kept.YES
    assert judge(least, [80.0] * 10, 0.95).kept is Kept.NO
    tail = Limit(metric="seconds", quantile=0.95, bound=1.5)
    assert judge(tail, [1.0] * 19 + [1.6], 0.95).kept is not Kept.NO
    assert judge(tail, [1.0] * 16 + [1.6] * 4, 0.95).kept is Kept.NO


@pytest.mark.parametrize("quantile", [0.5, 0.9])
def test_a_limit_that_is_just_kept_is_seldom_called_broken(quantile: float) -> None:
    random = np.random.default_rng(4)
    bound = float(stats.lognorm.ppf(quantile, 0.3))
    limit = Limit(metric="m", quantile=quantile, bound=bound)
    broken = sum(judge(limit, list(random.lognormal(sigma=0.3, size=20)), 0.95).kept is Kept.NO for _ in range(2000))
    assert broken <= stats.binom.ppf(0.999, 2000, 0.05)


def test_limits_as_people_write_them() -> None:
    assert parse_limit("seconds=1.2", upper=True) == Limit(metric="seconds", bound=1.2)
    assert parse_limit("p95:db:rate=3e2", upper=False) == Limit(
        metric="db:rate", quantile=0.95, bound=300.0, upper=False
    )
    for text in ("seconds", "seconds=", "p95:=1", "seconds=nan", "=1", "seconds=fast"):
        with pytest.raises(UsageError, match="not a limit"):
            parse_limit(text, upper=True)
