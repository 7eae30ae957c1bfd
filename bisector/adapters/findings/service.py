"""What of database, queue and engine matters: figures in, findings out."""

import re
import stat
from collections.abc import Iterator, Mapping, Sequence

from bisector.adapters.findings import Finding, Judgement, fine, problem, warning
from bisector.core.model.units import Seconds

SLOW: Seconds = 0.05
"""A round trip to the database from which on a job with thousands of facts feels it."""
SKEW: Seconds = 2.0
LONG: Seconds = 3600.0
OLDEST_POSTGRESQL = 130000
"""Their number for version 13.0, the oldest that is mended."""
OLDEST_ENGINE = (23, 0)
MENDED_RUNC = ((1, 2, 8), (1, 3, 3), (1, 4, 0))
"""The first of each line without CVE-2025-31133, -52565 and -52881, by which a container gets out."""


def latency_finding(where: str, version: str, latency: Seconds) -> Finding:
    """That the database answers, and how soon."""
    seen = f"{where}, {version}, answers in {latency * 1000:.1f} ms"
    if latency < SLOW:
        return fine("database", seen)
    return warning("database", seen, "put it nearer to this host: every run waits for it twice")


def schema_finding(revision: str, differences: Sequence[str]) -> Finding:
    """Whether the schema is what this version wants."""
    if not differences:
        return fine("schema", revision)
    advice = "restore it from a backup; nobody but `bisector db upgrade` is to change it"
    return problem("schema", f"{revision}, but it differs: {differences[0]}", advice)


def sqlite_finding(version: str, journal: str) -> Finding:
    """SQLite's library: some versions can damage a write-ahead log."""
    if journal == "wal":
        return fine("SQLite", version)
    advice = "nothing to do: the slower rollback journal is used, because this version's write-ahead log can be damaged"
    return Finding(subject="SQLite", judgement=Judgement.FINE, seen=f"{version}, {journal}", advice=advice)


def postgresql_finding(number: int, text: str) -> Finding:
    """Whether the server's version is one that is still mended; `number` as it gives it itself (150004)."""
    if number >= OLDEST_POSTGRESQL:
        return fine("PostgreSQL", text)
    return problem("PostgreSQL", text, "upgrade it to 13 or newer")


def skew_finding(skew: Seconds) -> Finding:
    """How far this host's clock is from the database's."""
    seen = f"{abs(skew):.1f} s {'ahead of' if skew > 0 else 'behind'} the database's"
    if abs(skew) < SKEW:
        return fine("clock, database", f"within {SKEW:.0f} s of the database's")
    return warning("clock, database", seen, "set both by ntp: how long a job rests after a fault goes by this one")


def queue_finding(waiting: int, leased: int, oldest: Seconds | None) -> Finding:
    """What waits, and for how long the oldest has."""
    seen = f"{waiting} waiting, {leased} under way"
    if oldest is None:
        return fine("queue", seen)
    seen += f", the oldest for {_duration(oldest)}"
    return fine("queue", seen) if oldest < LONG else warning("queue", seen, "start more workers, or cancel some jobs")


def worker_findings(there: int, late: Sequence[str], unserved: Sequence[str]) -> Iterator[Finding]:
    """Who works, who has not been heard of, and what nobody can take."""
    if late:
        names = ", ".join(late)
        advice = "look at that machine; another worker gives it up and takes its job as soon as one runs"
        yield warning("workers", f"{there} there; silent for longer than a lease: {names}", advice)
    else:
        yield fine("workers", f"{there} there")
    if unserved:
        advice = "start a worker on such a host, or add the class to `host_classes` of one that runs"
        yield warning("host classes", f"jobs wait for {', '.join(unserved)}, which no worker belongs to", advice)


def messenger_finding(counts: Mapping[str, int] | None) -> Finding:
    """Procrastinate's tables; None where they are missing."""
    if counts is None:
        return problem("Procrastinate", "its tables are missing", "run `bisector db upgrade` while no worker runs")
    told = ", ".join(f"{number} {state}" for state, number in sorted(counts.items())) or "no message on its way"
    return fine("Procrastinate", told)


def engine_findings(version: str, parts: Mapping[str, str]) -> Iterator[Finding]:
    """The engine's version, and that of what starts containers."""
    numbers = numbers_of(version)
    if numbers and numbers[:2] < OLDEST_ENGINE:
        advice = "upgrade it where you can: versions before 23 are no longer mended upstream, though distributions may"
        yield warning("engine", version, advice)
    else:
        yield fine("engine", version)
    runc = parts.get("runc", "")
    if runc and not _mended(numbers_of(runc)):
        advice = (
            "a commit's code can get out of its container (CVE-2025-31133, -52565, -52881): upgrade to 1.2.8, 1.3.3 or"
            " newer, or see whether your distribution mended this one; else measure only code of people you trust"
        )
        yield warning("runc", runc, advice)
    elif runc:
        yield fine("runc", runc)


def socket_finding(path: str, mode: int) -> Finding:
    """Who may talk to the engine, which is who owns this machine."""
    seen = f"{path}, mode {stat.S_IMODE(mode):04o}"
    if mode & stat.S_IWOTH:
        return problem("engine's socket", f"{seen}: everybody here is root by it", f"chmod o-rwx {path}")
    return fine("engine's socket", seen)


def numbers_of(version: str) -> tuple[int, ...]:
    """The numbers that a version begins with: (20, 10, 24) of "20.10.24+dfsg1"."""
    found = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(int(part) for part in found[0].split(".")) if found else ()


def _mended(numbers: tuple[int, ...]) -> bool:
    same = next((each for each in MENDED_RUNC if each[:2] == numbers[:2]), None)
    return numbers >= same if same is not None else numbers > MENDED_RUNC[0]


def _duration(seconds: Seconds) -> str:
    return f"{seconds / 3600:.1f} h" if seconds >= LONG else f"{seconds / 60:.0f} min"
