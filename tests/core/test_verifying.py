"""Which rounds of fresh runs bear an answer out, and on how many builds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bisector.core.search.observations import Settings, Verification
from bisector.core.search.posterior import assess
from bisector.core.search.verifying import LEAST_RISE, held_on_other_builds, is_borne_out, wants_verifying
from tests.helpers.lines import line, observations

PAIR, STEP = (3, 4), 2.0
builds = st.integers(min_value=0, max_value=3)
rounds = st.builds(
    Verification,
    parent=st.sampled_from([2, 3]),
    culprit=st.just(4),
    passed=st.booleans(),
    rise=st.none() | st.floats(min_value=-4, max_value=4),
    numbers=st.tuples(builds, builds),
)


def on_other_builds(found: list[Verification], *, two_sided: bool = False) -> bool:
    seen = observations(line(8), {0: [1.0], 8: [1.0]}, verifications=found)
    return held_on_other_builds(seen, PAIR, STEP, two_sided=two_sided)


@given(found=st.lists(rounds, max_size=5), two_sided=st.booleans())
def test_it_takes_two_rounds_on_builds_that_no_other_round_and_no_search_had(
    found: list[Verification], two_sided: bool
) -> None:
    def shows(one: Verification) -> bool:
        rise = one.rise if one.rise is None or not two_sided else abs(one.rise)
        return (one.parent, one.culprit) == PAIR and (rise is None or rise > LEAST_RISE * STEP) and 0 not in one.numbers

    those = [one.numbers for one in found if shows(one)]
    wanted = any(a != c and b != d for a, b in those for c, d in those)
    assert on_other_builds(found, two_sided=two_sided) is wanted


def test_a_build_of_one_of_the_two_alone_is_no_other_pair() -> None:
    first, other = (Verification(parent=3, culprit=4, passed=True, rise=2.0, numbers=n) for n in ((1, 1), (2, 1)))
    assert not on_other_builds([first, other])


@given(found=st.lists(rounds, max_size=6))
def test_what_most_rounds_of_the_pair_showed_is_borne_out(found: list[Verification]) -> None:
    seen = observations(line(8), {0: [1.0], 8: [1.0]}, verifications=found)
    passed = [one.passed for one in found if (one.parent, one.culprit) == PAIR]
    assert is_borne_out(seen, PAIR) is (passed.count(True) > passed.count(False))


@pytest.mark.parametrize(
    ("passed", "more"), [("", True), ("yy", False), ("nn", False), ("yn", True), ("ny", True), ("yny", False)]
)
def test_two_rounds_that_disagree_are_settled_by_a_third(passed: str, more: bool) -> None:
    found = [
        Verification(parent=3, culprit=4, passed=each == "y", rise=2.0 if each == "y" else 0.0, numbers=(n, n))
        for n, each in enumerate(passed, start=1)
    ]
    runs = {0: [0.0, 0.1, -0.1, 0.05], 3: [0.0, 0.1], 4: [2.0, 2.1], 8: [2.0, 1.9, 2.1, 2.05]}
    seen = observations(line(8), runs, verifications=found)
    posterior = assess(seen, Settings())
    assert wants_verifying(seen, posterior, Settings(), PAIR, afresh=True) is more
