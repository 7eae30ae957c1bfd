"""A database of an older version: killed anywhere in its migration, and migrated under workers of that version."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from bisector.adapters.queue.dispatch import prepare
from bisector.adapters.store.database import Database, sqlite_url
from bisector.adapters.store.migrate import upgrade
from bisector.adapters.store.tables import REVISION, REVISIONS
from bisector.engine.job import JobState
from bisector.formats.facts import request_to_text
from tests.entry.server.test_telling import CULPRIT, request_on
from tests.faults.interrupted import SIMULATED
from tests.faults.kept import kept_in
from tests.faults.scenes import Driver, Scene
from tests.helpers.postgres import Server, wait_until
from tests.helpers.workers import Service, assert_answered

pytestmark = [pytest.mark.slow]

OLD = "0003"
"""The oldest schema with a queue."""
STRIDE = 17
"""In CI every so-manieth place."""
JOB = "INSERT INTO jobs (created_at, state, request, sentence, cancel_requested) VALUES (0, 'done', :text, '', false)"
Rows = dict[str, list[tuple[Any, ...]]]


def rows_of(database: Path, tables: tuple[str, ...] = ()) -> Rows:
    """All rows of these tables, or of all but the schema's own."""
    with closing(sqlite3.connect(database)) as link:
        names = tables or tuple(
            name
            for (name,) in link.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
            if name not in {"alembic_version", "sqlite_sequence"}
        )
        return {name: link.execute(f"SELECT * FROM {name} ORDER BY 1, 2").fetchall() for name in names}


def age(database: Path, revision: str) -> None:
    """Make of a database of today one of an older version that holds the same, as far as that can."""
    newer = database.with_name("newer")
    database.rename(newer)
    old = Database(sqlite_url(database))
    upgrade(old, revision)
    old.close()
    with closing(sqlite3.connect(database)) as link:
        link.execute("ATTACH ? AS newer", (str(newer),))
        for name in rows_of(database):
            link.execute(f"INSERT INTO main.{name} SELECT * FROM newer.{name}")
        link.commit()
    newer.unlink()


class Upgraded:
    """An install with an old database: one job is done, another one waits."""

    def __init__(self, scene: Scene, kept: Path) -> None:
        self.scene = scene
        self.database = scene.place / "state" / "bisector.sqlite3"
        self.kept = kept
        scene.set_up()
        assert scene.type(*SIMULATED).code == 0
        assert scene.type(*SIMULATED, "--detach").code == 0
        age(self.database, OLD)
        self.rows = rows_of(self.database)
        assert len(self.rows["jobs"]) == 2
        shutil.copytree(scene.place / "state", kept)

    def again(self) -> None:
        """As it was before the migration."""
        shutil.rmtree(self.scene.place / "state")
        shutil.copytree(self.kept, self.scene.place / "state")

    def places(self, *command: str) -> int:
        """How many places the migration passes."""
        self.again()
        return len(self.scene.type(*command, mutant="each statement").places)

    def killed(self, number: int, *command: str, mutant: str = "each statement") -> list[str]:
        """What is wrong after a kill at a place, and after the next command."""
        self.again()
        killed = self.scene.type(*command, at=number, mutant=mutant)
        where = f"killed at {number}, {killed.places[-1]}"
        assert killed.code == -signal.SIGKILL, killed.output
        told = [] if self.revision in {OLD, REVISION} else [f"{where}: it is of revision {self.revision}"]
        for next_command in (("jobs", "list"), ("db", "check")):
            ended = self.scene.type(*next_command)
            if ended.code != 0:
                told.append(f"{where}: {' '.join(next_command)}: {ended.output[-500:]}")
        if self.revision != REVISION or rows_of(self.database, tuple(self.rows)) != self.rows:
            told.append(f"{where}: something is lost, or it is not of today's revision")
        return told

    @property
    def revision(self) -> str:
        with closing(sqlite3.connect(self.database)) as link:
            return str(link.execute("SELECT version_num FROM alembic_version").fetchone()[0])


@pytest.fixture
def upgraded(forked: Driver, tmp_path: Path) -> Upgraded:
    return Upgraded(Scene(forked, tmp_path, ()), tmp_path / "old")


@pytest.mark.xdist_group("faults")
@pytest.mark.parametrize(
    ("command", "stride"),
    [
        pytest.param("jobs list", STRIDE, id="some"),
        pytest.param("jobs list", 1, id="all", marks=pytest.mark.long),
        pytest.param("db upgrade", 1, id="asked for", marks=pytest.mark.long),
    ],
)
def test_killed_in_a_migration_the_next_command_completes_it_and_nothing_is_lost(
    command: str, stride: int, upgraded: Upgraded
) -> None:
    words = command.split()
    places = upgraded.places(*words)
    assert places > 2 * len(REVISIONS)
    wrong = [problem for number in range(1, places + 1, stride) for problem in upgraded.killed(number, *words)]
    sys.stdout.write(f"{places} places, {len(wrong)} wrong\n")
    assert wrong == []
    worker = upgraded.scene.type("worker")
    assert worker.code == 0, worker.output
    kept = kept_in(upgraded.scene.place)
    assert [state for _, state, *_ in kept["jobs"]] == ["done", "done"]
    assert kept["jobs"][0][2].split()[:2] == kept["jobs"][1][2].split()[:2], "the same culprit"


@pytest.mark.xdist_group("faults")
@pytest.mark.long
def test_a_migration_in_pieces_is_seen(upgraded: Upgraded) -> None:
    assert any(upgraded.killed(number, "jobs", "list", mutant="in pieces") for number in range(2, 12))


