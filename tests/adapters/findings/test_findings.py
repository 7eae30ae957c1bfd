"""What `bisector doctor` says of what it sees."""

from pathlib import Path

import pytest

from bisector.adapters.clock import SystemClock
from bisector.adapters.findings import Finding, Judgement, attempt, machine, service
from bisector.adapters.queue.dispatch import prepare
from bisector.adapters.store.database import Database, sqlite_url
from bisector.adapters.store.health import health_of
from bisector.errors import EnvironmentFault
from tests.helpers.postgres import Server

FINE, WARNING, PROBLEM = Judgement.FINE, Judgement.WARNING, Judgement.PROBLEM
CPU = "sys/devices/system/cpu"
QUIET = {
    f"{CPU}/cpu0/cpufreq/scaling_governor": "performance",
    f"{CPU}/cpu1/cpufreq/scaling_governor": "performance",
    f"{CPU}/intel_pstate/no_turbo": "1",
    f"{CPU}/smt/active": "0",
    f"{CPU}/isolated": "1",
    "proc/sys/kernel/randomize_va_space": "2",
    "proc/loadavg": "0.12 0.30 0.40 1/200 1234",
    "proc/swaps": "Filename Type Size Used Priority",
}


def host(top: Path, **changed: str) -> dict[str, Finding]:
    """What is found on a quiet bench host on which some files, named by their last part, hold something else."""
    for name, content in QUIET.items():
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(changed.get(f"{path.parent.parent.name}_{path.name}", changed.get(path.name, content)) + "\n")
    return {found.subject: found for found in machine.machine_findings(top)}


def test_a_quiet_host_needs_nothing(tmp_path: Path) -> None:
    found = host(tmp_path)
    del found["processors"]
    assert {each.judgement for each in found.values()} == {FINE}
    assert "swap" not in found
    assert found["isolated"].seen.startswith("processors 1:")


@pytest.mark.parametrize(
    ("changed", "subject", "advice"),
    [
        ({"cpu1_scaling_governor": "powersave"}, "frequency", "cpupower frequency-set -g performance"),
        ({"no_turbo": "0"}, "turbo", "echo 1 > /sys/devices/system/cpu/intel_pstate/no_turbo"),
        ({"active": "1"}, "threads", "echo off > /sys/devices/system/cpu/smt/control"),
        ({"randomize_va_space": "0"}, "address layout", "sysctl kernel.randomize_va_space=2"),
        ({"loadavg": "0.62 0.1 0.1 1/9 9"}, "load", "see with top"),
        ({"swaps": "Filename Type\n/dev/sda2 partition"}, "swap", "swapoff -a"),
    ],
)
def test_each_thing_that_disturbs_is_told_with_what_to_do(
    tmp_path: Path, changed: dict[str, str], subject: str, advice: str
) -> None:
    found = host(tmp_path, **changed)
    assert found[subject].judgement is WARNING
    assert found[subject].advice.startswith(advice)
    rest = [each for name, each in found.items() if name not in (subject, "processors")]
    assert {each.judgement for each in rest} == {FINE}


@pytest.mark.parametrize(("state", "judgement"), [(0, FINE), (5, WARNING), (-1, FINE)])
def test_a_clock_that_nothing_keeps_to_the_time(state: int, judgement: Judgement) -> None:
    assert machine.clock_finding(state).judgement is judgement


def test_the_kernel_is_really_asked_for_its_clock() -> None:
    assert -1 <= machine._clock_state() <= machine.CLOCK_ERROR


def test_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "LEAST_FREE", 1 << 60)
    (found,) = machine.storage_findings({"state": tmp_path / "not" / "there"})
    assert (found.judgement, found.subject) == (WARNING, "state directory")
    engine = machine.room_finding("engine directory", tmp_path)
    assert engine is not None
    assert "bisector gc" in engine.advice
    assert machine.room_finding("engine directory", tmp_path / "elsewhere") is None


