"""`verify`, `try` and the proofs of a bisect, as a person calls them: answers, exit codes, what is refused."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from bisector.report.json_export import result_schema
from tests.entry.conftest import Cli
from tests.helpers.repositories import Sandbox

WORLD = "candidates=32,culprit=20,effect=0.2,noise=0.01"
ENDS = ("--good", "good", "--bad", "bad", "--simulate", WORLD)


def result_of(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)
    jsonschema.validate(found, result_schema())
    return found


@pytest.mark.parametrize(("commit", "code"), [("20", 0), ("19", 1)])
def test_whether_the_change_is_given_back_is_the_exit_code(cli: Cli, commit: str, code: int) -> None:
    done = cli("verify", commit, *ENDS, "--json", "-")
    found = result_of(done.out)
    assert done.code == code
    assert (found["kind"], found["verdict"]) == ("verify", ["restored", "not_restored"][code])
    trial = found["trial"]
    assert trial["restored"] is (code == 0)
    assert trial["share_interval"]["low"] <= 1 - code <= trial["share_interval"]["high"]
    assert found["culprits"] == []
    assert ("Restored", "Not restored")[code] in done.err


def test_a_conflict_is_exit_code_3_and_tells_the_files_in_every_report(cli: Cli, tmp_path: Path) -> None:
    done = cli("verify", "20", *ENDS[:-1], f"{WORLD},conflicts=20", "--report", "out")
    assert done.code == 3
    assert "it conflicts in app.py" in done.out
    found = result_of((tmp_path / "out" / "result.json").read_text())
    assert (found["reason"], found["trial"]["conflicts"]) == ("conflict", ["app.py"])
    assert "app.py" in (tmp_path / "out" / "report.html").read_text()
    assert "`app.py`" in (tmp_path / "out" / "report.md").read_text()


def test_the_mirror_image_puts_the_commit_on_top_of_good(cli: Cli) -> None:
    done = cli("verify", "20", *ENDS, "--apply")
    assert done.code == 0
    assert "brings" in done.out
    assert "--apply" in done.out


def test_without_a_good_the_commits_own_parent_is_it(cli: Cli) -> None:
    done = cli("verify", "20", "--bad", "bad", "--simulate", WORLD, "--json", "-")
    assert result_of(done.out)["good"] == result_of(cli("verify", "19", *ENDS, "--json", "-").out)["trial"]["commit"]


def test_nothing_to_give_back_is_exit_code_3(cli: Cli) -> None:
    done = cli("verify", "20", "--good", "good", "--bad", "bad", "--simulate", "candidates=32")
    assert done.code == 3
    assert "Nothing to give back" in done.out


def test_a_bisect_tells_of_the_revert_and_of_the_tip(cli: Cli, tmp_path: Path) -> None:
    ends = ("bisect", "good", "28", "--simulate", WORLD)
    done = cli(*ends, "--verify-revert", "--head", "bad", "--json", "-", "--report", "out")
    found = result_of(done.out)
    assert done.code == 0
    assert found["culprits"][0]["revert"]["restored"] is True
    assert (found["still_at_head"], found["culprits"][0]["still_at_bad"]) == (True, True)
    assert "bad without it gives back" in found["sentence"]
    assert "It is still there at" in found["sentence"]
    assert "--verify-revert" in found["reproduce"]
    assert "Without it" in (tmp_path / "out" / "report.html").read_text()
    plain = result_of(cli(*ends, "--json", "-").out)
    assert (plain["culprits"][0]["revert"], plain["still_at_head"], plain["head"]) == (None, None, None)


def test_a_patch_is_tried_on_what_a_job_has_built(cli: Cli, tmp_path: Path) -> None:
    cli("bisect", "good", "bad", "--simulate", WORLD)
    (tmp_path / "fix").write_text("0.8333")
    (tmp_path / "half").write_text("0.93")
    done = cli("try", "fix", "1", "--json", "-")
    found = result_of(done.out)
    assert (done.code, found["kind"], found["verdict"]) == (0, "try", "restored")
    assert found["cost"]["builds"] == 1
    assert cli("try", "half", "1").code == 1
    assert "bisector try" in found["reproduce"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("try", "nosuch", "1"), "the patch cannot be read"),
        (("try", "empty", "1"), "the patch is empty"),
        (("try", "clash", "1"), "does not apply to bad"),
        (("try", "clash", "99"), "there is no job 99"),
        (("verify", "nosuch", *ENDS), "names no commit"),
        (("verify", "20", "--good", "1", "--bad", "9", "--simulate", WORLD), "there is nothing to take out"),
    ],
)
def test_what_cannot_be_tried_is_said_before_there_is_a_job(
    cli: Cli, tmp_path: Path, arguments: tuple[str, ...], told: str
) -> None:
    cli("bisect", "good", "bad", "--simulate", WORLD, "--no-profile")
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "clash").write_text("conflict")
    done = cli(*arguments)
    assert (done.code, told in done.err) == (2, True), done.err
    assert "Traceback" not in done.err
    assert cli("jobs", "show", "2").code == 2


@pytest.mark.long
@pytest.mark.slow
def test_for_real_a_revert_and_uncommitted_changes_restore_the_level(
    cli: Cli, repository: Sandbox, scenario: Path
) -> None:
    where = ("--repo", repository.top, "--scenario", scenario, "--runner", "local")
    numbered = repository.sha("HEAD~3")
    clash = cli("verify", numbered, "--good", "good", "--bad", "bad", *where)
    assert (clash.code, "it conflicts in number.txt" in clash.out) == (3, True), clash.err
    culprit = repository.commit("Slow", {"lib.py": "LEVEL = 4.0\n"})
    repository.commit("Later", {"later.txt": "later\n"})
    done = cli("verify", culprit, *where, "--json", "-")
    assert (done.code, result_of(done.out)["trial"]["share"]) == (0, pytest.approx(1, abs=0.01)), done.err
    repository.write({"lib.py": "LEVEL = 1.5\n"})
    tried = cli("try", ".", "2", "--json", "-")
    assert (tried.code, result_of(tried.out)["verdict"]) == (0, "restored"), tried.err
    assert repository.git("status", "--porcelain").strip() == "M lib.py"