@pytest.mark.xdist_group("faults")
def test_a_database_of_a_newer_version_is_refused_in_words_and_left_alone(forked: Driver, tmp_path: Path) -> None:
    scene = Scene(forked, tmp_path, ())
    scene.set_up()
    assert scene.type(*SIMULATED, "--detach").code == 0
    database = scene.place / "state" / "bisector.sqlite3"
    before = database.read_bytes()
    for command in ("db upgrade", "db check", "jobs list", "jobs resume 1", "worker", "gc"):
        refused = scene.type(*command.split(), mutant="older")
        assert refused.code == 5, (command, refused.output)
        assert f"newer version of bisector (schema {REVISION}, this one knows {REVISIONS[-2]})" in refused.output
        assert "Traceback" not in refused.output
    assert database.read_bytes() == before


@pytest.mark.long
@pytest.mark.xdist_group("postgres")
def test_killed_in_a_migration_of_postgresql_the_next_one_completes_it(
    postgres: Server, forked: Driver, tmp_path: Path
) -> None:
    scene = Scene(forked, tmp_path, ())
    scene.set_up()

    def old() -> None:
        """A new database of the old schema, with a job in it."""
        scene.environment = {"BISECTOR_DATABASE_URL": postgres.fresh(migrated=False)}
        database = Database(scene.environment["BISECTOR_DATABASE_URL"], prepare)
        upgrade(database, OLD)
        with database.unchecked() as connection:
            connection.execute(text(JOB), {"text": request_to_text(request_on(CULPRIT))})
        database.close()

    old()
    places = len(scene.type("db", "upgrade", mutant="each statement").places)
    assert places > 2 * len(REVISIONS)
    for number in range(1, places + 1, 5):
        old()
        killed = scene.type("db", "upgrade", at=number, mutant="each statement")
        assert killed.code == -signal.SIGKILL, killed.output
        for command in ("db upgrade", "db check", "jobs list"):
            ended = scene.type(*command.split())
            assert ended.code == 0, (killed.places[-1], command, ended.output)
        database = Database(scene.environment["BISECTOR_DATABASE_URL"])
        with database.reading() as connection:
            assert connection.exec_driver_sql("SELECT state FROM jobs").all() == [("done",)]
        database.close()


OLDER = "from tests.faults.worlds import CHANGES; CHANGES['older'].apply(); from bisector.cli import main; main()"
WORLD = "candidates=400,culprit=260,effect=0.05,noise=0.02,seed=5,pace=0.15"


@dataclass
class Fleet:
    """Workers of the version before the newest migration, each of a host of its own, on a database of that version."""

    top: Path
    url: str
    running: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        """A command of the older version."""
        number = len(self.running)
        environment = {
            **os.environ,
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "BISECTOR_STATE_DIR": str(self.top / "state"),
            "BISECTOR_CACHE_DIR": str(self.top / "cache"),
            "BISECTOR_DATABASE_URL": self.url,
            "BISECTOR_LEASE_SECONDS": "30",
            "BISECTOR_HOST_NAME": f"host-{number}",
        }
        with (self.top / f"worker-older-{number}.log").open("wb") as log:
            command = [sys.executable, "-c", OLDER, *arguments]
            made = subprocess.Popen(command, env=environment, stderr=log, stdout=log, cwd=self.top)
        self.running.append(made)
        return made

    def log(self) -> str:
        """What all of them said."""
        return "\n".join(path.read_text() for path in sorted(self.top.glob("worker-older-*.log")))

    def samples(self) -> int:
        """How many samples there are, looked at without a migration."""
        database = Database(self.url)
        with database.unchecked() as connection:
            found = connection.exec_driver_sql("SELECT count(*) FROM facts WHERE kind = 'Sample'").scalar_one()
        database.close()
        return int(found)

    def close(self) -> None:
        for process in self.running:
            process.kill()
            process.wait()


@pytest.mark.long
@pytest.mark.xdist_group("postgres")
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_migrated_under_workers_of_the_older_version_no_job_is_lost(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    state = tmp_path / "state" / "bisector.sqlite3"
    url = sqlite_url(state) if kind == "sqlite" else request.getfixturevalue("postgres").fresh(migrated=False)
    _make_older(url)
    fleet = Fleet(tmp_path, url)
    try:
        for _ in range(2):
            asked = fleet.start("bisect", "good", "bad", "--simulate", WORLD, "--detach")
            assert asked.wait(60) == 0, fleet.log()
        workers = [fleet.start("worker"), fleet.start("worker")]
        wait_until(lambda: fleet.samples() >= 12, 120, f"samples: {fleet.log()}")
        newest = {**os.environ, "BISECTOR_DATABASE_URL": url, "BISECTOR_STATE_DIR": str(tmp_path / "state")}
        migrate = [sys.executable, "-c", "from bisector.cli import main; main()", "db", "upgrade"]
        subprocess.run(migrate, env=newest, check=True, timeout=60, cwd=tmp_path)
        service = Service(tmp_path, "" if kind == "sqlite" else url, lease=30.0)
        assert service.wiring.database.revision() == REVISION
        for job in ("1", "2"):
            service.wait_for(job, JobState.DONE)
            assert_answered(service.facts(job))
        assert [worker.poll() for worker in workers] == [None, None], fleet.log()
        assert "Traceback" not in fleet.log()
        again = fleet.start("worker")
        assert again.wait(60) == 5, fleet.log()
        assert "newer version of bisector" in fleet.log()
        service.close()
    finally:
        fleet.close()


def _make_older(url: str) -> None:
    database = Database(url, None if url.startswith("sqlite") else prepare)
    upgrade(database, REVISIONS[-2])
    database.close()
