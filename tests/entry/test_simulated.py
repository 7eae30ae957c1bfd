"""The command line on simulated worlds: answers, exit codes, what is printed where."""

import json
import re
from pathlib import Path

import jsonschema
import pytest

from bisector.report.json_export import result_schema
from tests.entry.conftest import Cli

WORLD = "candidates=32,culprit=20,effect=0.1,noise=0.01"


def test_the_culprit_is_printed_and_the_exit_code_is_0(cli: Cli) -> None:
    done = cli("bisect", "good", "bad", "--simulate", WORLD)
    assert done.code == 0
    assert "Merge branch 'topic-20'" in done.out
    assert "Traceback" not in done.err
    assert "runner: simulated" in done.err


def test_no_change_is_exit_code_1(cli: Cli) -> None:
    done = cli("bisect", "good", "bad", "--simulate", "candidates=32,culprit=0")
    assert done.code == 1
    assert "Not reproduced" in done.out


@pytest.mark.parametrize("seed", range(20))
def test_no_change_is_never_blamed_on_anybody(cli: Cli, seed: int) -> None:
    done = cli("bisect", "good", "bad", "--simulate", "candidates=48,culprit=0,noise=0.02", "--seed", str(seed))
    assert (done.code, "Not reproduced" in done.out) == (1, True)


def test_a_spent_budget_is_exit_code_0_or_3_and_says_so(cli: Cli) -> None:
    done = cli("bisect", "good", "bad", "--simulate", WORLD, "--max-runs", "9")
    assert done.code in {0, 3}
    assert "budget" in done.out


def test_everything_unbuildable_is_exit_code_4(cli: Cli) -> None:
    done = cli("bisect", "1", "31", "--simulate", f"{WORLD},unbuildable=1.0")
    assert done.code == 4


def test_a_failing_machine_is_exit_code_5_and_the_job_can_be_resumed(cli: Cli) -> None:
    done = cli("bisect", "good", "bad", "--simulate", f"{WORLD},infra=0.97")
    assert done.code == 5
    assert "bisector jobs resume 1" in done.err
    assert "paused" in cli("jobs", "list").out


def test_json_on_standard_output_is_all_there_is_on_it(cli: Cli) -> None:
    done = cli("bisect", "good", "bad", "--simulate", WORLD, "--json", "-")
    result = json.loads(done.out)
    jsonschema.validate(result, result_schema())
    assert result["verdict"] == "culprit"
    assert result["culprits"][0]["verified"] is True
    assert "made seconds" in done.err


def test_json_goes_to_a_file(cli: Cli, tmp_path: Path) -> None:
    assert cli("bisect", "good", "bad", "--simulate", WORLD, "--json", "result.json").code == 0
    result = json.loads((tmp_path / "result.json").read_text())
    jsonschema.validate(result, result_schema())
    assert result["verdict"] == "culprit"


def test_events_tell_every_step_fact_and_the_answer_so_far(cli: Cli) -> None:
    done = cli("bisect", "good", "bad", "--simulate", WORLD, "--events", "-")
    events = [json.loads(line) for line in done.out.splitlines()]
    steps = [event["step"]["kind"] for event in events if event["event"] == "step"]
    assert steps[:3] == ["ListHistory", "BuildPlace", "BuildPlace"]
    assert steps[-1] == "Conclude"
    assert {event["kind"] for event in events if event["event"] == "fact"} >= {"BuildRecorded", "Sample", "Concluded"}
    answers = [event["answer"] for event in events if event["event"] == "step" and event["answer"]]
    assert answers[-1]["likely"] == 1
    assert answers[0]["likely"] > 1


def test_the_report_is_written_where_it_is_wanted(cli: Cli, tmp_path: Path) -> None:
    done = cli("bisect", "good", "bad", "--simulate", WORLD, "--report", "out")
    assert str(tmp_path / "out" / "report.html") in done.out
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"report.html", "report.md", "result.json"}


