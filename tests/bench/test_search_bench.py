"""The bench of the search: its worlds have the noise they say, its bounds the known values, its peers their habits."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.search import campaign
from benchmarks.search.bounds import burnashev_bound, capacity, strict_bound
from benchmarks.search.campaign import Campaign
from benchmarks.search.cells import TABLES, Cell, cells_named
from benchmarks.search.ours import Planner
from benchmarks.search.peers import PEERS
from benchmarks.search.replay import ReplayWorld, read_recording, replay
from benchmarks.search.strategies import Trial, play
from benchmarks.search.summaries import Share, calibration
from benchmarks.search.tests_of_difference import kolmogorov_smirnov, mann_whitney
from benchmarks.search.worlds import LEVEL, MOST_COST, REGIMES, OverBudget, Plan, Setting, World
from bisector.adapters.in_memory.world import World as SimulatedWorld
from bisector.cli.events import EventStream
from bisector.core.model.calibration import Calibration
from bisector.core.model.request import Request
from tests.helpers.simulated import Simulation


def world(regime: str = "gauss", setting: Setting = Setting.SINGLE, effect: float = 2.0, trial: int = 0) -> World:
    return World(Plan(regime=regime, setting=setting, size=32, effect=effect, build_cost=5.0, seed=3, trial=trial))


@pytest.mark.parametrize(("effect", "bits"), [(0.5, 0.044), (1.0, 0.161), (2.0, 0.486), (4.0, 0.913), (10.0, 1.0)])
def test_the_capacity_of_a_gaussian_shift(effect: float, bits: float) -> None:
    assert capacity("gauss", effect) == pytest.approx(bits, abs=6e-4)


@pytest.mark.parametrize(("shape", "bits"), [("t3", 0.274), ("lognorm", 0.479), ("bimodal", 0.625)])
def test_the_capacity_of_other_noise(shape: str, bits: float) -> None:
    assert capacity(shape, 1.0) == pytest.approx(bits, abs=1e-3)


def test_the_strict_bound_lies_below_the_yardstick() -> None:
    for effect in (0.5, 1.0, 2.0, 4.0):
        assert strict_bound("gauss", effect, 128, 5.0) < burnashev_bound("gauss", effect, 128, 5.0)
    assert burnashev_bound("gauss", 2.0, 128, 5.0) == pytest.approx(47.7, abs=0.1)


@pytest.mark.parametrize(
    "regime", [name for name in REGIMES if name not in {"burst", "hetero", "drift", "drift3", "mix"}]
)
def test_a_run_deviates_by_one(regime: str) -> None:
    values = []
    for trial in range(40):
        here = world(regime, effect=0.0, trial=trial)
        unit = here.build(0)
        assert unit is not None
        values.append([here.run(unit) for _ in range(100)])
    spread = float(np.sqrt(np.mean(np.var(values, axis=1))))
    # Rounding to multiples of 2 adds a third to the variance.
    wanted = {"exact": 0.0, "quietbuild": 0.0, "quant": np.sqrt(4 / 3)}.get(regime, 1.0)
    assert spread == pytest.approx(wanted, abs=0.12)


def test_a_later_job_begins_with_what_the_ones_before_it_showed(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[Calibration | None] = []

    def noted(self: Planner, here: World, known: Calibration | None) -> Request:
        begun.append(known)
        return asked(self, here, known)

    asked = Planner._request
    monkeypatch.setattr(Planner, "_request", noted)
    cell = cells_named("single-oddfar-N128-d2-B5")[0]
    third = play(campaign.strategy_called(campaign.THIRD, cell), cell.world(5, 7001))
    assert [each and each.jobs for each in begun] == [None, 1, 2]
    first = play(Planner(), cell.world(5, 7001))
    assert third.cost < first.cost, "it knows of odd builds, and what the others cost is theirs"


def test_every_strategy_meets_the_same_culprit_and_pays_for_everything() -> None:
    assert world().culprits == world().culprits
    here = world()
    unit = here.build(3)
    assert unit is not None
    here.run(unit)
    assert here.cost == 6.0
    for _ in range(int(MOST_COST - here.cost)):
        here.run(unit)
    with pytest.raises(OverBudget):
        here.run(unit)


def test_an_answer_is_right_only_if_it_is_exact() -> None:
    here = world(trial=4)
    culprit = here.culprits[0]
    assert here.accepts((culprit,), no_change=False)
    assert not here.accepts((culprit, culprit + 1), no_change=False)
    assert not here.accepts((), no_change=True)
    assert world(setting=Setting.NO_CHANGE).accepts((), no_change=True)


@pytest.mark.parametrize("name", PEERS)
@pytest.mark.parametrize("setting", [Setting.SINGLE, Setting.UNBUILDABLE])
def test_every_peer_finds_a_change_that_is_plain_to_see(name: str, setting: Setting) -> None:
    trials = [play(PEERS[name], world("exact", setting, 10.0, trial)) for trial in range(4)]
    assert all(trial.right for trial in trials)


def test_ours_is_the_planner_itself() -> None:
    trial = play(Planner(), world(effect=10.0, trial=1))
    assert trial.right
    assert trial.stated is not None
    assert trial.stated > 0.95
    assert 0 < trial.verification < trial.cost
    assert sum(trial.spent.values()) == pytest.approx(trial.cost)
    assert min(trial.spent[name] for name in ("ends", "builds", "runs", "verifying")) > 0


@pytest.mark.parametrize("trial", range(12))
def test_ours_tries_once_more_what_did_not_build_and_then_answers(trial: int) -> None:
    """Beside the culprit that is a set, which is the right answer there."""
    played = play(Planner(), world(setting=Setting.UNBUILDABLE, effect=10.0, trial=trial))
    assert played.right, played
    assert played.builds < 32


def test_a_classical_test_knows_the_same_from_the_different() -> None:
    draw = np.random.default_rng(1)
    same, other = draw.standard_normal(30), draw.standard_normal(30)
    for test in (mann_whitney, kolmogorov_smirnov):
        assert test(same, other) > 0.01
        assert test(same, other + 2) < 1e-4
    assert mann_whitney(np.full(5, LEVEL), np.full(5, LEVEL)) == 1.0


def test_a_stopped_campaign_goes_on_where_it_stood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cells = (Cell(regime="exact", effect=10.0, size=8),)
    first = Campaign(cells=cells, strategies=("git-k5",), trials=3, seed=1, cache=tmp_path)
    list(first.play(1))
    kept = first.trials_of(cells[0], "git-k5")
    played: list[int] = []
    real = campaign.strategy_called

    def counted(name: str, cell: Cell) -> object:
        played.append(1)
        return real(name, cell)

    monkeypatch.setattr(campaign, "strategy_called", counted)
    monkeypatch.setattr(campaign, "ProcessPoolExecutor", _InThisProcess)
    more = Campaign(cells=cells, strategies=("git-k5",), trials=5, seed=1, cache=tmp_path)
    list(more.play(1))
    assert len(played) == 2
    assert more.trials_of(cells[0], "git-k5")[:3] == kept


class _InThisProcess:
    def __init__(self, max_workers: int) -> None:
        del max_workers

    def __enter__(self) -> "_InThisProcess":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    map = staticmethod(map)


def test_names_of_cells_are_unique_and_found() -> None:
    for name, cells in TABLES.items():
        assert len({cell.name for cell in cells}) == len(cells)
        assert cells_named(name) == cells
    assert all("drift3" in cell.name for cell in cells_named("drift3"))


def test_shares_have_exact_intervals_and_bins_hold_every_answer() -> None:
    low, high = Share(hits=95, trials=100).interval
    assert low == pytest.approx(0.887, abs=1e-3)
    assert high == pytest.approx(0.984, abs=1e-3)
    assert Share(hits=5, trials=5).interval[1] == 1.0
    trials = [_answered(stated, right) for stated, right in [(0.5, False), (0.96, True), (0.96, False), (1.0, True)]]
    bins = calibration(trials)
    assert sum(each.right.trials for each in bins) == 4
    assert [each.right.hits for each in bins] == [0, 1, 1]


def _answered(stated: float, right: bool) -> Trial:
    return Trial(
        right=right,
        answered=True,
        false_culprit=not right,
        cost=1.0,
        runs=1,
        builds=0,
        stated=stated,
        ending="",
        verification=0.0,
        decision_seconds=0.0,
    )


def events_of(tmp_path: Path, noise: float) -> Path:
    """The events of a simulated job with the culprit at 20 of 32."""
    file = tmp_path / "job.jsonl"
    with EventStream.to(str(file)) as stream:
        planted = SimulatedWorld(candidates=32, culprit=20, effect=0.1, noise=noise)
        simulation = Simulation(planted, observers=(stream,))
        try:
            simulation.run()
        finally:
            simulation.close()
    return file


def test_a_recorded_job_becomes_a_world(tmp_path: Path) -> None:
    recording = read_recording(events_of(tmp_path, 0.02))
    assert recording.size == 32
    levels = [float(np.median(np.concatenate(side))) for side in (recording.good, recording.bad)]
    assert levels[1] / levels[0] == pytest.approx(1.1, abs=0.03)
    here = ReplayWorld(recording, 0, 1)
    culprit = here.culprits[0]
    units = [here.build(index) for index in (culprit - 1, culprit)]
    values = [[here.run(unit) for _ in range(6)] for unit in units if unit is not None]
    assert set(values[0]) <= {value for unit in recording.good for value in unit}
    assert set(values[1]) <= {value for unit in recording.bad for value in unit}
    trials = list(replay(recording, Planner(min_effect=0.03), 3, 1))
    assert sum(trial.right for trial in trials) >= 2


def test_a_job_that_named_nothing_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "empty.jsonl"
    file.write_text("")
    with pytest.raises(ValueError, match="named no commit"):
        read_recording(file)
