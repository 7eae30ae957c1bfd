"""What an install holds, without what may differ from one time to the other: to be compared with a clean run's."""

import hashlib
import json
import re
import sqlite3
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.helpers.repositories import run_git

PASSING = frozenset(
    ["clock", "elapsed", "seconds_taken", "reused", "log", "container", "usage", "seconds", "beside", "made_at"]
)
"""Times of day and durations, and whether a build was found again: after a kill one that was made is."""
IMAGE = re.compile("sha256:[0-9a-f]{64}")
"""An engine's number of an image, which is another for every making of it."""
HELD = "SELECT hosts.host FROM hosts JOIN workers ON workers.id = worker_id WHERE state = 'there'"
ENDS = {".json": "}", ".html": "</html>"}


def kept_in(place: Path) -> dict[str, Any]:
    """Everything an install holds that has to be the same in the end."""
    with closing(sqlite3.connect(place / "state" / "bisector.sqlite3")) as link:
        found = {
            "integrity": link.execute("PRAGMA integrity_check").fetchone()[0],
            "foreign keys": link.execute("PRAGMA foreign_key_check").fetchall(),
            "facts": [fact for fact in _facts(link) if fact[2].get("purpose") != "warmup"],
            "jobs": link.execute("SELECT id, state, sentence, cancel_requested FROM jobs ORDER BY id").fetchall(),
            "queue": link.execute("SELECT job_id, state, worker_id FROM queue ORDER BY job_id").fetchall(),
            "builds": sorted(key for (key,) in link.execute("SELECT key FROM builds")),
            "calibrations": [
                (metric, steady(json.loads(text)))
                for metric, text in link.execute("SELECT metric, payload FROM calibrations ORDER BY metric")
            ],
        }
    return {**found, "refs": refs_in(place / "cache")}


def left_in(place: Path) -> dict[str, Any]:
    """What a killed process might leave in an install: to be looked at once somebody has cleared up."""
    with closing(sqlite3.connect(place / "state" / "bisector.sqlite3")) as link:
        return {
            "hosts held": link.execute(HELD).fetchall(),
            "workers": sorted(set(link.execute("SELECT state FROM workers").fetchall())),
            "files": files_in(place),
        }


def broken_in(place: Path) -> list[str]:
    """What is neither as before nor as after, at whatever moment one looks."""
    told = [name for name in files_in(place) if name.endswith("(damaged)")]
    for path in filter(Path.is_file, place.glob("state/reports/*/[!.]*")):
        text = path.read_text()
        if not text.rstrip().endswith(ENDS.get(path.suffix, "")):
            told.append(f"half of {path.name}")
    database = place / "state" / "bisector.sqlite3"
    if database.exists():
        with closing(sqlite3.connect(database)) as link:
            told += [line for (line,) in link.execute("PRAGMA integrity_check") if line != "ok"]
    return told


def doubled(kept: dict[str, Any]) -> list[Any]:
    """Planned runs that have more than one sample."""
    slots = Counter(
        (job, fact["step"], fact["order"])
        for job, kind, fact in kept["facts"]
        if kind == "Sample" and fact["outcome"] not in {"infra", "cancelled"}
    )
    return [slot for slot, count in slots.items() if count > 1]


def differences(clean: dict[str, Any], found: dict[str, Any]) -> list[str]:
    """How an install differs from a clean run's; empty when it does not."""
    told = [f"doubled: {slot}" for slot in doubled(found)] if "facts" in found else []
    for name, wanted in clean.items():
        if found[name] != wanted:
            told.append(f"{name}: {_first_difference(wanted, found[name])}")
    return told


def steady(value: Any) -> Any:
    """A value without what may differ, wherever that is in it."""
    if isinstance(value, dict):
        return {name: steady(each) for name, each in value.items() if name not in PASSING}
    if isinstance(value, list):
        return [steady(each) for each in value]
    if isinstance(value, str) and IMAGE.fullmatch(value):
        return "an image"
    return value


def files_in(place: Path) -> list[str]:
    """The files and what is kept by content, by name; a kept file whose name is not its digest says so."""
    return sorted(_names(place))


def _names(place: Path) -> Iterator[str]:
    for path in place.rglob("*"):
        name = path.relative_to(place).as_posix()
        if _comes_and_goes(name):
            continue
        if path.is_dir():
            yield f"{name}/"
            continue
        if (
            re.fullmatch("state/files/[0-9a-f]{64}", name)
            and hashlib.sha256(path.read_bytes()).hexdigest() != path.name
        ):
            name += " (damaged)"
        yield name


def _comes_and_goes(name: str) -> bool:
    """Locks, which are empty or hold a number; git's own; byte-code of a tool; and who lives."""
    return bool(
        re.fullmatch(
            r"state/locks/(measuring|measuring-next|job-\d+)\.lock|cache/locks/.*|cache/owners/.*|cache/.*\.git\.lock",
            name,
        )
        or re.search(r"\.git/(objects|branches)(/|$)", name)
        or "__pycache__" in name
        or name.endswith(("bisector.sqlite3-journal", "-wal", "-shm"))
        or re.search(r"^cache/mirrors/[^/]+/(logs|info|hooks|FETCH_HEAD|packed-refs|refs)(/|$)", name)
    )


def refs_in(cache: Path) -> list[str]:
    """What every mirror pins, and that it is whole."""
    found = []
    for head in sorted(cache.rglob("HEAD")):
        mirror = head.parent
        if (mirror / "objects").is_dir() and (mirror / "refs").is_dir():
            found += run_git(mirror, "--git-dir=.", "for-each-ref", "--format=%(refname) %(objectname)").splitlines()
            found.append("fsck: " + run_git(mirror, "--git-dir=.", "fsck", "--full", "--no-dangling", fails=True))
    return found


def _facts(link: sqlite3.Connection) -> list[tuple[int, str, dict[str, Any]]]:
    """In their order. Warm-ups are among them: a session that is opened again after a kill begins with them."""
    rows = link.execute("SELECT job_id, kind, payload FROM facts ORDER BY job_id, seq").fetchall()
    return [(job, kind, steady(_read(payload))) for job, kind, payload in rows]


def _read(payload: bytes) -> Any:
    return json.loads(payload if payload[:1] == b"{" else zlib.decompress(payload))


def _first_difference(wanted: Any, found: Any) -> str:
    if isinstance(wanted, list) and isinstance(found, list):
        for number, (one, other) in enumerate(zip(wanted, found, strict=False)):
            if one != other:
                return f"at {number}: {str(other)[:400]} instead of {str(one)[:400]}"
        longer = found[len(wanted) :] or wanted[len(found) :]
        return f"{len(found)} instead of {len(wanted)}: {str(longer[0])[:400]}"
    return f"{str(found)[:400]} instead of {str(wanted)[:400]}"
