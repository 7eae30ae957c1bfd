"""A job's states."""

import pytest

from bisector.engine.job import TRANSITIONS, JobState, check_transition
from bisector.errors import InvalidTransition


@pytest.mark.parametrize("before", JobState)
@pytest.mark.parametrize("after", JobState)
def test_only_listed_transitions_pass(before: JobState, after: JobState) -> None:
    if after in TRANSITIONS[before]:
        check_transition("1", before, after)
        return
    with pytest.raises(InvalidTransition) as raised:
        check_transition("1", before, after)
    assert before in str(raised.value)
    assert after in str(raised.value)


def test_a_finished_job_stays_finished() -> None:
    assert TRANSITIONS[JobState.DONE] == frozenset()
