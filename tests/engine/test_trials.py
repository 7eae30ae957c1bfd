"""Jobs that try something, and bisects that try to prove their answer wrong, on simulated worlds."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bisector.adapters.in_memory.world import World
from bisector.core.model.facts import Concluded, Planned
from bisector.core.model.investigation import Investigation
from bisector.core.model.request import Budget, JobKind, Request, Search
from bisector.core.model.samples import Purpose, Sample
from bisector.core.model.scenario import Direction
from bisector.core.model.steps import BuildPlace
from bisector.core.model.trial import Trial, TrialKind
from bisector.core.model.trials import HEAD_PLACE, Restoration, without
from bisector.core.model.verdict import Change, Reason, Verdict, VerdictKind
from bisector.engine.job import JobState
from bisector.engine.stop import StopSignal
from bisector.errors import Cancelled
from bisector.formats.facts import fact_to_text, request_from_text, request_to_text
from tests.helpers.simulated import Simulation

PLANTED = World(candidates=32, culprit=20, effect=0.2, noise=0.01, seed=3)
TWICE = replace(PLANTED, effect=0.15, also="27:0.2")


@pytest.fixture
def simulation() -> Iterator[Simulation]:
    made = Simulation(PLANTED)
    yield made
    made.close()


def verify(simulation: Simulation, index: int, kind: TrialKind = TrialKind.REVERT) -> Request:
    trial = Trial(kind=kind, commit=simulation.world.line[index].sha)
    request = simulation.request(kind=JobKind.VERIFY, search=Search(direction=Direction.EITHER))
    return replace(request, trial=trial)


def patch(simulation: Simulation, content: bytes) -> Request:
    trial = Trial(kind=TrialKind.PATCH, patch=simulation.ports.artifacts.keep(content))
    return replace(verify(simulation, 1), kind=JobKind.TRY, trial=trial)


def found_by(investigation: Investigation) -> tuple[Verdict, Restoration]:
    verdict = investigation.verdict
    assert verdict is not None
    assert verdict.trial is not None
    return verdict, verdict.trial


def holds(found: Restoration, share: float) -> bool:
    assert found.low is not None
    assert found.high is not None
    return found.low <= share <= found.high


def test_taking_the_culprit_out_gives_the_change_back(simulation: Simulation) -> None:
    verdict, found = found_by(simulation.run(verify(simulation, 20)))
    assert (verdict.kind, found.restored) == (VerdictKind.RESTORED, True)
    assert holds(found, 1.0)


def test_taking_another_commit_out_does_not(simulation: Simulation) -> None:
    verdict, found = found_by(simulation.run(verify(simulation, 19)))
    assert (verdict.kind, found.restored) == (VerdictKind.NOT_RESTORED, False)
    assert holds(found, 0.0)


def test_put_on_top_of_good_the_culprit_brings_the_change(simulation: Simulation) -> None:
    verdict, found = found_by(simulation.run(verify(simulation, 20, TrialKind.APPLY)))
    assert verdict.kind is VerdictKind.RESTORED
    assert holds(found, 1.0)
    verdict, found = found_by(simulation.run(verify(simulation, 9, TrialKind.APPLY)))
    assert verdict.kind is VerdictKind.NOT_RESTORED
    assert holds(found, 0.0)


def test_a_conflict_is_told_before_anything_is_built() -> None:
    simulation = Simulation(replace(PLANTED, conflicts="20"))
    investigation = simulation.run(verify(simulation, 20))
    verdict, found = found_by(investigation)
    assert (verdict.kind, verdict.reason) == (VerdictKind.INCONCLUSIVE, Reason.CONFLICT)
    assert found.conflicts == ("app.py",)
    assert investigation.builds == {}
    simulation.close()


def test_a_metric_that_does_not_change_has_nothing_to_give_back() -> None:
    simulation = Simulation(replace(PLANTED, culprit=0))
    verdict, found = found_by(simulation.run(verify(simulation, 20)))
    assert (verdict.kind, verdict.reason) == (VerdictKind.NOT_REPRODUCED, Reason.NO_CHANGE)
    assert found.restored is None
    simulation.close()


@pytest.mark.parametrize(("factor", "kind"), [(1 / 1.2, "restored"), (0.92, "not_restored"), (1.0, "not_restored")])
def test_a_patch_restores_the_level_or_it_does_not(simulation: Simulation, factor: float, kind: str) -> None:
    verdict, _ = found_by(simulation.run(patch(simulation, str(factor).encode())))
    assert verdict.kind is VerdictKind(kind)


def test_a_patch_tried_after_a_search_builds_one_tree_only(simulation: Simulation) -> None:
    first = simulation.run()
    second = simulation.run(patch(simulation, b"0.83333"))
    assert second.verdict is not None
    assert second.verdict.kind is VerdictKind.RESTORED
    assert second.builds_made() == 1
    assert first.builds_made() > 1
    assert any(sample.adopted_from == first.job for sample in second.samples)


def test_all_three_take_turns(simulation: Simulation) -> None:
    investigation = simulation.run(verify(simulation, 20))
    order = [sample.place for sample in investigation.samples if sample.purpose is Purpose.TRIAL]
    assert order[:3] == order[5:2:-1]
    assert {order.count(place) for place in set(order)} == {len(order) // 3}


@pytest.mark.parametrize("noise", [0.02, 0.1])
def test_noise_takes_more_runs_and_the_budget_ends_them(noise: float) -> None:
    simulation = Simulation(replace(PLANTED, noise=noise))
    request = replace(verify(simulation, 20), budget=Budget(runs=24))
    investigation = simulation.run(request)
    assert investigation.runs() <= 24
    verdict, _ = found_by(investigation)
    assert verdict.kind in {VerdictKind.RESTORED, VerdictKind.INCONCLUSIVE}
    if noise > 0.05:
        assert (verdict.kind, verdict.reason) == (VerdictKind.INCONCLUSIVE, Reason.BUDGET)
    simulation.close()


def test_a_commit_that_changes_the_level_is_seldom_said_not_to() -> None:
    wrong = 0
    for seed in range(30):
        simulation = Simulation(replace(PLANTED, seed=seed, noise=0.06))
        verdict, _ = found_by(simulation.run(verify(simulation, 20 if seed % 2 else 7)))
        expected = VerdictKind.RESTORED if seed % 2 else VerdictKind.NOT_RESTORED
        wrong += verdict.kind not in {expected, VerdictKind.INCONCLUSIVE}
        simulation.close()
    assert wrong <= 2


def test_a_search_verifies_its_culprit_by_reverting_it(simulation: Simulation) -> None:
    verdict = simulation.run(replace(simulation.request(), verify_revert=True)).verdict
    assert verdict is not None
    found = verdict.culprits[0].revert
    assert found is not None
    assert found.restored is True
    assert found.place == without(20)
    assert holds(found, 1.0)
    assert verdict.culprits[0].inner is not None


@pytest.mark.parametrize("exact", [True, False])
def test_a_counter_without_noise_is_given_back_to_the_last_digit(exact: bool) -> None:
    simulation = Simulation(replace(PLANTED, noise=0.0))
    request = simulation.request(search=Search(descend=False))
    scenario = replace(request.scenario, metrics=(replace(request.scenario.metrics[0], exact=exact),))
    verdict = simulation.run(replace(request, scenario=scenario, verify_revert=True)).verdict
    simulation.close()
    assert verdict is not None
    found = verdict.culprits[0].revert
    assert found is not None
    assert (found.restored, found.share, found.low, found.high) == (True, *[pytest.approx(1.0)] * 3)


def test_each_of_several_culprits_is_reverted_alone() -> None:
    simulation = Simulation(TWICE)
    verdict = simulation.run(replace(simulation.request(), verify_revert=True)).verdict
    assert verdict is not None
    assert verdict.kind is VerdictKind.SEVERAL
    found = {culprit.place.index: culprit.revert for culprit in verdict.culprits}
    assert set(found) == {20, 27}
    for revert in found.values():
        assert revert is not None
        assert revert.restored is True
        assert revert.share is not None
        assert 0.3 < revert.share < 0.7
    simulation.close()


def test_a_revert_that_conflicts_does_not_take_the_culprit_back() -> None:
    simulation = Simulation(replace(PLANTED, conflicts="20"))
    verdict = simulation.run(replace(simulation.request(), verify_revert=True)).verdict
    assert verdict is not None
    assert verdict.kind is VerdictKind.CULPRIT
    assert verdict.culprits[0].revert is not None
    assert verdict.culprits[0].revert.conflicts == ("app.py",)
    simulation.close()


def test_what_the_proof_spends_of_the_budget_does_not_take_back_what_was_found(simulation: Simulation) -> None:
    plain = simulation.run()
    spent = replace(simulation.request(), verify_revert=True, reuse_samples=False, budget=Budget(runs=plain.runs() + 4))
    other = Simulation(PLANTED)
    investigation = other.run(spent)
    other.close()
    verdict = investigation.verdict
    assert verdict is not None
    assert verdict.kind is VerdictKind.CULPRIT
    assert verdict.culprits[0].inner == (plain.verdict or verdict).culprits[0].inner
    assert verdict.culprits[0].revert is not None
    assert verdict.culprits[0].revert.restored is None


@pytest.mark.parametrize(("head", "there"), [(32, True), (10, False)])
def test_the_tip_of_the_branch_has_the_change_or_has_it_no_more(simulation: Simulation, head: int, there: bool) -> None:
    """A tip from before the culprit stands for one on which somebody took it back."""
    request = replace(simulation.request(), bad=simulation.world.line[28].sha, head=simulation.world.line[head].sha)
    investigation = simulation.run(request)
    verdict = investigation.verdict
    assert verdict is not None
    assert verdict.head is not None
    assert verdict.head.restored is not there
    assert investigation.commit(HEAD_PLACE).sha == request.head


@pytest.mark.parametrize("after", [2, 9, 60, 80, 90])
def test_stopped_anywhere_and_resumed_it_ends_alike(after: int) -> None:
    whole, stopped = Simulation(PLANTED), Simulation(PLANTED)
    request = replace(whole.request(), verify_revert=True)
    whole.run(request)
    stop, job = StopSignal(), stopped.ports.store.create(request)
    store = stopped.ports.store
    append, facts = store.append, 0

    def counted(name: str, fact: object) -> None:
        nonlocal facts
        append(name, fact)  # type: ignore[arg-type]
        facts += 1
        if facts == after:
            stop.set("planted")

    store.append = counted  # type: ignore[assignment, method-assign]
    with pytest.raises(Cancelled):
        stopped.work(job, stop)
    assert store.job(job).state is JobState.CANCELLED
    stopped.work(job)

    def told(simulation: Simulation) -> list[str]:
        facts = simulation.ports.store.facts("1")
        return [fact_to_text(f) for f in facts if isinstance(f, Planned) and isinstance(f.step, BuildPlace)]

    assert len(told(whole)) == len(told(stopped))
    ends = [[f for f in each.ports.store.facts("1") if isinstance(f, Concluded)] for each in (whole, stopped)]
    assert ends[0][0].verdict.culprits[0].place == ends[1][0].verdict.culprits[0].place
    slots = [(f.step, f.order) for f in store.facts("1") if isinstance(f, Sample) and f.purpose is not Purpose.WARMUP]
    assert len(slots) == len(set(slots))
    for each in (whole, stopped):
        each.close()


def test_a_request_kept_before_there_were_trials_still_reads(simulation: Simulation) -> None:
    import json

    old = json.loads(request_to_text(simulation.request()))
    for name in ("trial", "verify_revert", "head"):
        del old[name]
    assert request_from_text(json.dumps(old)) == simulation.request()


def test_a_verdict_kept_before_there_were_trials_still_reads(simulation: Simulation) -> None:
    import json

    from bisector.formats.facts import fact_from_text

    simulation.run()
    kept = next(f for f in simulation.ports.store.facts("1") if isinstance(f, Concluded))
    old = json.loads(fact_to_text(kept))
    for name in ("trial", "head"):
        del old["verdict"][name]
    for culprit in old["verdict"]["culprits"]:
        del culprit["revert"]
    assert fact_from_text("Concluded", json.dumps(old)) == kept


LUCKY = World(candidates=32, culprit=20, effect=0.1, noise=0.005, seed=7)
ALONE = Search(descend=False)


@pytest.mark.parametrize("layout", ["", "19:0.01", "19:0.05"])
def test_a_culprit_that_differs_by_more_than_two_builds_of_its_parent_is_verified(layout: str) -> None:
    """Every further build of the culprit's parent is slower than the first by so much."""
    simulation = Simulation(replace(LUCKY, rebuilt=layout))
    verdict = simulation.run(simulation.request(search=ALONE)).verdict
    simulation.close()
    assert verdict is not None
    control = verdict.culprits[0].control
    assert verdict.kind is VerdictKind.CULPRIT
    assert verdict.culprits[0].verified
    assert control is not None
    assert control.same_build is (layout == "")
    assert not control.luck
    if control.difference is not None and control.culprit is not None:
        assert abs(control.difference.relative) < abs(control.culprit.relative)


