"""The answer in one sentence, for every kind of verdict."""

from dataclasses import replace

import pytest

from bisector.core.model.investigation import Investigation
from bisector.core.model.samples import Purpose
from bisector.core.model.scenario import Metric
from bisector.core.model.verdict import Change, Reason, Verdict, VerdictKind
from bisector.report.phrase import plain
from bisector.report.sentence import answer, name_of, sentence_of
from tests.report import worlds
from tests.report.checks import hidden_characters

KINDS = worlds.by_verdict()
SAID = {
    "culprit": "Merge ae9d6749db (Merge branch 'topic-40') made seconds worse by",
    "culprit_set untestable": "the commits in between cannot be tested.",
    "culprit_set budget": "the budget was spent before it could be made sure.",
    "culprit_set confidence": "no further run or build would have made it surer.",
    "several": "2 changes: commit 4a1f45eb2e (Change 10) made seconds worse by 10.0 %",
    "no_change": "Not reproduced: a change of seconds of",
    "below_min_effect": "less than the 3 % worth naming.",
    "opposite_direction": "the other way than asked.",
    "on_good_branch": "Not reproduced on this line: why, in our words.",
    "environment_changed": "The environment changed: kernel: 6 → 7.",
    "packages moved": "builds made earlier have planted 1.0, those made today planted 2.0; good built again comes",
    "inconclusive": "Undecided: why, in our words; between the ends seconds worse by 10.0 % (+8.00 % to +12.0 %).",
    "failed": "Nothing could be measured: no two commits of the range can be tested",
    "worse": "seconds is worse by",
    "no difference": "No change of seconds worth naming:",
}


@pytest.mark.parametrize("kind", SAID)
def test_every_verdict_is_one_sentence(kind: str) -> None:
    text = sentence_of(KINDS[kind])
    assert SAID[kind] in text
    assert text.endswith(".")
    assert not hidden_characters(text)
    assert "\n" not in text


def test_what_a_bare_command_prints_has_no_name_of_its_own() -> None:
    done = KINDS["culprit"]
    assert done.verdict is not None
    printed = Metric(name="printed", source="printed", if_printed=True)
    assert "made the printed value worse by" in plain(answer(done, done.verdict, printed))


@pytest.mark.parametrize("kind", list(VerdictKind))
def test_a_verdict_without_particulars_still_makes_a_sentence(kind: VerdictKind) -> None:
    done = KINDS["culprit"]
    culprits = done.verdict.culprits if done.verdict and kind.value in {"culprit", "culprit_set", "several"} else ()
    bare = Verdict(kind=kind, culprits=culprits)
    assert sentence_of(worlds.concluded(done, bare)).endswith(".")


def test_a_set_is_not_said_to_have_made_what_fresh_runs_show_a_small_part_of() -> None:
    done = KINDS["culprit"]
    assert done.verdict is not None
    culprit, whole = done.verdict.culprits[0], Change(relative=0.107, low=0.06, high=0.155)
    for part, held in (
        (Change(relative=0.03, low=-0.01, high=0.07), "3.00 % (-1.00 % to +7.00 %), a part of the 10.7 % between"),
        (Change(relative=0.09, low=0.05, high=0.12), "worse by 10.7 % (+6.00 % to +15.5 %), probability"),
    ):
        members = (culprit.place.index - 1, culprit.place.index)
        found = replace(culprit, change=part, members=members, verified=True, inner=None)
        verdict = Verdict(
            kind=VerdictKind.CULPRIT_SET, reason=Reason.CONFIDENCE, culprits=(found,), change=whole, excluded=0.1
        )
        assert held in sentence_of(worlds.concluded(done, verdict))


def test_without_an_answer() -> None:
    assert sentence_of(Investigation(job="1", request=KINDS["culprit"].request)) == "The job has no answer yet."


def test_a_name_is_plain_text() -> None:
    assert name_of(KINDS["culprit"].line.commit(40)) == "ae9d6749db (Merge branch 'topic-40')"


@pytest.mark.parametrize(
    ("held", "verified", "told"),
    [
        (True, True, "verified by fresh runs against its parent"),
        (True, False, "not verified"),
        (False, False, "though fresh runs against its parent did not show it"),
    ],
)
def test_what_the_last_fresh_runs_showed_is_told_with_the_name(held: bool, verified: bool, told: str) -> None:
    done = KINDS["culprit"]
    assert done.verdict is not None
    culprit = done.verdict.culprits[0]
    fresh = [s for s in done.samples if s.purpose is Purpose.VERIFY]
    before = next(s.values for s in fresh if s.place != culprit.place)
    flat = tuple(replace(s, values=before) if s in fresh and not held else s for s in done.samples)
    verdict = replace(done.verdict, culprits=(replace(culprit, verified=verified),))
    assert told in sentence_of(worlds.concluded(replace(done, samples=flat), verdict))
