"""Images that others made, through the command line: one for each commit, and one with the load generator."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import docker
import pytest
from docker import APIClient

from tests.e2e.test_profiles import around
from tests.e2e.test_services import check
from tests.helpers.installs import BASE_IMAGE, Install, need_engine
from tests.helpers.registry import Registry, registry
from tests.helpers.repositories import Sandbox

pytestmark = [pytest.mark.docker, pytest.mark.long, pytest.mark.slow]

COMMITS, CULPRIT, MISSING = 12, 8, 6
PROGRAM = '#include <stdio.h>\n#include <stdlib.h>\nint main(void) { puts(getenv("LEVEL")); }\n'
PREBUILT = """\
name = "level"
[build]
prebuilt = "HOST/app:{sha}"
[run]
command = ["/level"]
[[metrics]]
name = "level"
source = "number"
exact = true
"""


@pytest.fixture
def engine() -> Iterator[APIClient]:
    """The engine itself."""
    need_engine()
    with closing(docker.from_env(timeout=60).api) as api:
        yield api


@pytest.fixture
def repository(tmp_path: Path) -> Sandbox:
    """Commits that hold nothing of what is run."""
    made = Sandbox.make(tmp_path / "repository")
    for number in range(COMMITS + 1):
        made.commit(f"Change {number}", {"number": str(number)})
    return made


@pytest.fixture
def images(tmp_path: Path, repository: Sandbox, engine: APIClient) -> Iterator[Registry]:
    """An image for each commit but one; what was pulled of them is removed."""
    if shutil.which("cc") is None:
        pytest.skip("no C compiler")
    (tmp_path / "level.c").write_text(PROGRAM)
    subprocess.run(["cc", "-static", "-o", tmp_path / "level", tmp_path / "level.c"], check=True)
    program = (tmp_path / "level").read_bytes()
    commits = repository.git("log", "--reverse", "--format=%H").splitlines()
    with registry() as made:
        for number, sha in enumerate(commits):
            if number != MISSING:
                env = (f"LEVEL={3 if number >= CULPRIT else 2}", f"COMMIT={number}")
                made.push(sha, {"level": program}, env)
        yield made
        for sha in commits:
            for image in engine.images(f"{made.host}/app:{sha}"):
                engine.remove_image(image["Id"], force=True)


def test_the_culprit_is_found_among_images_that_others_made(
    images: Registry, docker_install: Install, repository: Sandbox, engine: APIClient, tmp_path: Path
) -> None:
    """Pulled by the commits' names; the one that was never pushed is untestable, and what was pulled goes with gc."""
    scenario = tmp_path / "scenario"
    scenario.mkdir()
    (scenario / "scenario.toml").write_text(PREBUILT.replace("HOST", images.host))
    events = tmp_path / "events.jsonl"
    where = ("--repo", repository.top, "--scenario", scenario, "--runner", "docker", "--no-profile")
    done = docker_install.bisect(f"HEAD~{COMMITS}", "HEAD", *where, "--events", events)
    assert repository.git("log", "-1", "--format=%s", done.culprit["commit"]) == f"Change {CULPRIT}"
    assert (done.culprit["change"]["relative"], done.culprit["verified"]) == (0.5, True)
    missing = f"there is no prebuilt image {images.host}/app:{repository.git('rev-parse', f'HEAD~{COMMITS - MISSING}')}"
    assert [each["reason"] for each in done.result["untestable"]] == [missing]

    told = map(json.loads, events.read_text().splitlines())
    builds = [event["fact"]["build"] for event in told if event.get("kind") == "BuildRecorded"]
    taken = [build["taken"] for build in builds if build["taken"]]
    assert len(taken) == done.result["cost"]["builds"] - 1 > 3
    for each in taken:
        name = each["name"].removeprefix(f"{images.host}/app:")
        assert images.manifests[f"/v2/app/manifests/{name}"] == images.manifests[f"/v2/app/manifests/{each['digest']}"]
        assert engine.images(each["name"]) != []
    assert docker_install.run("gc", "--keep-days", "0").code == 0
    assert [each["name"] for each in taken if engine.images(each["name"])] == []


@pytest.fixture
def with_load(engine: APIClient, tmp_path: Path) -> Iterator[Path]:
    """The scenario of the web service, its load in an image of its own: the only one with the file /load-image."""
    made = engine.create_container(BASE_IMAGE, ["touch", "/load-image"])
    try:
        engine.start(made["Id"])
        engine.wait(made["Id"])
        image = engine.commit(made["Id"], repository="bisector-tests", tag=f"client-{made['Id'][:12]}")["Id"]
    finally:
        engine.remove_container(made["Id"], force=True)
    scenario = tmp_path / "web-service"
    shutil.copytree(Path("scenarios/web-service").resolve(), scenario)
    with (scenario / "scenario.toml").open("a") as told:
        told.write(f'\n[run.client]\nimage = "{image}"\n')
    load = scenario / "load.py"
    load.write_text(load.read_text().replace("\n\nimport", '\n\nopen("/load-image").close()\nimport', 1))
    yield scenario
    engine.remove_image(image, force=True)


@pytest.mark.alone
def test_a_slow_handler_is_found_by_a_load_from_another_image(
    docker_install: Install, demo: Sandbox, with_load: Path
) -> None:
    where = ("--repo", demo.top, "--scenario", with_load, "--runner", "docker", "--no-descend")
    check(demo, docker_install.bisect(*around(demo, "shelf"), *where))