@pytest.mark.parametrize(("layout", "members"), [("19:0.085", {19, 20}), ("19:0.1", {19, 20}), ("19:0.15", {19})])
def test_a_culprit_that_the_luck_of_a_build_could_explain_is_not_named_alone(layout: str, members: set[int]) -> None:
    """Where fresh builds of its parent deviate by more than the step, they speak for the parent itself."""
    simulation = Simulation(replace(LUCKY, rebuilt=layout))
    verdict = simulation.run(simulation.request(search=ALONE)).verdict
    simulation.close()
    assert verdict is not None
    assert verdict.kind is VerdictKind.CULPRIT_SET
    assert members <= set(verdict.culprits[0].members) < {18, 19, 20}


@pytest.mark.parametrize("layout", ["19:0.12/20:-0.04", "19:0.2", "20:-0.08", "19:0.05/20:-0.05"])
def test_nobody_is_named_whom_fresh_builds_did_not_bear_out(layout: str) -> None:
    for seed in range(3):
        simulation = Simulation(replace(LUCKY, rebuilt=layout, seed=seed))
        verdict = simulation.run(simulation.request(search=ALONE)).verdict
        simulation.close()
        assert verdict is not None
        if verdict.kind is VerdictKind.CULPRIT:
            assert verdict.culprits[0].members == (20,)
            assert verdict.culprits[0].probability >= 0.95


