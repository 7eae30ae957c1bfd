"""A web service with a database, under load, for real: what slows down its answers is found on the 95th percentile of
their latencies, and the profile of the service names the handler."""

from pathlib import Path

import pytest

from bisector.cli.demo_history import PLANTED
from tests.e2e.test_profiles import around
from tests.helpers.installs import Done, Install
from tests.helpers.repositories import Sandbox

pytestmark = [pytest.mark.slow, pytest.mark.alone]


def check(demo: Sandbox, done: Done) -> None:
    """The merge, and the handler in the service's own file, with a flame graph that shows it."""
    culprit = done.culprit
    assert demo.git("log", "-1", "--format=%s", culprit["commit"]) == "Merge branch 'shelf'"
    assert done.result["metric"]["name"] == "p95"
    prime = culprit["suspects"][0]
    assert (prime["function"], prime["file"], prime["touched"]) == ("show_texts", "src/tinytext/shelf.py", True)
    assert "of the extra time is in show_texts" in done.result["sentence"]
    pages = {each["kind"]: Path(each["path"]).read_text() for each in done.result["artifacts"] if each["sha256"]}
    assert "show_texts" in pages["diff"]
    assert "visit" not in [each["function"] for each in culprit["suspects"]], "the load is not what is looked at"


def test_a_handler_that_asks_too_often_is_found_and_named_on_this_machine(
    local_install: Install, demo: Sandbox
) -> None:
    where = ("--repo", demo.top, "--scenario", "web-service", "--runner", "local", "--no-descend")
    check(demo, local_install.bisect(*around(demo, "shelf"), *where))


@pytest.mark.docker
@pytest.mark.long
def test_a_handler_that_asks_too_often_is_found_in_a_range_and_named_in_docker(
    docker_install: Install, demo: Sandbox
) -> None:
    """Among thirteen, one of which does not build; and the commit inside the merge."""
    where = ("--repo", demo.top, "--scenario", "web-service", "--runner", "docker")
    done = docker_install.bisect(f"{around(demo, 'shelf')[1]}~6", "main~5", *where)
    check(demo, done)
    assert demo.git("log", "-1", "--format=%s", done.culprit["inner"]["commit"]) == PLANTED["web-service"]
