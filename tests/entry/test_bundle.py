"""`report --bundle` and `reproduce`, as a person calls them."""

import json
from pathlib import Path

import pytest

from bisector.adapters.bundles import read_bundle, write_bundle
from tests.entry.conftest import Cli
from tests.helpers.repositories import Sandbox

WORLD = "candidates=32,culprit=20,effect=0.2,noise=0.01"


def test_a_bundle_holds_what_another_host_needs(cli: Cli, tmp_path: Path) -> None:
    cli("bisect", "good", "bad", "--simulate", WORLD)
    done = cli("report", "1", "--bundle", "evidence.tar.gz")
    assert (done.code, "evidence.tar.gz" in done.out) == (0, True), done.err
    members = read_bundle(tmp_path / "evidence.tar.gz")
    assert set(members) >= {"bundle.json", "request.json", "facts.jsonl", "result.json", "report.html", "report.md"}
    told, result = json.loads(members["bundle.json"]), json.loads(members["result.json"])
    culprit = result["culprits"][0]
    assert (told["culprit"], told["parent"]) == (culprit["commit"], culprit["parent"])
    assert told["change"]["relative"] == pytest.approx(culprit["change"]["relative"], rel=1e-6)
    assert len(members["facts.jsonl"].splitlines()) > 30


def test_a_job_without_a_culprit_has_no_bundle(cli: Cli, tmp_path: Path) -> None:
    cli("bisect", "good", "bad", "--simulate", "candidates=32")
    done = cli("report", "1", "--bundle", "evidence.tar.gz")
    assert (done.code, "names no commit" in done.err) == (2, True)
    assert not (tmp_path / "evidence.tar.gz").exists()


@pytest.mark.parametrize("content", [b"", b"hello"])
def test_what_is_no_bundle_makes_no_job(cli: Cli, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "b.tar.gz").write_bytes(content)
    for name in ("b.tar.gz", "nosuch.tar.gz"):
        done = cli("reproduce", name)
        assert (done.code, "the bundle cannot be read" in done.err) == (2, True)
        assert "Traceback" not in done.err
    assert "no jobs" in cli("jobs", "list").out


@pytest.mark.long
@pytest.mark.slow
def test_for_real_a_bundle_is_measured_again_and_a_forged_one_is_found_out(
    cli: Cli, repository: Sandbox, scenario: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = ("--repo", repository.top, "--scenario", scenario, "--runner", "local", "--no-profile")
    cli("compare", "HEAD~4", "HEAD~3", *where)
    cli("compare", "HEAD~3", "HEAD~2", *where)
    for job in ("1", "2"):
        assert cli("report", job, "--bundle", f"{job}.tar.gz").code == 0
    monkeypatch.setenv("BISECTOR_STATE_DIR", str(tmp_path / "elsewhere"))
    again = cli("reproduce", "1.tar.gz", "--runner", "local")
    assert (again.code, "Agree:" in again.out) == (0, True), again.out + again.err

    members = read_bundle(tmp_path / "2.tar.gz")
    claim = json.loads(members["bundle.json"]) | {"change": {"relative": 0.5, "low": 0.4, "high": 0.6}}
    write_bundle(tmp_path / "forged.tar.gz", members | {"bundle.json": json.dumps(claim).encode()})
    forged = cli("reproduce", "forged.tar.gz", "--runner", "local")
    assert (forged.code, "Disagree:" in forged.out) == (1, True), forged.out + forged.err
    other = json.dumps(claim | {"host": "another"}).encode()
    write_bundle(tmp_path / "forged.tar.gz", members | {"bundle.json": other})
    elsewhere = cli("reproduce", "forged.tar.gz", "--runner", "local")
    assert (elsewhere.code, "Specific to a host:" in elsewhere.out) == (1, True), elsewhere.out + elsewhere.err

    swapped = json.dumps(claim | {"trees": claim["trees"][::-1]}).encode()
    write_bundle(tmp_path / "forged.tar.gz", members | {"bundle.json": swapped})
    refused = cli("reproduce", "forged.tar.gz", "--runner", "local")
    assert (refused.code, "not what its manifest says" in refused.err) == (2, True)
