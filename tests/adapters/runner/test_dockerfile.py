"""The two Dockerfile modes."""

import contextlib
from dataclasses import replace
from pathlib import Path

import docker.errors
import pytest
from docker import APIClient

from bisector.core.model.samples import Outcome
from bisector.errors import Cancelled, ScenarioError
from tests.adapters.runner.laboratory import Laboratory, marker, stopping_when, wait_until_gone
from tests.helpers.installs import BASE_IMAGE

pytestmark = pytest.mark.docker

TEXT = f"FROM {BASE_IMAGE}\nENV MARK=@\nCOPY a.txt /copied\nRUN echo made > /made\n"


def images_with(mark: str, engine: APIClient) -> list[str]:
    """Images, labelled or not, in whose history `mark` stands: of this test, whoever else uses the engine."""
    found = []
    for image in engine.images(all=True):
        with contextlib.suppress(docker.errors.NotFound):  # somebody else's, gone meanwhile
            history = engine.history(image["Id"])  # type: ignore[no-untyped-call]
            if any(mark in layer["CreatedBy"] for layer in history):
                found.append(image["Id"])
    return found


def test_the_scenarios_dockerfile_builds_the_candidate(docker_lab: Laboratory, engine: APIClient) -> None:
    mark, docker_lab.image_id = marker(), None
    stages = f"FROM {BASE_IMAGE} AS first\nENV MARK={mark}\nRUN echo stage > /stage\n"
    order = docker_lab.order(
        {"a.txt": "one\n", "Dockerfile": "FROM scratch\n", ".dockerignore": "*\n!a.txt\n"},
        scenario={"Dockerfile": stages + TEXT.replace("@", mark) + "COPY --from=first /stage /stage\n"},
        dockerfile="Dockerfile",
        steps=("cat /made >> a.txt",),
    )
    build = docker_lab.make(order)
    assert build.outcome is Outcome.OK, build.reason
    assert build.content is None, "what a Dockerfile's own steps made is not known"
    record = docker_lab.run(build, "sh", "-c", "cat /copied /made /stage a.txt", scenario=order.files)
    assert record.stdout == b"one\nmade\nstage\none\nmade\n"
    assert images_with(mark, engine) != []
    docker_lab.runner.discard(build)
    assert images_with(mark, engine) == []


def test_the_candidates_own_dockerfile_is_used_when_asked_for(docker_lab: Laboratory) -> None:
    docker_lab.image_id = None
    build = docker_lab.build({"a.txt": "two\n", "docker/Run": TEXT}, candidate_dockerfile="docker/Run")
    assert docker_lab.run(build, "cat", "/copied").stdout == b"two\n"


def test_a_dockerfile_that_asks_for_the_layout_is_told_it_in_builds_made_afresh(docker_lab: Laboratory) -> None:
    docker_lab.image_id = None
    text = f"FROM {BASE_IMAGE}\nARG BISECTOR_LAYOUT=none\nRUN echo $BISECTOR_LAYOUT > /layout\n"
    orders = [docker_lab.order({"a": "", "D": text}, candidate_dockerfile="D") for _ in range(2)]
    first, afresh = (
        docker_lab.make(replace(each, layout=layout)) for each, layout in zip(orders, (0, 77), strict=True)
    )
    assert docker_lab.run(first, "cat", "/layout").stdout == b"none\n"
    assert docker_lab.run(afresh, "cat", "/layout").stdout == b"77\n"


def test_a_dockerfile_that_fails_leaves_its_log_and_nothing_else(docker_lab: Laboratory, engine: APIClient) -> None:
    mark = marker()
    text = f"{TEXT.replace('@', mark)}RUN echo the cause >&2; exit 7\n"
    build = docker_lab.make(docker_lab.order({"a.txt": "", "D": text}, candidate_dockerfile="D"))
    assert build.outcome is Outcome.BUILD_FAILED
    assert build.reason.startswith("the Dockerfile failed: ")
    assert "returned a non-zero code: 7" in build.reason
    assert "the cause" in Path(build.log).read_text()
    assert images_with(mark, engine) == []


def test_a_step_that_fails_after_a_dockerfile_leaves_nothing(docker_lab: Laboratory, engine: APIClient) -> None:
    mark = marker()
    text = TEXT.replace("@", mark)
    build = docker_lab.make(docker_lab.order({"a.txt": "", "D": text}, candidate_dockerfile="D", steps=("false",)))
    assert build.outcome is Outcome.BUILD_FAILED
    assert images_with(mark, engine) == []


def test_a_dockerfile_past_its_limit_timed_out(docker_lab: Laboratory, engine: APIClient) -> None:
    mark = marker()
    text = f"{TEXT.replace('@', mark)}RUN sleep {mark}\n"
    order = docker_lab.order({"a.txt": "", "D": text}, candidate_dockerfile="D", timeout_seconds=4.0)
    assert docker_lab.make(order).outcome is Outcome.TIMEOUT
    wait_until_gone(mark)
    assert images_with(mark, engine) == []


def test_a_stop_ends_a_dockerfile(docker_lab: Laboratory, engine: APIClient) -> None:
    mark = marker()
    order = docker_lab.order(
        {"a.txt": "", "D": f"{TEXT.replace('@', mark)}RUN sleep {mark}\n"}, candidate_dockerfile="D"
    )
    with stopping_when(mark) as stop, pytest.raises(Cancelled):
        docker_lab.make(order, stop)
    wait_until_gone(mark)
    assert images_with(mark, engine) == []


@pytest.mark.parametrize("name", ["../Dockerfile", "/etc/passwd", "none"])
def test_a_dockerfile_that_is_not_beside_the_scenario_is_refused(docker_lab: Laboratory, name: str) -> None:
    order = docker_lab.order({"a.txt": ""}, scenario={"Dockerfile": TEXT}, dockerfile=name)
    with pytest.raises(ScenarioError, match="beside the scenario"):
        docker_lab.make(order)