def test_a_commit_with_the_very_build_of_its_parent_is_never_named() -> None:
    """One candidate, whose content is its parent's, on a machine that is slower for it all the same."""
    from bisector.core.model.facts import BuildRecorded
    from bisector.core.model.history import main
    from bisector.core.search.ends import find_ends
    from bisector.core.search.planner import main_line_view
    from bisector.core.search.proof import guarded

    simulation = Simulation(replace(PLANTED, candidates=1, culprit=1))
    done = simulation.run(simulation.request(search=ALONE))
    simulation.close()
    assert done.verdict is not None
    assert done.verdict.kind is VerdictKind.CULPRIT
    build = replace(done.builds[main(1), 0], content=done.builds[main(0), 0].content)
    same = done.with_fact(BuildRecorded(place=main(1), number=0, build=build))
    ends = find_ends(same)
    assert ends is not None
    verdict = guarded(main_line_view(same, ends), done.verdict)
    assert (verdict.kind, verdict.reason, verdict.culprits) == (VerdictKind.INCONCLUSIVE, Reason.SAME_BUILD, ())
    assert "lies outside the repository" in verdict.explanation


SMALL = Change(relative=0.01, low=-0.05, high=0.07)


@pytest.mark.parametrize("change", [{"probability": 0.94}, {"verified": False, "change": SMALL}])
def test_below_the_asked_confidence_the_answer_is_a_set_with_its_probability(
    change: dict[str, float | bool | Change],
) -> None:
    from bisector.core.search.ends import find_ends
    from bisector.core.search.planner import main_line_view
    from bisector.core.search.proof import guarded

    simulation = Simulation(PLANTED)
    done = simulation.run(simulation.request(search=ALONE))
    simulation.close()
    ends = find_ends(done)
    assert done.verdict is not None
    assert ends is not None
    culprit = replace(done.verdict.culprits[0], **change)  # type: ignore[arg-type]
    verdict = guarded(main_line_view(done, ends), replace(done.verdict, culprits=(culprit,)))
    assert (verdict.kind, verdict.reason) == (VerdictKind.CULPRIT_SET, Reason.CONFIDENCE)
    assert verdict.culprits == (culprit,)


def test_a_culprit_that_changes_only_documentation_is_measured_again_and_marked() -> None:
    from bisector.core.model.verdict import Doubt
    from bisector.core.search.suspicion import AGAIN

    simulation = Simulation(replace(PLANTED, docs="20"))
    done = simulation.run(simulation.request(search=ALONE))
    simulation.close()
    assert done.verdict is not None
    assert done.verdict.kind is VerdictKind.CULPRIT
    assert done.verdict.culprits[0].suspicious is Doubt.DOCUMENTATION
    assert [plan.step.reason for plan in done.plans].count(AGAIN) == 1


def test_a_culprit_that_changes_code_is_not_marked(simulation: Simulation) -> None:
    done = simulation.run(replace(simulation.request(search=ALONE), profile=True))
    assert done.verdict is not None
    assert done.verdict.culprits[0].suspicious is None
    (seen,) = done.seen
    assert (seen.files, seen.profiled) == (("app.py",), True)
