"""A PostgreSQL of the tests' own: in a temporary directory, on a socket and a loopback port, gone with the session."""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

from bisector.adapters.queue.dispatch import prepare
from bisector.adapters.store.database import Database
from bisector.adapters.store.migrate import upgrade

USER = "postgres"


def binaries() -> Path | None:
    """Where PostgreSQL's programs are; None where there is none."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    if debian:
        return debian[-1]
    found = shutil.which("initdb")
    return Path(found).parent if found else None


@dataclass
class Server:
    """A running server; `stop` and `start` are for tests in which it goes away."""

    directory: Path
    programs: Path
    port: int
    durable: bool = False
    """Whether each commit is flushed, as everywhere but in tests."""
    up: bool = False

    def url(self, database: str) -> str:
        """The URL of one of its databases."""
        return f"postgresql+psycopg://{USER}@127.0.0.1:{self.port}/{database}"

    def fresh(self, *, migrated: bool = True) -> str:
        """The URL of a new database: with the newest schema, or empty."""
        name = f"b{uuid.uuid4().hex[:12]}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE {self._template if migrated else 'template0'}")
        return self.url(name)

    @cached_property
    def _template(self) -> str:
        """A database with the newest schema, to be copied: migrating is slow."""
        name = "migrated"
        self._execute(f"CREATE DATABASE {name} TEMPLATE template0")
        database = Database(self.url(name), prepare)
        upgrade(database)
        database.close()
        return name

    def url_with(self, standby: "Server", database: str) -> str:
        """The URL of a database that either of the two has, and that is wherever it can be written to."""
        hosts = "&".join(f"host=127.0.0.1:{each.port}" for each in (self, standby))
        return f"postgresql+psycopg://{USER}@/{database}?{hosts}&target_session_attrs=read-write"

    def wait_for_standby(self) -> None:
        """From now on a commit is answered when a standby has it too."""
        self._execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
        self._execute("SELECT pg_reload_conf()")

    def listeners(self) -> int:
        """How many connections wait to be told of jobs."""
        return len(self._execute("SELECT pid FROM pg_stat_activity WHERE query ILIKE 'LISTEN %'"))

    def _execute(self, statement: str) -> list[tuple[object, ...]]:
        import psycopg

        with psycopg.connect(f"host=127.0.0.1 port={self.port} user={USER} dbname=postgres", autocommit=True) as link:
            done = link.execute(statement.encode())
            return done.fetchall() if done.description else []

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = (
            f"-p {self.port} -c listen_addresses=127.0.0.1 -k {self.directory} "
            "-c max_connections=200 -c shared_buffers=32MB"
        )
        if not self.durable:
            options += " -c fsync=off -c full_page_writes=off"
        data, log = str(self.directory / "data"), str(self.directory / "log")
        self._run("pg_ctl", "-D", data, "-l", log, "-o", options, "-w", "-t", "120", "start")
        self.up = True

    def stop(self, how: str = "immediate") -> None:
        """Stop it; `immediate` leaves everybody without an answer."""
        self._run("pg_ctl", "-D", str(self.directory / "data"), "-m", how, "-w", "stop")
        self.up = False

    def initialise(self) -> None:
        """Make its files."""
        self._run("initdb", "-D", str(self.directory / "data"), "-U", USER, "-A", "trust", "--no-sync", "-E", "UTF8")

    def copy_to(self, standby: "Server") -> None:
        """Make `standby` of what is here; started, it follows this server."""
        own = str(standby.directory / "data")
        self._run("pg_basebackup", "-h", "127.0.0.1", "-p", str(self.port), "-U", USER, "-D", own, "-R", "-c", "fast")

    def promote(self) -> None:
        """A standby is written to from now on."""
        self._run("pg_ctl", "-D", str(self.directory / "data"), "-w", "-t", "60", "promote")

    def kill(self) -> None:
        """Every process of it at once, as a machine that loses its power."""
        for process in self._processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self.up = False

    def leave_standby_behind(self) -> None:
        """From now on it hears nothing of what is written: the process that tells it is stopped."""
        commands = {each: Path(f"/proc/{each}/cmdline").read_bytes() for each in self._processes()}
        (sender,) = [process for process, command in commands.items() if b"walsender" in command]
        os.kill(sender, signal.SIGSTOP)

    def _processes(self) -> list[int]:
        main = int((self.directory / "data" / "postmaster.pid").read_text().split()[0])
        return [main, *map(int, Path(f"/proc/{main}/task/{main}/children").read_text().split())]

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self.programs / program), *arguments]
        user = USER if os.geteuid() == 0 else None
        done = subprocess.run(
            command, user=user, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=180, check=False
        )
        if done.returncode != 0:
            raise RuntimeError(f"{program}: {done.stderr.decode(errors='replace')[-2000:]}")


@contextmanager
def server(*, durable: bool = False) -> Iterator[Server]:
    """A server for as long as this is entered; the test is skipped where PostgreSQL is not installed."""
    with _made(durable=durable) as running:
        running.initialise()
        running.start()
        try:
            yield running
        finally:
            if running.up:
                running.stop()


@contextmanager
def pair() -> Iterator[tuple[Server, Server]]:
    """A server, and a standby that follows it; either may be gone at the end."""
    with server() as first, _made() as standby:
        first.copy_to(standby)
        standby.start()
        try:
            yield first, standby
        finally:
            standby.stop()


@contextmanager
def _made(*, durable: bool = False) -> Iterator[Server]:
    programs = binaries()
    if programs is None:
        pytest.skip("PostgreSQL is not installed (tests/environment/up.sh postgres)")
    with tempfile.TemporaryDirectory(prefix="bisector-pg-", ignore_cleanup_errors=True) as made:
        directory = Path(made)
        if os.geteuid() == 0:
            # PostgreSQL does not run as root.
            owner = pwd.getpwnam(USER)
            os.chown(directory, owner.pw_uid, owner.pw_gid)
        yield Server(directory=directory, programs=programs, port=_free_port(), durable=durable)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(condition: object, seconds: float, what: str) -> None:
    """Until `condition()` holds; AssertionError naming `what` when it does not in time."""
    assert callable(condition)
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, f"waited {seconds:g} s for {what}"
        time.sleep(0.1)
