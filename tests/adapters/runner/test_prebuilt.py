"""Contract: builds that somebody else made, taken in place of building."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from docker import APIClient

from bisector.core.model.builds import Build
from bisector.core.model.prebuilt import Prebuilt
from bisector.core.model.samples import Outcome
from bisector.engine.ports import BuildOrder
from bisector.errors import InfraFault, ScenarioError
from tests.adapters.runner.laboratory import Laboratory
from tests.helpers.receiver import Reply
from tests.helpers.registry import Registry, refusal, registry

SHA, OTHER = "a1b2c3d" + "0" * 33, "f" * 40


def fetching(lab: Laboratory, script: str, sha: str = SHA) -> BuildOrder:
    prebuilt = Prebuilt(command=("sh", "-c", script, "{short}")).at(sha)
    return lab.order({}, prebuilt=prebuilt)


def test_what_a_command_leaves_is_what_runs(lab: Laboratory) -> None:
    build = lab.make(fetching(lab, "echo built by $0 of {sha} >told; test {sha} = $BISECTOR_SHA"))
    assert build.outcome is Outcome.OK, build.reason
    assert lab.run(build, "cat", "told").stdout == f"built by a1b2c3d of {SHA}\n".encode()
    assert build.taken is not None
    assert (build.taken.name.endswith(" a1b2c3d"), build.taken.digest) == (True, build.content)
    assert f"+ sh -c echo built by $0 of {SHA}" in Path(build.log).read_text()


def test_equal_files_of_two_commits_are_the_same_build(lab: Laboratory) -> None:
    first, second, third = (
        lab.make(fetching(lab, script, sha)).content
        for script, sha in (("echo one >x", SHA), ("echo one >x", OTHER), ("echo two >x", OTHER))
    )
    assert first is not None
    assert first == second != third


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo 'curl: (22) The requested URL returned error: 404' >&2; exit 22", "error: 404"),
        ("exit 3", "exit status 3"),
        ("true", "no file came of it"),
    ],
)
def test_a_commit_whose_files_are_missing_cannot_be_built(lab: Laboratory, script: str, reason: str) -> None:
    build = lab.make(fetching(lab, script))
    assert (build.outcome, build.taken) == (Outcome.BUILD_FAILED, None)
    assert reason in build.reason


@pytest.mark.parametrize(
    "script",
    [
        "exit 75",
        "echo 'curl: (6) Could not resolve host: ci.example' >&2; exit 6",
        "echo 'curl: (22) The requested URL returned error: 503' >&2; exit 22",
    ],
)
def test_what_may_pass_is_not_held_against_the_commit(lab: Laboratory, script: str) -> None:
    with pytest.raises(InfraFault, match="fetching what is prebuilt failed"):
        lab.make(fetching(lab, script))


def test_without_docker_there_are_no_images(local_lab: Laboratory) -> None:
    with pytest.raises(ScenarioError, match="an image can only be run with Docker"):
        local_lab.make(local_lab.order({}, prebuilt=Prebuilt(image="app:{sha}").at(SHA)))


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry with an image of two commits, equal but for who made it, and of a third that differs."""
    top = tmp_path_factory.mktemp("program")
    if shutil.which("cc") is None:
        pytest.skip("no C compiler")
    (top / "say.c").write_text('#include <stdio.h>\n#include <stdlib.h>\nint main(void) { puts(getenv("WORD")); }\n')
    subprocess.run(["cc", "-static", "-o", top / "say", top / "say.c"], check=True)
    program = (top / "say").read_bytes()
    with registry() as made:
        made.push(SHA, {"say": program}, ("WORD=hello",))
        made.push("second", {"say": program}, ("WORD=hello",))
        made.push("third", {"say": program}, ("WORD=bye",))
        yield made


def image_order(lab: Laboratory, images: Registry, tag: str, sha: str = SHA, key: str = "") -> BuildOrder:
    lab.image_id = None
    return lab.order({}, key=key, prebuilt=Prebuilt(image=f"{images.host}/app:{tag}").at(sha))


def take(lab: Laboratory, images: Registry, tag: str, sha: str = SHA) -> Build:
    return lab.make(image_order(lab, images, tag, sha))


@pytest.mark.docker
def test_the_image_of_a_commit_is_pulled_run_and_goes_with_the_build(
    docker_lab: Laboratory, images: Registry, engine: APIClient
) -> None:
    name = f"{images.host}/app:{SHA}"
    build = take(docker_lab, images, "{sha}")
    assert build.outcome is Outcome.OK, build.reason
    assert docker_lab.run(build, "/say").stdout == b"hello\n"
    assert build.taken is not None
    (manifest,) = {found for at, found in images.manifests.items() if at.endswith(SHA)}
    pushed = next(at for at, found in images.manifests.items() if found == manifest and "sha256:" in at)
    assert (build.taken.name, build.taken.digest) == (name, pushed.rpartition("/")[2])
    assert engine.images(name) != []
    again = docker_lab.make(image_order(docker_lab, images, "{sha}", key=build.key))
    assert (again.reused, again.taken, again.content) == (True, build.taken, build.content)
    docker_lab.runner.discard(build)
    assert engine.images(name) == []


@pytest.mark.docker
def test_images_that_run_alike_are_the_same_build(docker_lab: Laboratory, images: Registry) -> None:
    first, second, third = (take(docker_lab, images, tag).content for tag in (SHA, "second", "third"))
    assert first is not None
    assert first == second != third


@pytest.mark.docker
def test_an_image_that_is_not_there_is_the_commits_word_and_a_refusal_is_not(
    docker_lab: Laboratory, images: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = take(docker_lab, images, "{sha}", OTHER)
    told = f"there is no prebuilt image {images.host}/app:{OTHER}"
    assert (missing.outcome, missing.reason) == (Outcome.BUILD_FAILED, told)
    busy = refusal(429, "TOOMANYREQUESTS", "slow down")
    for reply in (refusal(403, "DENIED", "requested access to the resource is denied"), busy, Reply(status=500)):
        monkeypatch.setattr(images, "refuse", reply)
        with pytest.raises(InfraFault, match="cannot be pulled"):
            take(docker_lab, images, "{sha}", OTHER)


@pytest.mark.docker
def test_a_registry_that_does_not_answer_is_not_held_against_the_commit(docker_lab: Laboratory) -> None:
    docker_lab.image_id = None
    order = docker_lab.order({}, prebuilt=Prebuilt(image="127.0.0.1:1/app:{sha}").at(SHA))
    with pytest.raises(InfraFault, match="cannot be pulled"):
        docker_lab.make(order)
