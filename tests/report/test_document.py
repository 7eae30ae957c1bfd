"""The report as values: what it tells of an answer, and of what it rests on."""

from dataclasses import replace

import pytest

from bisector.adapters.in_memory.world import World
from bisector.core.model.facts import Adopted, BranchListed
from bisector.core.model.history import LineName, linear_line, main
from bisector.core.model.investigation import Investigation
from bisector.core.model.request import JobKind, RunnerName
from bisector.core.model.samples import Outcome, Purpose
from bisector.core.model.steps import Measure
from bisector.core.model.units import Sha
from bisector.core.model.verdict import Change, InnerAnswer, InnerKind, VerdictKind
from bisector.report.document import RowState, Side
from bisector.report.phrase import plain
from tests.report import worlds
from tests.report.worlds import STEADY, finished, report

KINDS = worlds.by_verdict()


def test_a_culprit_is_told_with_all_that_is_known() -> None:
    (culprit,) = report(KINDS["culprit"]).culprits
    assert (culprit.index, culprit.commit.subject) == (40, "Merge branch 'topic-40'")
    assert culprit.parent.subject == "Change 39"
    assert culprit.set == (culprit.commit.sha,)
    assert (culprit.verified, culprit.same_build, culprit.still_at_bad) == (True, False, True)
    assert culprit.inner is not None
    assert culprit.inner.commit is not None
    assert culprit.inner.commit.subject == "Topic 40, part 1"
    assert culprit.share is not None
    assert 0.5 < culprit.share < 1.5


def test_evidence_and_cost_agree_with_the_facts() -> None:
    investigation = KINDS["culprit"]
    told = report(investigation)
    assert told.cost.runs == investigation.runs()
    assert told.cost.builds == investigation.builds_made()
    assert told.cost.warmups == sum(sample.purpose is Purpose.WARMUP for sample in investigation.samples)
    assert told.cost.run_seconds == pytest.approx(sum(s.usage.wall for s in investigation.samples if s.usage))
    labels = [row.label for row in told.evidence]
    assert labels == [
        "Good", "Bad", "Change", "No change at all", "The culprit", "Parent to culprit", "Inside the merge",
        "Verified", "Two builds of its parent", "Noise", "Runs",
    ]  # fmt: skip


def test_sides_of_measured_commits() -> None:
    line = report(KINDS["culprit"]).lines[0]
    sides = {row.first: row.side for row in line.rows if row.state is RowState.MEASURED}
    assert {index: side for index, side in sides.items() if index < 40} == dict.fromkeys(
        [i for i in sides if i < 40], Side.OLD
    )
    assert all(side is Side.NEW for index, side in sides.items() if index >= 40)
    assert [(level.side, level.first, level.last) for level in line.levels] == [(Side.OLD, 0, 39), (Side.NEW, 40, 64)]


def test_without_a_change_there_is_one_level_and_no_side() -> None:
    line = report(KINDS["no_change"]).lines[0]
    assert [level.side for level in line.levels] == [Side.UNSURE]
    assert not line.changed
    assert line.band is None


def test_an_end_that_is_replaced_is_told() -> None:
    investigation = finished(STEADY)
    builds = dict(investigation.builds)
    builds[main(0), 0] = replace(builds[main(0), 0], outcome=Outcome.BUILD_FAILED, reason="no compiler")
    builds[main(1), 0] = builds[main(32), 0]
    told = report(replace(investigation, builds=builds, verdict=None), "running")
    assert told.ends is not None
    assert (told.ends.good.index, told.ends.good.asked, told.ends.bad.asked) == (1, False, True)
    assert any("named as good, cannot be tested (does not build: no compiler):" in plain(n) for n in told.notes)
    assert [each.index for each in told.untestable] == [0]


def test_good_beside_the_line_is_told() -> None:
    told = report(KINDS["good aside"])
    notes = " ".join(plain(note) for note in told.notes)
    assert "lies beside the line" in notes
    assert "does not contain good" in notes
    assert told.ends is not None
    assert told.ends.aside is not None
    assert told.ends.aside.runs == 5
    assert sum(point.index is None for point in told.lines[0].points) == 5


