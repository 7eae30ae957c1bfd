"""The promise about probabilities: what is stated at 97 % is right 97 times in 100, whatever the noise.

    pytest -m calibration        the whole grid, an hour of one processor
    pytest tests/calibration     a sample of it that every run of the tests can pay for

Seeds are fixed and printed with every failure. The margin is binomial: a failure has a chance below one in ten thousand
where the promise holds.
"""

import pytest
from scipy.special import bdtr

from benchmarks.search.campaign import OURS, strategy_called
from benchmarks.search.cells import CALIBRATION, Cell
from benchmarks.search.strategies import Trial, play
from benchmarks.search.summaries import calibration
from benchmarks.search.worlds import Setting

SEED = 410_233
UNLIKELY = 1e-4
OVERCONFIDENT = 0.02
"""How far the share that is right may lie below what is stated."""
TRIALS = 25
SAMPLE = (
    Cell(regime="gauss", effect=3.0, size=32),
    Cell(regime="lognorm", effect=3.0, size=32),
    Cell(regime="burst", effect=4.0, size=32),
    Cell(regime="hetero", effect=3.0, size=16),
    Cell(regime="drift", effect=4.0, size=16),
    Cell(regime="build", effect=4.0, size=16),
    Cell(regime="gauss", effect=3.0, size=32, setting=Setting.UNBUILDABLE),
    Cell(regime="gauss", setting=Setting.NO_CHANGE, size=32, min_effect=0.02),
)


def played(cells: tuple[Cell, ...], trials: int) -> list[Trial]:
    return [play(strategy_called(OURS, cell), cell.world(number, SEED)) for cell in cells for number in range(trials)]


def held(right: int, trials: int, promised: float) -> bool:
    """Whether so few right answers are still likely if each is right with probability `promised`."""
    return bool(bdtr(right, trials, promised) > UNLIKELY)


def test_a_sample_of_answers_is_right_as_often_as_stated() -> None:
    trials = played(SAMPLE, 3)
    answered = [trial for trial in trials if trial.answered and trial.stated is not None]
    stated = sum(trial.stated or 0.0 for trial in answered) / len(answered)
    right = sum(trial.right for trial in answered)
    assert len(answered) >= 0.9 * len(trials), f"seed {SEED}: {[trial.ending for trial in trials]}"
    assert held(right, len(answered), min(stated, 0.95)), (
        f"seed {SEED}: {right} of {len(answered)}, stated {stated:.3f}"
    )


@pytest.mark.calibration
@pytest.mark.parametrize("cell", CALIBRATION, ids=lambda cell: cell.name)
def test_a_cell_is_right_as_often_as_it_says(cell: Cell) -> None:
    trials = played((cell,), TRIALS)
    answered = [trial for trial in trials if trial.answered and trial.stated is not None]
    stated = sum(trial.stated or 0.0 for trial in answered) / max(len(answered), 1)
    right = sum(trial.right for trial in answered)
    assert len(answered) >= 0.8 * TRIALS, f"seed {SEED}: {[trial.ending for trial in trials]}"
    assert held(right, len(answered), stated - OVERCONFIDENT), (
        f"seed {SEED}: {right} of {len(answered)}, stated {stated:.3f}"
    )


@pytest.mark.calibration
def test_every_bin_of_stated_probability_is_right_as_often_as_it_says() -> None:
    for each in calibration(played(CALIBRATION, TRIALS // 2)):
        told = f"seed {SEED}: {each.right.hits} of {each.right.trials}, stated {each.stated:.3f}"
        assert held(each.right.hits, each.right.trials, each.stated - OVERCONFIDENT), told
