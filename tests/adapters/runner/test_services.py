"""Contract: services under load, in both runners."""

import pytest

from bisector.adapters.measure.services import REPORT, as_attended
from bisector.core.model.builds import Build
from bisector.core.model.samples import Outcome, Usage
from bisector.core.model.scenario import Probe, Ready, RunRecipe, Service
from bisector.engine.ports import RunOrder, RunRecord
from bisector.errors import Cancelled
from tests.adapters.runner.laboratory import MEBIBYTE, Laboratory, marker, processes, stopping_when

SERVER = """
import http.server, os, sqlite3, sys
hog = bytearray(b"x") * int(sys.argv[2])
print("started in", os.getcwd(), os.environ["TMPDIR"], flush=True)
open(os.environ["TMPDIR"] + "/mine", "x").close()
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/die":
            print("Boom: asked to", flush=True)
            os._exit(7)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(os.environ.get("WORD", "-").encode())
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
ASK = "import os, sys, urllib.request as u; print(u.urlopen(os.environ['BASE'] + sys.argv[1]).read().decode())"
HTTP = Ready(probe=Probe.HTTP, words=("{port}", "/"))


def service(*, ready: Ready = HTTP, hog: int = 1, **more: object) -> Service:
    command = ("python3", "-c", SERVER, "{port}", str(hog))
    return Service(name="web", command=command, ready=ready, env={"WORD": "hello"}, **more)  # type: ignore[arg-type]


def loaded(lab: Laboratory, build: Build, path: str = "/", **more: object):  # type: ignore[no-untyped-def]
    env = {"BASE": "http://127.0.0.1:{port}"}
    services = more.pop("services", (service(),))
    return lab.run(build, "python3", "-c", ASK, path, env=env, services=services, **more)


def test_command_and_service_meet_and_the_service_is_new_every_time(lab: Laboratory, plain: Build) -> None:
    env, record = {"BASE": "http://127.0.0.1:{port}"}, None
    with lab.session(plain, "python3", "-c", ASK, "/", env=env, services=(service(),)) as session:
        for _ in range(2):
            record = session.run()
            assert (record.outcome, record.stdout, record.reason) == (Outcome.OK, b"hello\n", ""), record
            assert (record.files, record.logs) == ({}, {})
    assert record is not None
    assert record.usage is not None
    assert record.usage.wall > 0


def test_memory_and_time_are_told_of_the_service(lab: Laboratory, plain: Build) -> None:
    record = loaded(lab, plain, services=(service(hog=60 * MEBIBYTE),))
    assert record.usage is not None
    assert record.usage.peak_memory > 60 * MEBIBYTE
    assert record.usage.cpu > 0


def test_a_service_that_dies_under_load_fails_the_run_with_its_last_words(lab: Laboratory, plain: Build) -> None:
    record = loaded(lab, plain, "/die")
    assert record.outcome is Outcome.BENCH_FAILED
    assert record.reason == "service web ended under load (exit status 7); its log ends: Boom: asked to"
    assert b"started in" in record.logs["web"]


def test_a_service_that_is_never_ready_fails_the_run(lab: Laboratory, plain: Build) -> None:
    never = service(ready=Ready(probe=Probe.LOG, words=("never said",)), ready_seconds=1.0)
    record = loaded(lab, plain, services=(never,))
    assert record.outcome is Outcome.BENCH_FAILED
    assert record.reason.startswith("service web was not ready within 1 s; its log ends: started in ")


def test_a_service_that_cannot_be_started_is_told(lab: Laboratory, plain: Build) -> None:
    missing = Service(name="db", command=("no-such-server",), ready=HTTP)
    record = loaded(lab, plain, services=(missing, service()))
    assert (record.outcome, record.reason) == (Outcome.BENCH_FAILED, "service db: no such command: no-such-server")


@pytest.mark.parametrize(
    ("command", "outcome", "reason"),
    [
        (("sh", "-c", "echo oh dear >&2; exit 3"), Outcome.BENCH_FAILED, "exit status 3: oh dear"),
        (("no-such-load",), Outcome.BENCH_FAILED, "no such command: no-such-load"),
        (("sleep", "60"), Outcome.TIMEOUT, "not done after 1 s"),
    ],
)
def test_a_load_that_fails_is_told_as_any_command_is(
    lab: Laboratory, plain: Build, command: tuple[str, ...], outcome: Outcome, reason: str
) -> None:
    record = lab.run(plain, *command, services=(service(),), timeout_seconds=1.0)
    assert (record.outcome, record.reason) == (outcome, reason)
    assert set(record.logs) == {"web"}


def test_a_load_that_keeps_the_report_from_being_written_has_no_figures(lab: Laboratory, plain: Build) -> None:
    record = lab.run(plain, "mkdir", "{out}/services/report", services=(service(),))
    assert record.outcome is Outcome.BENCH_FAILED
    assert "attend: cannot write" in record.reason


@pytest.mark.parametrize(
    "report", [None, b"", b"wall_ns 1\n5\n", b"wall_ns 9\nx\n", b"client 6\nexit 0\n", b"\xff" * 99]
)
def test_without_a_sound_report_a_run_yields_nothing(report: bytes | None) -> None:
    recipe = RunRecipe(command=("load",), services=(service(),))
    usage = Usage(wall=1.0, cpu=1.0, peak_memory=1)
    made = RunRecord(outcome=Outcome.OK, usage=usage, files={} if report is None else {REPORT: report})
    found = as_attended(made, RunOrder(recipe=recipe, files=None))
    assert (found.outcome, found.files) == (Outcome.NO_RESULT, {})


def test_stopping_ends_load_and_services(lab: Laboratory, plain: Build) -> None:
    mark = marker()
    up = Service(
        name="web", command=("sh", "-c", f"echo up; exec sleep {mark}"), ready=Ready(probe=Probe.LOG, words=("up",))
    )
    with stopping_when(mark) as stop, pytest.raises(Cancelled):
        lab.run(plain, "sleep", mark, services=(up,), stop=stop)
    assert processes(mark) == []