@pytest.mark.parametrize(
    ("engine", "runc", "judgements"),
    [
        ("20.10.24+dfsg1", "1.1.5+ds1", [WARNING, WARNING]),
        ("28.2.2", "1.2.7", [FINE, WARNING]),
        ("28.2.2", "1.2.8", [FINE, FINE]),
        ("28.2.2", "1.3.2", [FINE, WARNING]),
        ("28.2.2", "1.3.3", [FINE, FINE]),
        ("29.0.0", "1.4.1", [FINE, FINE]),
        ("5.2.0", "", [WARNING]),
        ("of unknown version", "", [FINE]),
    ],
)
def test_engines_that_are_known_to_be_bad(engine: str, runc: str, judgements: list[Judgement]) -> None:
    found = list(service.engine_findings(engine, {"runc": runc} if runc else {}))
    assert [each.judgement for each in found] == judgements
    assert all(bool(each.advice) == (each.judgement is WARNING) for each in found)


def test_a_socket_that_everybody_may_use() -> None:
    assert service.socket_finding("/var/run/docker.sock", 0o140660).judgement is FINE
    assert service.socket_finding("/var/run/docker.sock", 0o140666).judgement is PROBLEM


def test_figures_of_database_and_queue() -> None:
    assert service.latency_finding("x", "y", 0.002).judgement is FINE
    assert service.latency_finding("x", "y", 0.2).judgement is WARNING
    assert service.schema_finding("0006", ["a table is missing"]).judgement is PROBLEM
    assert service.sqlite_finding("3.40.1", "truncate").advice.startswith("nothing to do")
    assert service.sqlite_finding("3.54.0", "wal").advice == ""
    assert service.postgresql_finding(120010, "12.10").judgement is PROBLEM
    assert service.skew_finding(-61.0).seen.startswith("61.0 s behind")
    assert service.skew_finding(0.3).judgement is FINE
    assert service.queue_finding(0, 2, None).judgement is FINE
    assert service.queue_finding(3, 0, 7200.0).judgement is WARNING
    assert service.messenger_finding(None).judgement is PROBLEM
    assert [each.judgement for each in service.worker_findings(1, ["old"], ["arm"])] == [WARNING, WARNING]
    assert [each.judgement for each in service.worker_findings(0, [], [])] == [FINE]


def test_an_attempt_that_fails_says_what_to_do() -> None:
    def fail() -> str:
        raise EnvironmentFault("it is gone", then="Bring it back")

    assert attempt("x", fail) == Finding(subject="x", judgement=PROBLEM, seen="it is gone", advice="Bring it back")
    assert attempt("x", fail, optional=True).judgement is WARNING


def test_the_health_of_sqlite(tmp_path: Path) -> None:
    database = Database(sqlite_url(tmp_path / "bisector.sqlite3"))
    health = health_of(database, SystemClock())
    database.close()
    assert health.differences == ()
    assert (health.skew, health.messages, health.number) == (None, None, 0)
    assert health.journal in ("wal", "truncate")
    assert 0 < health.latency < 10


@pytest.mark.slow
def test_the_health_of_postgresql_and_of_what_is_missing_there(postgres: Server) -> None:
    database = Database(postgres.fresh(), prepare)
    health = health_of(database, SystemClock())
    assert health.differences == ()
    assert health.number >= service.OLDEST_POSTGRESQL
    assert health.skew is not None
    assert abs(health.skew) < 60
    assert health.messages == {}
    with database.writing() as connection:
        connection.exec_driver_sql("DROP TABLE procrastinate_jobs CASCADE")
        connection.exec_driver_sql("ALTER TABLE jobs DROP COLUMN sentence")
    health = health_of(database, SystemClock())
    assert health.messages is None
    assert "sentence" in health.differences[0]
    database.close()


@pytest.mark.slow
def test_a_cluster_that_has_no_encoding(postgres: Server) -> None:
    """Debian makes one such where no locale is set; text comes as text all the same, and messages arrive."""
    postgres._execute("CREATE DATABASE plain ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
    database = Database(postgres.url("plain"), prepare)
    health = health_of(database, SystemClock())
    assert health.differences == ()
    assert health.messages == {}
    assert database.parameters["client_encoding"] == "utf8"
    database.close()
