"""Load from a container of another image, on services in the candidate's."""

import os
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from docker import APIClient

from bisector.core.model.builds import Build
from bisector.core.model.samples import Outcome
from bisector.core.model.scenario import Service
from bisector.engine.ports import RunRecord
from bisector.errors import Cancelled, EnvironmentFault
from tests.adapters.runner.laboratory import MEBIBYTE, Laboratory, marker, stopping_when
from tests.adapters.runner.test_services import ASK, service
from tests.helpers.installs import BASE_IMAGE

TAG = f"load-{os.getpid()}"
"""Its own: tests run in several processes, and each removes what it made."""
IMAGE = f"bisector-tests:{TAG}"
LOAD = f"import os, time\nprint(open('/load-image').read(), os.path.exists('/bisector/source/hello.txt'))\n{ASK}"

GOES_ON = """
import contextlib, os, sys, time, urllib.request
with contextlib.suppress(OSError):
    urllib.request.urlopen(os.environ["BASE"] + sys.argv[1])
time.sleep(90)
"""


@pytest.fixture(scope="module")
def image(engine: APIClient) -> Iterator[str]:
    """The image with the load generator: the only one with the file /load-image."""
    made = engine.create_container(BASE_IMAGE, ["sh", "-c", "echo -n the load > /load-image"])
    try:
        engine.start(made["Id"])
        engine.wait(made["Id"])
        engine.commit(made["Id"], repository="bisector-tests", tag=TAG)
    finally:
        engine.remove_container(made["Id"], force=True)
    yield IMAGE
    engine.remove_image(IMAGE, force=True)


def loaded(lab: Laboratory, build: Build, path: str = "/", code: str = LOAD, **more: object) -> RunRecord:
    env = {"BASE": "{target}", "WORD": "ours {port}"}
    settings = {"services": (service(),), "client": IMAGE, **more}
    return lab.run(build, "python3", "-c", code, path, env=env, **settings)


pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("image")]


def test_load_and_service_meet_from_two_images(docker_lab: Laboratory, docker_plain: Build) -> None:
    code = LOAD + "; time.sleep(0.3); open(os.environ['HOME'] + '/../out/x.txt', 'w').write(os.getcwd())"
    record = loaded(docker_lab, docker_plain, code=code, services=(service(hog=60 * MEBIBYTE),), collect=("x.txt",))
    assert (record.outcome, record.stdout, record.reason) == (Outcome.OK, b"the load False\nhello\n", ""), record
    assert record.files == {"x.txt": b"/bisector/out"}
    assert record.usage is not None
    assert record.usage.wall >= 0.3
    assert record.usage.peak_memory > 60 * MEBIBYTE, "the service's, not the load's"


def test_what_a_service_leaves_comes_along_as_its_profile_does_and_the_loads_own_goes_before(
    docker_lab: Laboratory, docker_plain: Build
) -> None:
    made = service()
    leaving = 'echo from the service | tee {out}/both.txt >{out}/profile; exec "$@"'
    leaver = replace(made, command=("sh", "-c", leaving, "sh", *made.command))
    code = LOAD + "; open(os.environ['HOME'] + '/../out/both.txt', 'w').write('from the load')"
    collect = ("profile", "both.txt")
    record = loaded(docker_lab, docker_plain, code=code, services=(leaver,), collect=collect)
    assert record.files == {"profile": b"from the service\n", "both.txt": b"from the load"}, record


def test_every_run_has_new_services_in_the_same_containers(docker_lab: Laboratory, docker_plain: Build) -> None:
    settings = {"env": {"BASE": "{target}"}, "services": (service(),), "client": IMAGE}
    with docker_lab.session(docker_plain, "python3", "-c", ASK, "/", **settings) as session:  # type: ignore[arg-type]
        containers = [session.container for _ in range(2) if session.run().outcome is Outcome.OK]
    assert len(containers) == 2
    assert containers[0] == containers[1]


@pytest.mark.parametrize(
    ("code", "outcome", "reason"),
    [
        ("print('so far'); raise SystemExit('oh dear')", Outcome.BENCH_FAILED, "exit status 1: oh dear"),
        ("import time; time.sleep(60)", Outcome.TIMEOUT, "not done after 1 s"),
    ],
)
def test_a_load_that_fails_is_told_and_the_services_logs_with_it(
    docker_lab: Laboratory, docker_plain: Build, code: str, outcome: Outcome, reason: str
) -> None:
    record = loaded(docker_lab, docker_plain, code=code, timeout_seconds=1.0)
    assert (record.outcome, record.reason) == (outcome, reason)
    assert b"started in" in record.logs["web"]


def test_a_service_that_dies_ends_the_load_and_is_why(docker_lab: Laboratory, docker_plain: Build) -> None:
    begun = time.monotonic()
    record = loaded(docker_lab, docker_plain, "/die", code=GOES_ON)
    assert record.outcome is Outcome.BENCH_FAILED
    assert record.reason == "service web ended under load (exit status 7); its log ends: Boom: asked to"
    assert time.monotonic() - begun < 60


def test_a_service_that_cannot_be_started_needs_no_load(docker_lab: Laboratory, docker_plain: Build) -> None:
    missing = Service(name="db", command=("no-such-server",), ready=service().ready)
    record = loaded(docker_lab, docker_plain, services=(missing, service()))
    assert (record.outcome, record.reason) == (Outcome.BENCH_FAILED, "service db: no such command: no-such-server")


def test_stopping_ends_both_sides(
    docker_lab: Laboratory, docker_plain: Build, engine: APIClient, instance: str
) -> None:
    mark = marker()
    with stopping_when(mark) as stop, pytest.raises(Cancelled):
        loaded(docker_lab, docker_plain, code=f"import os; os.execvp('sleep', ['sleep', '{mark}'])", stop=stop)
    ours = {"label": [f"io.bisector.instance={instance}", "io.bisector.role=client"]}
    assert engine.containers(all=True, filters=ours) == []


def test_an_image_that_cannot_be_had_is_the_machines_fault(docker_lab: Laboratory, docker_plain: Build) -> None:
    with pytest.raises(EnvironmentFault, match=r"there is no image 127\.0\.0\.1:1/load here"):
        loaded(docker_lab, docker_plain, client="127.0.0.1:1/load")
