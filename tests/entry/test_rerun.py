"""`bisector jobs rerun` and `jobs log --replay`: another question on what is known, and the proof that facts decide."""

import json
import re
import sqlite3
from pathlib import Path

import pytest

from tests.entry.conftest import Cli

WORLD = "candidates=64,culprit=40,effect=0.1,noise=0.01,metrics=20:0.2/40:0.3"


def result(cli: Cli, *arguments: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(cli(*arguments, "--json", "-").out)
    return found


@pytest.fixture
def first(cli: Cli) -> dict[str, object]:
    """A job over the whole range, done."""
    return result(cli, "bisect", "good", "bad", "--simulate", WORLD, "--no-profile")


def culprit(found: dict[str, object]) -> str:
    culprits = found["culprits"]
    assert isinstance(culprits, list)
    return str(culprits[0]["subject"])


def cost(found: dict[str, object], name: str) -> int:
    spent = found["cost"]
    assert isinstance(spent, dict)
    return int(spent[name])


def adopted(state: Path, job: int) -> list[dict[str, object]]:
    """The samples that a job took over."""
    with sqlite3.connect(state / "bisector.sqlite3") as database:
        rows = database.execute("select payload from facts where job_id = ? and kind = 'Adopted'", (job,)).fetchall()
    database.close()
    import zlib

    texts = (row[0] if row[0][:1] == b"{" else zlib.decompress(row[0]) for row in rows)
    return [sample for text in texts for sample in json.loads(text)["samples"]]


def test_a_narrower_range_is_searched_on_what_is_known(cli: Cli, first: dict[str, object], tmp_path: Path) -> None:
    again = result(cli, "jobs", "rerun", "1", "--narrow", "36", "50")
    assert culprit(again) == culprit(first)
    assert again["candidates"] == 14
    assert adopted(tmp_path / "state", 2)
    assert cost(again, "runs") < cost(first, "runs")


def test_ends_without_a_commit_between_them_make_no_job(cli: Cli, first: dict[str, object]) -> None:
    done = cli("jobs", "rerun", "1", "--narrow", "50", "36")
    assert done.code == 2
    assert "no commit between" in done.err
    assert len([line for line in cli("jobs", "list").out.splitlines() if "simulated" in line]) == 1


def test_more_runs_are_made_before_the_same_answer(cli: Cli, first: dict[str, object]) -> None:
    plain = result(cli, "jobs", "rerun", "1", "--reuse")
    more = result(cli, "jobs", "rerun", "1", "--add-runs", "25")
    assert cost(plain, "runs") < 25 <= cost(more, "runs")
    assert culprit(more) == culprit(first)


def test_more_runs_are_the_limit_where_runs_were_limited(cli: Cli) -> None:
    cli("bisect", "good", "bad", "--simulate", WORLD, "--no-profile", "--max-runs", "9")
    assert cost(result(cli, "jobs", "rerun", "1", "--add-runs", "7"), "runs") == 7


def test_a_skipped_commit_is_not_measured_and_its_samples_are_left(
    cli: Cli, first: dict[str, object], tmp_path: Path
) -> None:
    again = result(cli, "jobs", "rerun", "1", "--skip", "40")
    assert (again["verdict"], again["reason"]) == ("culprit_set", "untestable")
    taken = {str(sample["place"]) for sample in adopted(tmp_path / "state", 2)}
    assert not any("40" in place for place in taken)


def test_a_retracted_commit_is_measured_anew(cli: Cli, first: dict[str, object], tmp_path: Path) -> None:
    again = result(cli, "jobs", "rerun", "1", "--retract", "40")
    assert culprit(again) == culprit(first)
    places = [sample["place"] for sample in adopted(tmp_path / "state", 2)]
    assert places
    assert {"line": "main", "index": 40} not in places
    assert re.search(r"^ {20}40 [0-9a-f]{10}: run ", cli("jobs", "log", "2").out, re.M)


def test_another_metric_of_the_same_culprit_costs_no_build(cli: Cli, first: dict[str, object]) -> None:
    again = result(cli, "jobs", "rerun", "1", "--metric", "m2")
    metric = again["metric"]
    assert isinstance(metric, dict)
    assert metric["name"] == "m2"
    assert culprit(again) == culprit(first)
    assert cost(again, "builds") == 0
    assert cost(again, "runs") < cost(first, "runs") * 0.75


def test_a_new_bisect_for_another_metric_costs_no_build_either(cli: Cli, first: dict[str, object]) -> None:
    arguments = ("bisect", "good", "bad", "--simulate", WORLD, "--no-profile", "--metric", "m2")
    again = result(cli, *arguments)
    assert culprit(again) == culprit(first)
    assert cost(again, "builds") == 0
    assert cost(again, "runs") < cost(first, "runs") * 0.75


def test_an_unknown_metric_makes_no_job(cli: Cli, first: dict[str, object]) -> None:
    done = cli("jobs", "rerun", "1", "--metric", "m3")
    assert done.code == 2
    assert "It has: seconds, m1, m2" in done.err


def test_without_an_option_every_sample_is_fresh(cli: Cli, first: dict[str, object], tmp_path: Path) -> None:
    again = result(cli, "jobs", "rerun", "1")
    assert cost(again, "builds") == 0
    assert not adopted(tmp_path / "state", 2)


def test_a_spent_budget_names_the_command_that_goes_on(cli: Cli) -> None:
    done = cli("bisect", "good", "bad", "--simulate", WORLD, "--no-profile", "--max-runs", "12")
    command = "bisector jobs rerun 1 --reuse"
    assert command in done.out
    for job in range(1, 6):
        again = cli(*f"jobs rerun {job} --reuse".split())
        if "verified by fresh runs" in again.out:
            return
    pytest.fail("going on with the same budget never came to an end")


def test_what_is_left_to_do_is_told_with_every_step(cli: Cli) -> None:
    told = cli("bisect", "good", "bad", "--simulate", WORLD, "--no-profile").err
    lines = [line for line in told.splitlines() if line.startswith("[")]
    searching = [line for line in lines if " 1 candidate left" not in line]
    assert len(searching) > 5
    assert all("to go (estimate)" in line for line in searching)


def test_a_log_tells_every_step_and_what_was_taken_over(cli: Cli, first: dict[str, object]) -> None:
    cli("jobs", "rerun", "1", "--reuse")
    log = cli("jobs", "log", "2").out
    assert "taken over from job 1" in log
    assert "culprit: found and verified" in log


def test_a_replay_gives_every_step_and_the_verdict_again(cli: Cli, first: dict[str, object]) -> None:
    cli("jobs", "rerun", "1", "--narrow", "30", "50")
    cli("bisect", "good", "bad", "--simulate", WORLD, "--metric", "seconds", "--metric", "m1", "--profile")
    for job in ("1", "2", "3"):
        done = cli("jobs", "log", job, "--replay")
        assert done.code == 0, done.out
        assert "and the verdict are the same" in done.out


def test_a_replay_of_a_job_that_was_stopped_and_resumed_is_the_same(cli: Cli) -> None:
    cli("bisect", "good", "bad", "--simulate", WORLD, "--no-profile", "--detach")
    cli("jobs", "cancel", "1")
    assert cli("jobs", "log", "1", "--replay").code == 0
    assert cli("jobs", "resume", "1").code == 0
    assert "and the verdict are the same" in cli("jobs", "log", "1", "--replay").out


def test_a_replay_of_facts_that_were_tampered_with_differs(cli: Cli, first: dict[str, object], tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "state" / "bisector.sqlite3") as database:
        rows = database.execute("select seq, payload from facts where job_id = 1 and kind = 'Sample'").fetchall()
        for seq, payload in rows:
            sample = json.loads(payload)
            if sample["place"]["index"] == 64:
                sample["values"]["seconds"] = 1.0
                database.execute(
                    "update facts set payload = ? where job_id = 1 and seq = ?", (json.dumps(sample).encode(), seq)
                )
    database.close()
    done = cli("jobs", "log", "1", "--replay")
    assert done.code == 1
    assert "comes out otherwise" in done.out
    assert "the replay differs" in done.out


def test_a_log_of_no_job_says_so(cli: Cli) -> None:
    assert "There is no job 7".lower() in cli("jobs", "log", "7", "--replay").err.lower()


def test_with_a_date_everything_is_built_anew(cli: Cli, first: dict[str, object]) -> None:
    again = result(cli, "jobs", "rerun", "1", "--as-of", "2026-01-31")
    assert culprit(again) == culprit(first)
    assert cost(again, "builds_reused") == 0
    assert cost(again, "builds") >= 4
    assert "--as-of 2026-01-31T00:00:00Z" in str(again["reproduce"])
