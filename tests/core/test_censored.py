"""Runs that hit their limit: where they are put among the values, and what they must not touch."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bisector.core.model.history import main
from bisector.core.model.samples import Outcome, Purpose, Sample
from bisector.core.search.censored import placed, with_bounds
from bisector.core.search.observations import Settings
from bisector.core.search.posterior import assess
from tests.helpers.lines import line, observations

STOPPED = Sample(
    place=main(3), build="b", purpose=Purpose.SEARCH, outcome=Outcome.TIMEOUT, step=1, order=0, clock=0.0, host="h"
)
times = st.lists(st.floats(0.1, 50), min_size=1, max_size=5)


@given(times, times, st.floats(50, 1000), st.booleans())
def test_a_bound_counts_as_the_slower_end_where_both_are_known_and_as_the_limit_where_not(
    low: list[float], high: list[float], limit: float, high_finishes: bool
) -> None:
    last = high if high_finishes else [limit] * len(high)
    values = np.array([*low, *last, limit])
    bounds = np.array([False] * len(low) + [not high_finishes] * len(high) + [True])
    ends = [
        np.arange(len(values)) < len(low),
        (np.arange(len(values)) >= len(low)) & (np.arange(len(values)) + 1 < len(values)),
    ]
    found = placed(values, bounds, ends)
    assert (found[~bounds] == values[~bounds]).all()
    slower = max(np.median(low), np.median(high)) if high_finishes else limit
    assert found[-1] == pytest.approx(slower)


@pytest.mark.parametrize(
    ("sample", "limit", "counts"),
    [
        (STOPPED, 9.0, True),
        (STOPPED, None, False),
        (replace(STOPPED, purpose=Purpose.WARMUP), 9.0, False),
        (replace(STOPPED, adopted_from="4"), 9.0, False),
        (replace(STOPPED, outcome=Outcome.BENCH_FAILED), 9.0, False),
    ],
)
def test_only_a_measured_run_of_this_job_has_its_limit_as_a_value(
    sample: Sample, limit: float | None, counts: bool
) -> None:
    (found,) = with_bounds([sample], "wall", limit)
    assert (found.values.get("wall") == 9.0) is counts


def test_equal_bounds_do_not_make_the_noise_small() -> None:
    good, bad = [100.0, 101.2, 98.9, 100.5], [110.0] * 12
    seen = observations(line(8), {0: good, 8: bad})
    known = replace(seen, bounds=np.arange(len(seen.values)) >= len(good))
    assert assess(known, Settings()).sigma > 2 * assess(seen, Settings()).sigma
    assert assess(known, Settings()).no_change < 0.05