def test_without_a_wish_the_report_lies_with_the_job(cli: Cli, tmp_path: Path) -> None:
    cli("bisect", "good", "bad", "--simulate", WORLD)
    assert (tmp_path / "state" / "reports" / "1" / "report.html").is_file()


def test_a_dry_run_plans_and_makes_no_job(cli: Cli) -> None:
    done = cli("bisect", "good", "bad", "--simulate", WORLD, "--dry-run")
    assert done.code == 0
    assert "32 candidates" in done.out
    assert "There are no jobs yet" in cli("jobs", "list").out


def test_the_answer_of_a_listed_job_has_the_width_of_the_terminal(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    cli("bisect", "good", "bad", "--simulate", WORLD)
    heading, row, *answer = cli("jobs", "list").out.splitlines()
    assert heading.split() == ["job", "state", "started", "scenario", "range"]
    assert row.startswith("1    done")
    assert "good..bad" in row
    assert "verified by fresh runs" in " ".join(line.strip() for line in answer)
    assert max(len(line) for line in answer) <= 60
    assert len(answer) <= 6


def test_a_detached_job_waits_to_be_resumed(cli: Cli) -> None:
    assert cli("bisect", "good", "bad", "--simulate", WORLD, "--detach").out.strip() == "1"
    assert "queued" in cli("jobs", "list").out
    done = cli("jobs", "resume", "1")
    assert done.code == 0
    assert "Merge branch 'topic-20'" in done.out


def test_jobs_can_be_listed_shown_logged_and_rerun(cli: Cli) -> None:
    cli("bisect", "good", "bad", "--simulate", WORLD)
    assert "done" in cli("jobs", "list").out
    assert "Merge branch 'topic-20'" in cli("jobs", "show", "1").out
    log = cli("jobs", "log", "1").out
    assert log.startswith(f"{' ' * 20}host ")
    assert re.search(r"^   1 .* List the commits: ", log, re.M)
    assert re.search(r"^ {20}20 [0-9a-f]{10}: run [0-9.]+ s$", log, re.M)
    again = cli("jobs", "rerun", "1")
    assert again.code == 0
    assert "job 2, like job 1" in again.err
    assert "Merge branch 'topic-20'" in cli("report", "2").out


def test_a_job_that_nobody_works_on_is_cancelled_at_once(cli: Cli) -> None:
    cli("bisect", "good", "bad", "--simulate", WORLD, "--detach")
    assert "cancelled" in cli("jobs", "cancel", "1").out
    assert "cancelled" in cli("jobs", "list").out
    assert cli("jobs", "resume", "1").code == 0


def test_watching_a_job_that_is_over_shows_its_answer(cli: Cli) -> None:
    cli("bisect", "good", "bad", "--simulate", WORLD)
    assert "Merge branch 'topic-20'" in cli("jobs", "watch", "1").out


def test_a_comparison_says_worse_by_its_exit_code(cli: Cli) -> None:
    assert cli("compare", "good", "bad", "--simulate", WORLD).code == 1
    assert cli("compare", "bad", "good", "--simulate", WORLD).code == 0
    same = cli("compare", "good", "1", "--simulate", WORLD)
    assert same.code == 0
    assert "No change" in same.out


def test_several_metrics_are_answered_from_the_same_runs(cli: Cli) -> None:
    done = cli("bisect", "good", "bad", "--simulate", WORLD, "--metric", "seconds", "--json", "-")
    assert json.loads(done.out)["metric"]["name"] == "seconds"


def test_published_schemas_can_be_printed(cli: Cli) -> None:
    for arguments in (("report", "--schema"), ("scenario", "schema")):
        jsonschema.Draft202012Validator.check_schema(json.loads(cli(*arguments).out))


def test_the_database_can_be_checked_and_upgraded(cli: Cli) -> None:
    assert "none yet" in cli("db", "check").out
    assert cli("db", "upgrade").code == 0
    cli("bisect", "good", "bad", "--simulate", WORLD)
    checked = cli("db", "check")
    assert checked.code == 0
    assert "sound      yes" in checked.out
