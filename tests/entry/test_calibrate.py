"""`bisector calibrate`, and what later jobs make of it."""

import re
from pathlib import Path

from tests.entry.conftest import Cli
from tests.helpers.repositories import Sandbox

WORLD = "candidates=64,culprit=20,effect=0.1,noise=0.02"


def share(label: str, text: str) -> float:
    found = re.search(rf"^{label}.*?([\d.]+) %", text, re.MULTILINE)
    assert found is not None, text
    return float(found[1]) / 100


def test_the_noise_is_told_and_what_can_be_seen(cli: Cli) -> None:
    done = cli("calibrate", "good", "--simulate", WORLD, "--builds", "5", "--runs", "20")
    assert done.code == 0
    assert 0.015 < share("a run", done.out) < 0.025
    assert share("a build", done.out) < 0.01 or "adds nothing" in done.out
    seen = [float(found) for found in re.findall(r"^visible +changes of ([\d.]+) %", done.out, re.MULTILINE)]
    assert seen == sorted(seen, reverse=True)
    assert "5 builds × 20 runs" in done.out
    assert "round 20 of 20" in done.err


def test_builds_of_two_kinds_are_told(cli: Cli) -> None:
    world = "candidates=64,culprit=20,effect=0.1,noise=0.01,odd=0.2"
    odd = r"(19|20|21)(\.\d)? %"
    kinds = f"some builds lie {odd} above the others"
    done = cli("calibrate", "good", "--simulate", world, "--builds", "12", "--runs", "10").out
    assert re.search(rf"^a build .* within its kind\ntwo kinds    {kinds}$", done, re.MULTILINE), done
    planned = cli("bisect", "good", "bad", "--simulate", world, "--dry-run").out
    assert re.search(rf"^two kinds  {kinds}$", planned, re.MULTILINE), planned
    assert share("sees", planned) < 0.02, "which builds are odd is found out"
    compared = cli("compare", "good", "bad", "--simulate", world, "--dry-run").out
    assert re.search(rf"Two builds of one commit may differ by {odd}", compared), compared
    few = cli("compare", "good", "bad", "--simulate", world, "--dry-run", "--max-runs", "10").out
    assert share("sees", few) < 0.05, "what the builds may do is said apart"


def test_a_drifting_machine_is_seen(cli: Cli) -> None:
    done = cli("calibrate", "good", "--simulate", "noise=0.005,drift=0.01", "--runs", "30")
    correlation = re.search(r"correlate by ([+-][\d.]+)", done.out)
    assert correlation is not None
    assert float(correlation[1]) > 0.3


def test_later_jobs_begin_with_it_and_a_dry_run_tells_what_to_expect(cli: Cli, tmp_path: Path) -> None:
    before = cli("bisect", "good", "bad", "--simulate", WORLD, "--dry-run").out
    assert "bisector calibrate" in before
    cli("calibrate", "good", "--simulate", WORLD)
    after = cli("bisect", "good", "bad", "--simulate", WORLD, "--dry-run", "--max-runs", "40").out
    assert "as calibrated on this host" in after
    assert "nine times of ten" in after
    assert "with 40 runs" in after
    assert cli("bisect", "good", "bad", "--simulate", WORLD).code == 0


def test_a_comparison_can_be_planned_as_well(cli: Cli) -> None:
    before = cli("compare", "good", "bad", "--simulate", WORLD, "--dry-run")
    assert (before.code, "runs       20 or more" in before.out) == (0, True), before.out
    cli("calibrate", "good", "--simulate", WORLD)
    after = cli("compare", "good", "bad", "--simulate", WORLD, "--dry-run").out
    assert "as calibrated on this host" in after
    told = re.search(r"runs       about (\d+) for a difference of ([\d.]+)%", after)
    assert told is not None, after
    few = cli("compare", "good", "bad", "--simulate", WORLD, "--dry-run", "--max-runs", "10").out
    assert re.search(r"sees       differences of [\d.]+ % or more with 10 runs", few) is not None, few
    finer = cli("compare", "good", "bad", "--simulate", WORLD, "--dry-run", "--min-effect", "0.5%").out
    more = re.search(r"runs       about (\d+) ", finer)
    assert more is not None, finer
    assert int(more[1]) > int(told[1]) >= 20
    assert "There are no jobs yet" in cli("jobs", "list").out


def test_a_calibration_belongs_to_its_scenario(cli: Cli) -> None:
    cli("calibrate", "good", "--simulate", WORLD)
    other = cli("bisect", "good", "bad", "--simulate", WORLD, "--metric", "seconds", "--dry-run").out
    assert "as calibrated" in other


def test_on_a_real_repository_through_the_local_runner(cli: Cli, repository: Sandbox, scenario: Path) -> None:
    where = ("--repo", repository.top, "--scenario", scenario, "--runner", "local")
    done = cli("calibrate", "bad", *where, "--builds", "2", "--runs", "4")
    assert done.code == 0
    assert "2 builds × 4 runs" in done.out
    assert re.search(r"^a build +\S.*, and is the same every time", done.out, re.MULTILINE)
    assert "as calibrated" in cli("bisect", "good", "bad", *where, "--dry-run").out


def test_builds_that_differ_are_not_said_to_be_the_same(cli: Cli, repository: Sandbox) -> None:
    draws = ("--build", "date +%s%N > drawn")
    where = ("--repo", repository.top, "--runner", "local", "--builds", "2", "--runs", "3")
    done = cli("calibrate", "bad", *where, *draws, "--", "cat", "drawn")
    assert done.code == 0, done.err
    assert re.search(r"^a build +\S", done.out, re.MULTILINE)
    assert "the same every time" not in done.out


def test_a_commit_that_does_not_build_is_said(cli: Cli, repository: Sandbox, scenario: Path) -> None:
    repository.commit("broken", {"lib.py": "LEVEL = (\n"})
    done = cli("calibrate", "HEAD", "--repo", repository.top, "--scenario", scenario, "--runner", "local")
    assert done.code == 4
    assert "does not build" in done.err


def test_a_finished_job_is_learned_from_and_a_calibration_takes_its_place(cli: Cli) -> None:
    cli("bisect", "good", "bad", "--simulate", WORLD)
    assert "as 1 earlier job here showed" in cli("bisect", "good", "bad", "--simulate", WORLD, "--dry-run").out
    other = WORLD.replace("culprit=20", "culprit=40")
    cli("bisect", "good", "bad", "--simulate", other, "--no-reuse")
    assert "as 2 earlier jobs here showed" in cli("bisect", "good", "bad", "--simulate", WORLD, "--dry-run").out
    cli("calibrate", "good", "--simulate", WORLD)
    assert "as calibrated on this host" in cli("bisect", "good", "bad", "--simulate", WORLD, "--dry-run").out