def test_samples_taken_over_are_told_used_or_not() -> None:
    request, facts = worlds.facts_of(STEADY)
    done = Investigation.replay("1", request, facts)
    used = tuple(replace(s, adopted_from="7") for s in done.samples if s.counts)
    off = tuple(replace(s, values={"seconds": 50.0 + s.order}) for s in used)
    for samples, fate in ((used, "were taken over"), (off, "were left aside")):
        notes = [plain(note) for note in report(done.with_fact(Adopted(job="7", samples=samples))).notes]
        assert any("from job 7" in note and fate in note for note in notes), notes
    both = tuple(replace(sample, adopted_from=str(7 + n % 2)) for n, sample in enumerate(used))
    notes = [plain(note) for note in report(done.with_fact(Adopted(job="7", samples=both))).notes]
    assert any("from jobs 7 and 8" in note for note in notes), notes


@pytest.mark.parametrize(("level", "fate"), [(2.01, "were taken over"), (2.6, "were left aside")])
def test_an_end_that_was_run_once_is_held_against_the_noise_of_all(level: float, fate: str) -> None:
    done = worlds.with_values([1.0, 2.03, 1.5, 1.02, 1.98, 1.51, 0.98, 2.0, 1.49])
    sample = next(each for each in done.samples if each.place == main(4))
    once = (replace(sample, order=99, adopted_from="7", values={"seconds": level}),)
    first = tuple(replace(each, adopted_from="7") for each in done.samples if each.place == main(0))
    notes = [plain(note) for note in report(done.with_fact(Adopted(job="7", samples=first + once)), "running").notes]
    assert any(fate in note for note in notes), notes


