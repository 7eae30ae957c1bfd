"""The answer tried to be proved wrong, for real: fresh builds, and bad without the merge that was found."""

import shutil
import time
from pathlib import Path

import pytest

from bisector.core.model.facts import Concluded
from bisector.core.model.samples import Purpose, Sample
from bisector.core.model.verdict import VerdictKind
from bisector.errors import BisectorError
from bisector.formats.facts import fact_to_text
from tests.e2e.test_killed import Victim
from tests.helpers.counted import counted
from tests.helpers.installs import BASE_IMAGE, Done, Install
from tests.helpers.repositories import Sandbox, everything_in

pytestmark = [pytest.mark.slow, pytest.mark.alone]


COUNTED = f"""
name = "counted"
[build]
image = "{BASE_IMAGE}"
steps = ["python -m compileall -q src"]
[run]
command = ["python", "{{scenario}}/bench.py"]
env = {{PYTHONPATH = "{{source}}/src"}}
timeout_seconds = 60
"""


def proved(install: Install, demo: Sandbox, runner: str, scenario: str | Path) -> Done:
    """A bisect of a few merges about the planted one."""
    merge = demo.git("log", "--merges", "--format=%H", "--grep", "hyphens", "main")
    ends = (f"{merge}~3", "main~14")
    where = ("--repo", demo.top, "--scenario", scenario, "--runner", runner, "--no-profile", "--no-descend")
    return install.bisect(*ends, *where, "--verify-revert", "--head", "main")


def check(demo: Sandbox, done: Done) -> None:
    culprit = done.culprit
    assert demo.git("log", "-1", "--format=%s", culprit["commit"]) == "Merge branch 'hyphens'"
    assert culprit["verified"] is True
    revert = culprit["revert"]
    assert (revert["restored"], revert["conflicts"]) == (True, []), done.out
    assert revert["share_interval"]["low"] <= revert["share"] <= revert["share_interval"]["high"]
    assert revert["share_interval"]["low"] > 0.8, done.out
    assert done.result["still_at_head"] is True
    assert "bad without it gives back" in done.result["sentence"]


@pytest.mark.long
def test_on_this_machine_the_revert_gives_the_speed_back_and_the_repository_is_not_touched(
    local_install: Install, demo: Sandbox
) -> None:
    before = everything_in(demo.top)
    check(demo, proved(local_install, demo, "local", "demo"))
    assert everything_in(demo.top) == before


@pytest.mark.docker
def test_in_docker_the_revert_takes_away_what_was_counted(
    docker_install: Install, demo: Sandbox, tmp_path: Path
) -> None:
    text = "It jumps over the lazy dog's well-known fence; twice! "
    work = {"prepared": "from tinytext import count", "work": f'count("{text}" * 50)'}
    check(demo, proved(docker_install, demo, "docker", counted(tmp_path / "counted", COUNTED, **work)))


@pytest.mark.long
def test_a_patch_that_undoes_it_restores_the_level(local_install: Install, demo: Sandbox, tmp_path: Path) -> None:
    merge = demo.git("log", "--merges", "--format=%H", "--grep", "hyphens", "main")
    where = ("--repo", demo.top, "--scenario", "demo", "--runner", "local")
    local_install.run("compare", f"{merge}^", merge, *where, "--no-profile")
    fix = tmp_path / "fix.patch"
    fix.write_text(demo.git("diff", merge, f"{merge}^", "--", "src/tinytext/clean.py") + "\n")
    done = local_install.run("try", fix, "1")
    assert done.code == 0, done.out + done.err
    assert "Restored: bad with the patch gives back" in " ".join(done.out.split())
    docs = tmp_path / "docs.patch"
    docs.write_text(demo.git("diff", merge, f"{merge}^", "--", "docs") + "\n")
    assert local_install.run("try", docs, "1").code == 1


@pytest.mark.long
def test_killed_in_a_trial_and_robbed_of_its_mirror_it_goes_on(tmp_path: Path) -> None:
    victim = Victim(tmp_path)
    where = ("--repo", str(tmp_path / "repository"), "--runner", "local", "--scenario", str(tmp_path / "scenario"))
    process = victim.start("verify", victim.culprit, "--good", "HEAD~12", "--bad", "HEAD", *where)
    deadline = time.monotonic() + 60
    while not trials_of(victim) and time.monotonic() < deadline:
        time.sleep(0.1)
    process.kill()
    process.communicate(timeout=60)
    before = [fact_to_text(fact) for fact in victim.facts()]
    assert 0 < len(trials_of(victim)) < 18
    shutil.rmtree(tmp_path / "cache" / "mirrors")
    resumed = victim.start("jobs", "resume", "1")
    _, complaint = resumed.communicate(timeout=120)
    assert resumed.returncode == 0, complaint
    facts = victim.facts()
    assert [fact_to_text(fact) for fact in facts][: len(before)] == before
    assert next(fact.verdict.kind for fact in facts if isinstance(fact, Concluded)) is VerdictKind.RESTORED
    slots = [(sample.step, sample.order) for sample in trials_of(victim)]
    assert len(slots) == len(set(slots)) == 18
    assert victim.left_running() == []


def trials_of(victim: Victim) -> list[Sample]:
    """The runs of trials so far; none while there is no database yet."""
    try:
        return [fact for fact in victim.facts() if isinstance(fact, Sample) and fact.purpose is Purpose.TRIAL]
    except BisectorError:
        return []
