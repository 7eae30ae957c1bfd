"""A server and a worker as they are deployed: how soon an alert is measured, and what the server takes of memory."""

import json
import os
import re
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Select, func, select

from bisector.adapters.store.database import Database, sqlite_url
from bisector.adapters.store.tables import attempts, facts
from bisector.core.model.samples import Sample
from bisector.formats.alerts.signature import sign
from tests.helpers.postgres import wait_until
from tests.helpers.repositories import Sandbox

BISECTOR = [sys.executable, "-c", "from bisector.cli import main; main()"]
SECRET = "of the benchmark"
SETTINGS = """\
[[repositories]]
name = "shop"
location = "{shop}"
runner = "local"
[[hooks]]
source = "generic"
name = "monitor"
secret_env = ["HOOK_SECRET"]
"""
SCENARIO = """\
name = "level"
[run]
command = ["python", "-c", "print(1)"]
[[metrics]]
name = "seconds"
source = "number"
"""
SENDERS = 20
LIMIT = 300
ALERTS_HEADING = f"{'alerts':>8} {'answered':>11} {'taken':>11} {'first run':>11} {'slowest':>11}"
MEMORY_HEADING = f"{'idle':>10} {'alerts':>8} {'after':>10} {'as many again':>14} {'at most':>10} {'jobs':>6}"


@dataclass(frozen=True)
class Place:
    """An installation with a repository that may be asked about."""

    top: Path
    url: str
    commits: list[str]

    @property
    def environment(self) -> dict[str, str]:
        """Of its processes."""
        return {
            **os.environ,
            "BISECTOR_CONFIG": str(self.top / "bisector.toml"),
            "BISECTOR_STATE_DIR": str(self.top / "state"),
            "BISECTOR_CACHE_DIR": str(self.top / "cache"),
            "BISECTOR_DATABASE_URL": self.url,
            "HOOK_SECRET": SECRET,
        }

    @contextmanager
    def running(self, *command: str, says: str) -> Iterator[tuple[int, str]]:
        """A process of ours, once it `says` what is looked for: its number and what was found."""
        log = self.top / f"{command[0]}.log"
        with log.open("wb") as stream:
            process = subprocess.Popen([*BISECTOR, *command], env=self.environment, cwd=self.top, stderr=stream)
        try:
            wait_until(lambda: re.search(says, log.read_text()), LIMIT, f"{command[0]} to begin: {log.read_text()}")
            found = re.search(says, log.read_text())
            yield process.pid, found.group(1) if found else ""
        finally:
            process.terminate()
            process.wait(timeout=60)


def alerts_row(url: str, top: Path, alerts: int) -> str:
    """Send one alert after the other to a server and follow each, through a worker, to its first run."""
    place = _place(url, top, alerts + 1)
    answered, taken, first = [], [], []
    with ExitStack() as stack:
        address = stack.enter_context(_server(place))[1]
        stack.enter_context(place.running("worker", says="(worker on .*)"))
        database = Database(url or sqlite_url(top / "state" / "bisector.sqlite3"))
        stack.callback(database.close)
        for number in range(alerts):
            sent = time.time()
            job = _send(address, place, f"d{number}", number + 1)
            answered.append(time.time() - sent)
            began, ran = _followed(database, int(job))
            taken.append(began - sent)
            first.append(ran - sent)
            _post(f"{address}/v1/jobs/{job}/cancel", b"", {})
            wait_until(lambda: _is_let_go(database, int(job)), LIMIT, "the job to be stopped")  # noqa: B023 asked now
    medians = " ".join(f"{statistics.median(each) * 1e3:8.0f} ms" for each in (answered, taken, first))
    return f"{alerts:8d} {medians} {max(first) * 1e3:8.0f} ms"


def memory_row(url: str, top: Path, deliveries: int) -> str:
    """The server's memory: at first, after so many alerts over several connections at once, and after as many again."""
    place = _place(url, top, 40)
    with _server(place) as (pid, address), ThreadPoolExecutor(SENDERS) as threads:
        before = _resident(pid)
        after, jobs = [], set[str]()
        for turn in range(2):
            names = [f"{turn} {number}" for number in range(deliveries)]
            asked = [1 + number % (len(place.commits) - 1) for number in range(deliveries)]
            jobs |= set(threads.map(_send, [address] * deliveries, [place] * deliveries, names, asked))
            after.append(_resident(pid))
        most = _resident(pid, "VmHWM")
    shown = f"{before:7.1f} MB {deliveries:8d} {after[0]:7.1f} MB {after[1]:11.1f} MB {most:7.1f} MB"
    return f"{shown} {len(jobs):6d}"


def _place(url: str, top: Path, commits: int) -> Place:
    shop = Sandbox.make(top / "shop")
    shop.write({"scenarios/level/scenario.toml": SCENARIO})
    made = [str(shop.commit(f"Change {number}")) for number in range(commits)]
    (top / "bisector.toml").write_text(SETTINGS.format(shop=shop.top))
    return Place(top, url, made)


@contextmanager
def _server(place: Place) -> Iterator[tuple[int, str]]:
    with place.running("serve", "--port", str(_free_port()), says="serving on (http://[^;]+);") as (pid, address):
        wait_until(lambda: _is_ready(address), LIMIT, "the server to be ready")
        yield pid, address


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/ready", timeout=10) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _send(address: str, place: Place, name: str, number: int) -> str:
    """An alert of our own shape about the commits up to the one with this number; the job that came of it."""
    order = {"repository": "shop", "scenario": "level", "good": place.commits[0], "bad": place.commits[number]}
    body, stamp = json.dumps(order).encode(), int(time.time())
    headers = {
        "x-bisector-delivery": name,
        "x-bisector-timestamp": str(stamp),
        "x-bisector-signature": sign(SECRET, name, stamp, body),
    }
    return str(json.loads(_post(f"{address}/v1/hooks/monitor", body, headers))["jobs"][0]["job"])


def _post(address: str, body: bytes, headers: dict[str, str]) -> bytes:
    request = urllib.request.Request(address, data=body, headers=headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return bytes(answer.read())
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{address}: {error.code} {error.read()!r}") from None


def _followed(database: Database, job: int) -> tuple[float, float]:
    """When a job was taken, and when its first run had ended, as the worker wrote it down."""
    began = select(func.min(attempts.c.began_at)).where(attempts.c.job_id == job)
    ran = select(func.min(facts.c.recorded_at)).where(facts.c.job_id == job, facts.c.kind == Sample.__name__)

    def value(wanted: Select[Any]) -> float:
        with database.reading() as connection:
            return float(connection.execute(wanted).scalar() or 0.0)

    wait_until(lambda: value(ran), LIMIT, f"the first run of job {job}")
    return value(began), value(ran)


def _is_let_go(database: Database, job: int) -> bool:
    under_way = (attempts.c.job_id == job, attempts.c.ended_at.is_(None))
    with database.reading() as connection:
        return connection.execute(select(attempts.c.fence).where(*under_way)).first() is None


def _resident(pid: int, which: str = "VmRSS") -> float:
    """Megabytes that a process has in memory; "VmHWM": that it had at most."""
    found = re.search(rf"{which}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found.group(1)) * 1024 / 1e6
