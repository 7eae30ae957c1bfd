"""Runs made two at a time: what their moment did to both goes, what a commit does stays."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bisector.core.model.history import main
from bisector.core.model.samples import Outcome, Purpose, Sample
from bisector.core.model.steps import Measure
from bisector.core.search.duets import levelled
from bisector.core.search.observations import FloatArray
from bisector.core.search.rounds import beside_reference

STEP = 0.5


def duets(rounds: int = 6, *, units: tuple[int, ...] = (3, 7)) -> list[Sample]:
    """So many pairs of each unit beside the reference 0, as a planned round makes them."""
    slots = beside_reference([(main(unit), 0) for unit in units], rounds, Purpose.SEARCH, main(0))
    step = Measure(slots=slots, reason="", duet=True)
    return [
        Sample(
            place=slot.place,
            number=slot.number,
            build="b",
            purpose=slot.purpose,
            outcome=Outcome.OK,
            step=1,
            order=order,
            clock=float(order // 2),
            host="h",
            partner=step.partner(order),
            lane=step.lane(order),
        )
        for order, slot in enumerate(slots)
    ]


def drawn(samples: list[Sample], seed: int, *, shared: float, own: float = 0.1, lane: float = 0.0) -> FloatArray:
    """Values: the reference at 0, unit 3 at 0, unit 7 at STEP."""
    random = np.random.default_rng(seed)
    moments = shared * random.standard_normal(len(samples))
    return np.array(
        [
            STEP * (s.place == main(7)) + moments[s.order // 2] + lane * s.lane + own * random.standard_normal()
            for s in samples
        ]
    )


def level(samples: list[Sample], values: FloatArray, place: int) -> float:
    return float(np.nanmean([value for s, value in zip(samples, values, strict=True) if s.place == main(place)]))


def test_every_pair_has_both_groups_of_processors_and_each_side_has_each_as_often() -> None:
    samples = duets(8)
    for s in samples:
        assert s.partner is not None
        other = samples[s.partner]
        assert (other.partner, {s.lane, other.lane}) == (s.order, {0, 1})
    for unit in (3, 7):
        assert sum(s.lane for s in samples if s.place == main(unit)) == 4


@given(st.integers(0, 10_000), st.floats(-100, 100), st.floats(0.1, 100))
@settings(max_examples=30, deadline=None)
def test_where_the_scale_begins_does_not_matter_nor_its_unit(seed: int, shift: float, unit: float) -> None:
    samples = duets()
    values = drawn(samples, seed, shared=2.0)
    one, other = levelled(samples, values), levelled(samples, shift + unit * values)
    assert one is not None
    assert other is not None
    assert other.values == pytest.approx(shift + unit * one.values, abs=1e-7 * (abs(shift) + unit), nan_ok=True)


@pytest.mark.parametrize("lane", [0.0, 0.7])
def test_what_the_moment_and_the_processors_did_goes_and_the_step_stays(lane: float) -> None:
    samples = duets(8)
    errors = []
    for seed in range(100):
        found = levelled(samples, drawn(samples, seed, shared=3.0, lane=lane))
        assert found is not None
        errors.append(level(samples, found.values, 7) - level(samples, found.values, 0) - STEP)
    # Distances have a deviation of 0.14, eight of them together one of 0.05; the moments themselves would leave 1.5.
    assert np.std(errors) < 0.075
    assert abs(np.mean(errors)) < 0.03


def test_noise_is_never_taken_for_less_than_that_of_a_distance() -> None:
    """The pooled deviation over all levelled runs is what a search reckons with: 0.14, for noise of 0.1 a run."""
    samples = duets(4)
    deviations = []
    for seed in range(100):
        found = levelled(samples, drawn(samples, seed, shared=3.0))
        assert found is not None
        left = [
            value - level(samples, found.values, s.place.index)
            for s, value in zip(samples, found.values, strict=True)
            if np.isfinite(value)
        ]
        deviations.append(np.sqrt(np.sum(np.square(left)) / (len(left) - 3)))
    assert np.sqrt(np.mean(np.square(deviations))) > 0.13


def test_it_does_not_pay_where_the_moments_are_alike() -> None:
    samples = duets(8)
    paid = sum(levelled(samples, drawn(samples, seed, shared=0.0)) is not None for seed in range(100))
    assert paid <= 15
    assert levelled(duets(1), drawn(duets(1), 0, shared=3.0)) is None


def test_a_run_whose_partner_gave_no_number_says_nothing() -> None:
    samples = duets(8)
    values = drawn(samples, 1, shared=3.0)
    kept = [s for s in samples if s.order != 5]
    found = levelled(kept, np.array([values[s.order] for s in kept]))
    assert found is not None
    silent = [s.order for s, value in zip(kept, found.values, strict=True) if np.isnan(value)]
    assert silent == [4]


def test_runs_of_two_jobs_are_no_partners() -> None:
    samples = duets(8)
    mixed = [replace(s, adopted_from="9") if s.order % 2 else s for s in samples]
    assert levelled(mixed, drawn(samples, 1, shared=3.0)) is None


def test_run_minus_reference_is_the_distance_of_a_pair() -> None:
    samples = duets(8)
    values = drawn(samples, 2, shared=3.0)
    found = levelled(samples, values)
    assert found is not None
    distance = found.apart[0::2] - found.apart[1::2]
    plain = values[0::2] - values[1::2]
    assert distance == pytest.approx(plain, abs=0.2)
    assert np.corrcoef(distance, plain)[0, 1] > 0.95