@pytest.mark.parametrize("runs", [5, 12])
def test_noise_in_proportion_to_the_level_is_no_other_spread(runs: int) -> None:
    noise = [0.01 * (n * 7 % runs - runs // 2) for n in range(runs)]

    def told(wider: float) -> bool:
        values = [value for part in noise for value in (1 + part, 5 * (1 + wider * part), 1 + part)]
        notes = report(worlds.with_values(values, runs=runs), "running").notes
        return any("The spread of" in plain(note) or "looks less even" in plain(note) for note in notes)

    assert told(5.0)
    assert not told(1.0)


def test_runs_far_out_and_drift_are_told() -> None:
    values = [1.0, 1.001, 0.999, 1.002, 1.0, 0.998, 1.001, 9.0]
    told = report(worlds.with_values(values, runs=8), "running")
    assert any("of little weight" in plain(note) for note in told.notes)
    drifting = worlds.with_values([1 + 0.002 * n + (0.001 if n % 2 else 0) for n in range(60)], runs=20)
    assert any("Values moved by" in plain(note) for note in report(drifting, "running").notes)
    assert not any("Values moved by" in plain(note) for note in report(KINDS["culprit"]).notes)


def test_failed_runs_and_other_hosts_are_told() -> None:
    done = finished(STEADY)
    odd = [
        replace(done.samples[0], outcome=Outcome.INFRA, values={}),
        replace(done.samples[0], outcome=Outcome.TIMEOUT, values={}),
        replace(done.samples[0], host="another"),
    ]
    for sample in odd:
        done = done.with_fact(sample)
    notes = " ".join(plain(note) for note in report(done).notes)
    assert "1 run failed through the machine's fault" in notes
    assert "1 run gave no number (takes too long)" in notes
    assert "1 run on another host left aside" in notes


def test_what_the_request_hides_or_prefers_is_told() -> None:
    done = finished(STEADY)
    search = replace(done.request.search, skip=(done.line.commit(3).sha,), paths=("src/*.c",))
    told = report(replace(done, request=replace(done.request, search=search, worktree=Sha("b" * 40)), verdict=None))
    notes = " ".join(plain(note) for note in told.notes)
    assert "Left out on request" in notes
    assert "src/*.c" in notes
    assert "work tree" in notes
    (bad,) = [row for row in told.evidence if row.label == "Bad"]
    assert "with uncommitted changes" in plain(bad.grounds)
    (skipped,) = [row for row in told.lines[0].rows if row.first == row.last == 3]
    assert (skipped.state, skipped.reason) == (RowState.UNTESTABLE, "left out on request")


def test_a_local_run_says_that_nothing_isolates_it() -> None:
    done = finished(STEADY)
    local = replace(done, request=replace(done.request, runner=RunnerName.LOCAL))
    assert any("without isolation" in plain(note) for note in report(local).notes)


def test_an_answer_that_fresh_runs_do_not_bear_out_is_not_called_verified() -> None:
    done = KINDS["culprit"]
    (culprit,) = done.verdict.culprits if done.verdict else ()
    fresh = [
        plan.number
        for plan in done.plans
        if isinstance(plan.step, Measure) and plan.step.reason.startswith("the likely culprit")
    ]
    spoilt = tuple(
        replace(s, values={"seconds": 1.0}) if s.step == fresh[0] and s.place == culprit.place else s
        for s in done.samples
    )
    told = report(replace(done, samples=spoilt))
    assert (told.culprits[0].verified, told.culprits[0].pairs_of_builds) == (False, 0)
    assert "did not show it" in plain(told.sentence)
    assert [plain(row.value) for row in told.evidence if row.label == "Verified"] == ["no"]


def test_a_culprit_that_two_pairs_of_fresh_builds_showed_says_so() -> None:
    uneven = World(candidates=32, culprit=20, effect=0.1, noise=0.02, layout=0.02, seed=1)
    document = report(finished(uneven))
    assert document.culprits[0].pairs_of_builds == 2
    told = document.evidence
    (verified,) = (row for row in told if row.label == "Verified")
    assert plain(verified.grounds).endswith("; another pair of builds showed it too")
    assert not any(row.label.startswith("Two builds of its parent") for row in told)


def test_a_share_of_the_change_and_other_unknowns() -> None:
    done = KINDS["culprit"]
    assert done.verdict is not None
    (culprit,) = done.verdict.culprits
    half = replace(culprit, change=Change(relative=0.02, low=0.01, high=0.03), inner=None)
    told = report(worlds.concluded(done, replace(done.verdict, culprits=(half,))))
    assert any("of the whole change" in plain(row.grounds) for row in told.evidence)
    unknown = replace(culprit, change=None, inner=None)
    blank = replace(done.verdict, culprits=(unknown,), change=None)
    bare = replace(
        worlds.concluded(done, blank),
        builds={place: replace(build, content=None) for place, build in done.builds.items()},
    )
    (named,) = report(bare).culprits
    assert (named.share, named.same_build, named.change) == (None, None, None)


def test_of_a_change_that_may_be_nothing_no_share_is_told() -> None:
    """A culprit that was taken back inside the range: dividing by what is left would tell of thousands of percent."""
    done = KINDS["culprit"]
    assert done.verdict is not None
    left = Change(relative=0.004, low=-0.02, high=0.03)
    (culprit,) = done.verdict.culprits
    fixed = replace(culprit, place=main(50), change=Change(relative=-0.1, low=-0.12, high=-0.08), inner=None)
    told = report(worlds.concluded(done, replace(done.verdict, change=left, opposite=(fixed,))))
    assert [each.share for each in (*told.culprits, *told.opposite)] == [None, None]
    assert not any("of the whole change" in plain(row.grounds) for row in told.evidence)
    assert "between the ends seconds changes by +0.40 %" in plain(told.sentence)


def test_fresh_runs_stand_with_the_culprit_they_are_of() -> None:
    labels = [row.label for row in report(KINDS["several found"]).evidence]
    named = [place for place, label in enumerate(labels) if label.startswith(("The culprit", "The other way"))]
    verified = [place for place, label in enumerate(labels) if label.startswith("Verified")]
    assert len(named) == len(verified) == 3
    assert all(one < fresh for one, fresh in zip(named, verified, strict=True))
    assert all(fresh < following for fresh, following in zip(verified, named[1:], strict=False))


@pytest.mark.parametrize("kind", list(InnerKind))
def test_every_answer_inside_a_merge(kind: InnerKind) -> None:
    done = KINDS["culprit"]
    assert done.verdict is not None
    members = {InnerKind.COMMIT: (2,), InnerKind.COMMIT_SET: (1, 2, 3), InnerKind.INTERACTION: (4,)}.get(kind, ())
    answer = InnerAnswer(kind=kind, members=members, probability=0.9)
    culprit = replace(done.verdict.culprits[0], inner=answer)
    told = report(worlds.concluded(done, replace(done.verdict, culprits=(culprit,))))
    found = told.culprits[0].inner
    assert found is not None
    assert (found.commit is not None) == (kind is InnerKind.COMMIT)
    assert len(found.set) == {InnerKind.COMMIT: 1, InnerKind.COMMIT_SET: 3}.get(kind, 0)
    assert plain(found.phrase) in plain(told.sentence)


def test_a_branch_searched_on_its_own_is_told() -> None:
    done = KINDS["culprit"]
    assert done.branch is not None
    alone = done.with_fact(replace(done.branch, in_context=False, conflicts=2))
    assert any("on their own branch" in plain(note) for note in report(alone).notes)
    conflicting = done.with_fact(replace(done.branch, conflicts=1))
    assert any("cannot be put on top" in plain(note) for note in report(conflicting).notes)


def test_a_merge_that_brought_in_nothing() -> None:
    done = KINDS["culprit"]
    empty = BranchListed(merge=main(40), line=linear_line(done.line.commit(39), []), in_context=True)
    assert done.verdict is not None
    undecided = replace(done.verdict.culprits[0], inner=InnerAnswer(kind=InnerKind.UNDECIDED))
    on_main = {(place, part): build for (place, part), build in done.builds.items() if place.line is LineName.MAIN}
    outside = replace(done, builds=on_main).with_fact(empty)
    told = report(worlds.concluded(outside, replace(done.verdict, culprits=(undecided,))))
    assert [line.name for line in told.lines] == [LineName.MAIN]


def test_a_cancelled_job_says_so_and_what_it_knew() -> None:
    _, half = worlds.stages()[len(worlds.stages()) // 2]
    told = report(half, "cancelled")
    assert told.verdict is VerdictKind.CANCELLED
    assert plain(told.sentence).startswith("Cancelled after")
    assert "likeliest" in plain(told.sentence)
    assert told.culprits == ()
    assert told.advice[0].command == "bisector jobs resume 1"


def test_further_metrics_are_told_from_the_same_runs() -> None:
    (other,) = report(KINDS["two metrics"]).others
    assert (other.metric.name, other.verdict) == ("wall", VerdictKind.CULPRIT)
    assert [culprit.index for culprit in other.culprits] == [40]
    assert other.ends.good.median is not None


def test_a_comparison_blames_nobody() -> None:
    told = report(KINDS["worse"])
    assert (told.kind, told.verdict, told.culprits) == (JobKind.COMPARE, VerdictKind.CULPRIT, ())
    assert plain(told.sentence).startswith("seconds is worse by")


ADVICE = {
    "culprit": "git diff",
    "culprit_set untestable": "git log --first-parent --stat",
    "culprit_set budget": "budget once more",
    "opposite_direction": "--direction better",
    "on_good_branch": "bisector bisect",
    "below_min_effect": "--min-effect",
    "no_change": "seen elsewhere",
    "environment_changed": "bisector jobs rerun 1",
    "packages moved": "--as-of",
    "failed": "Make the scenario work",
}


@pytest.mark.parametrize("kind", ADVICE)
def test_advice(kind: str) -> None:
    told = " ".join(f"{plain(item.text)} {item.command}" for item in report(KINDS[kind]).advice)
    if kind == "culprit" or kind.endswith("untestable"):
        assert ADVICE[kind].removeprefix("git ") in told
    else:
        assert ADVICE[kind] in told
