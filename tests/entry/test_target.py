"""`bisector check --target`: limits on what is deployed, without any commit."""

import sys
from pathlib import Path

import pytest

from tests.entry.conftest import Cli
from tests.helpers.receiver import Receiver, Reply, receiving

LOAD = """\
import json, sys, urllib.request
print(json.dumps({"answers": [len(urllib.request.urlopen(sys.argv[1] + "/shop").read()) for _ in range(4)]}))
"""
SCENARIO = """\
name = "shop"
[build]
steps = ["make everything"]
[run]
command = ["PYTHON", "{scenario}/load.py", "{target}"]
[run.service]
command = ["no-such-server", "{port}"]
[[metrics]]
name = "answers"
statistic = "mean"
[[metrics]]
name = "cpu"
source = "cpu"
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A scenario whose load can be put elsewhere; its service and its build cannot be had here."""
    made = tmp_path / "shop"
    made.mkdir()
    (made / "scenario.toml").write_text(SCENARIO.replace("PYTHON", sys.executable))
    (made / "load.py").write_text(LOAD)
    return made


def test_limits_are_judged_on_what_runs_there(cli: Cli, shop: Path) -> None:
    where = ("--scenario", shop, "--runner", "local", "--runs", "5")
    with receiving() as deployed:
        assert isinstance(deployed, Receiver)
        deployed.answer = lambda _: Reply(body=b"x" * 100)
        kept = cli("check", "--target", deployed.url, *where, "--max", "answers=200")
        assert (kept.code, "median of answers is 100, at most 200 (5 runs): kept" in kept.err) == (0, True), kept.err
        assert f"load on {deployed.url}" in kept.err
        asked = [each.path for each in deployed.received]
        assert asked == ["/shop"] * 4 * 6, "five runs and a warm-up"
        broken = cli("check", "--target", deployed.url, *where, "--max", "answers=50", "--min", "answers=10")
        assert (broken.code, "at most 50 (5 runs): broken" in broken.err) == (1, True)

        deployed.replies = [Reply()] * 5 + [Reply(status=500)]
        deployed.answer = lambda _: Reply(body=b"x" * 100)
        some = cli("check", "--target", deployed.url, *where, "--max", "answers=200")
        assert (some.code, "bench_failed  exit status 1: urllib.error.HTTPError" in some.err) == (3, True), some.err
    gone = cli("check", "--target", deployed.url, *where, "--max", "answers=200")
    assert (gone.code, "none of 5 runs ended well" in gone.err) == (4, True)
    assert cli("jobs", "list").out.count("shop") == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--target", "staging", "--max", "answers=1"), "not an address: 'staging'"),
        (("--target", "http://a", "--max", "cpu=1"), "only the load's own figures can be had"),
        (("--target", "http://a"), "there is nothing to check against"),
        (("--target", "http://a", "--max", "answers=1", "--against", "main"), "nothing to compare it with"),
        (("--target", "http://a", "--max", "answers=1", "--json", "-"), "leave out --json"),
        (("--target", "http://a", "--max", "answer=1"), "Did you mean 'answers'?"),
    ],
)
def test_what_makes_no_sense_is_said(cli: Cli, shop: Path, arguments: tuple[str, ...], told: str) -> None:
    done = cli("check", "--scenario", shop, "--runner", "local", *arguments)
    assert (done.code, told in done.err) == (2, True), done.err


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"{target}"]', '"http://127.0.0.1:{port}"]', "goes to a port of its own services"),
        ('"{target}"]', '"http://here"]', "says {target}"),
        ("{scenario}/load.py", "{source}/load.py", "lies in the checkout"),
    ],
)
def test_a_load_that_cannot_be_told_where_to_go(cli: Cli, shop: Path, old: str, new: str, told: str) -> None:
    file = shop / "scenario.toml"
    file.write_text(file.read_text().replace(old, new))
    done = cli("check", "--scenario", shop, "--runner", "local", "--target", "http://a", "--max", "answers=1")
    assert (done.code, told in done.err) == (2, True), done.err
