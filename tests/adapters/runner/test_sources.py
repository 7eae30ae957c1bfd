"""Contract: sizes, memory over time and what services tell of themselves, in both runners, read to their values."""

import pytest

from bisector.adapters.measure.services import as_attended
from bisector.core.model.builds import Build
from bisector.core.model.samples import Outcome, Usage
from bisector.core.model.scenario import RunRecipe, Scenario
from bisector.engine.ports import RunOrder, RunRecord
from bisector.formats.results import read_value, wanted_files
from bisector.formats.scenario import scenario_from
from tests.adapters.runner.laboratory import Laboratory

SQUARE = "import sys, time\nuntil = (int(sys.argv[1]) / 400) ** 2 * 0.1\nwhile time.process_time() < until: pass"
LEAK = "import time\nkept = []\nfor _ in range(15):\n kept.append(b'x' * 1_000_000)\n time.sleep(0.1)"
SERVER = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    count = 0
    def do_GET(self):
        if self.path != "/metrics":
            Handler.count += 1
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f'# TYPE asked_total counter\\nasked_total{{code="200"}} {Handler.count}\\n'.encode())
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
ASK = "import sys, urllib.request as u\nfor _ in range(7): u.urlopen(f'http://127.0.0.1:{sys.argv[1]}/').read()"


def values(lab: Laboratory, build: Build, table: dict[str, object]) -> dict[str, float]:
    """What one run of the scenario in `table` yields."""
    scenario: Scenario = scenario_from({"name": "s", **table}, where="here")
    run = scenario.run
    collect = wanted_files(scenario.metrics)
    more = {"services": run.services, "sizes": run.sizes, "size_zero": run.size_zero}
    record = lab.run(build, *run.command, collect=collect, **more)
    assert record.outcome is Outcome.OK, record.reason
    assert record.usage is not None
    return {each.name: read_value(each, record.usage, record.stdout, record.files) for each in scenario.metrics}


def test_a_square_is_seen_by_its_exponent(lab: Laboratory, plain: Build) -> None:
    run = {"command": ["python3", "-c", SQUARE, "{size}"], "sizes": [100, 200, 300, 400, 800], "size_zero": True}
    found = values(lab, plain, {"run": run, "metrics": [{"name": "k", "source": "growth", "quantity": "cpu"}]})
    assert 1.5 < found["k"] < 2.5
    assert found["k at 800"] > 0.4


def test_a_leak_is_seen_by_its_slope(lab: Laboratory, plain: Build) -> None:
    run = {"command": ["python3", "-c", LEAK]}
    found = values(lab, plain, {"run": run, "metrics": [{"name": "leak", "source": "slope"}]})
    assert 2e6 < found["leak"] < 12e6


def test_requests_are_counted_by_what_the_service_tells(lab: Laboratory, plain: Build) -> None:
    service = {"command": ["python3", "-c", SERVER, "{port}"], "metrics": "http://127.0.0.1:{port}/metrics"}
    run = {"command": ["python3", "-c", ASK, "{port}"], "service": service}
    metrics = [
        {"name": "asked", "source": "prometheus", "select": 'asked_total{code="200"}'},
        {"name": "logged", "source": 'count:"GET / HTTP', "file": "services/service.log"},
    ]
    found = values(lab, plain, {"run": run, "metrics": metrics})
    assert found == {"asked": 7, "logged": 7}


def test_a_command_that_cannot_be_started_at_a_size_is_told(lab: Laboratory, plain: Build) -> None:
    record = lab.run(plain, "no-such-{size}", sizes=(1, 4))
    assert (record.outcome, record.reason) == (Outcome.BENCH_FAILED, "no such command: no-such-{size}")
    record = lab.run(plain, "sh", "-c", "echo {size} is bad >&2; exit {size}", sizes=(1, 4))
    assert (record.outcome, record.reason) == (Outcome.BENCH_FAILED, "exit status 1: 1 is bad")


@pytest.mark.parametrize("sizes", [(), (1, 4)])
def test_without_services_time_and_memory_are_the_commands(sizes: tuple[int, ...]) -> None:
    report = b"client 6\nexit 0\nwall_ns 10\n2000000000\ncpu_us 6\n500000\npeak_kib 2\n64\n"
    made = RunRecord(outcome=Outcome.OK, usage=Usage(wall=9, cpu=9, peak_memory=9), files={"services/report": report})
    order = RunOrder(recipe=RunRecipe(command=("x",), sizes=sizes), files=None)
    usage = as_attended(made, order).usage
    assert usage == (Usage(wall=2, cpu=0.5, peak_memory=65536) if sizes else Usage(wall=9, cpu=9, peak_memory=9))
