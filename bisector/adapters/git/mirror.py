"""The bare mirror in the cache: what is fetched once, stays as long as a job pins it, and is all that later steps read.

What a ref of the mirror reaches is complete, because git connects everything before it writes a ref; nothing else in
it is trusted. `refs/bisector/<job>/` belongs to a job; `refs/held/` keeps what was brought until a job pins it, and
`refs/context/` the trees that were made to judge the commits inside a merge.
"""

import fcntl
import re
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bisector.adapters import durable
from bisector.adapters.git.command import LONG, POLL, Git, GitFailed, redact
from bisector.adapters.git.commits import EXACT
from bisector.adapters.git.origin import Origin
from bisector.core.model.units import Seconds, Sha
from bisector.engine.stop import StopSignal
from bisector.errors import EnvironmentFault, RefError

PATIENCE = LONG
"""How long another process may keep the mirror to itself."""
MOST_PACKS = 40
"""Every fetch adds a pack, and lookups slow down with their number."""
ONE_DAY: Seconds = 86_400.0
"""How long what was brought waits for a job to pin it. What was made for a merge's context waits for its job's end."""
EVERYTHING = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*", "+refs/remotes/*:refs/remotes/*")

_ATTRIBUTES = "* -export-ignore -export-subst -text -ident -filter !working-tree-encoding\n"
"""These win over every `.gitattributes`: what a tree holds is what comes out."""
_TOLERATED = (
    *("badDate", "badDateOverflow", "badTimezone", "missingSpaceBeforeDate", "zeroPaddedDate"),
    *("badEmail", "badName", "missingEmail", "missingNameBeforeEmail", "missingSpaceBeforeEmail", "multipleAuthors"),
    *("badFilemode", "zeroPaddedFilemode", "nulInCommit", "extraHeaderEntry", "badTagName", "missingTaggerEntry"),
)
"""Carelessness of old tools in names, dates and modes. What could harm whoever unpacks a tree stays an error."""
_FETCHING = (
    "fetch.fsckObjects=true",
    *(f"fetch.fsck.{name}=ignore" for name in _TOLERATED),
    "fetch.writeCommitGraph=true",
    "protocol.version=2",
)
FETCHING = _FETCHING
"""How anything is fetched: checked before it is kept."""
CHECKING = tuple(f"fsck.{name}=ignore" for name in _TOLERATED)
"""How what came another way is checked: as strictly as what is fetched."""
_COLLECTING = (
    *("gc.auto=2000", "gc.autoPackLimit=20", "gc.autoDetach=false"),
    *("gc.packRefs=false", "gc.pruneExpire=1.day.ago"),
)
_NOT_OFFERED = re.compile("not our ref|unadvertised object|couldn't find remote ref")
_PROMISED = re.compile("promisor remote|lazy fetching")
_HEAD = re.compile(r"ref: (refs/heads/\S+)\tHEAD\n")
_ROOM = "room-"
_JOB = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,99}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Mirror:
    """A bare repository of ours, at `path`. Readers need no lock; whoever writes refs or packs takes it."""

    path: Path
    stop: StopSignal

    @classmethod
    def open(cls, path: Path, object_format: str, stop: StopSignal) -> "Mirror":
        """The mirror at `path`, made when it is not there. It appears whole or not at all."""
        mirror = cls(path=path, stop=stop)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            with mirror.alone():
                mirror._make(object_format)
        return mirror

    @property
    def git(self) -> Git:
        """git on this mirror."""
        return Git(directory=self.path, git_dir=self.path, stop=self.stop)

    def holds(self, commit: Sha) -> bool:
        """Whether `commit` is here with everything it needs."""
        answer = self.git.ask("rev-list", EXACT, "--max-count=1", commit, "--not", "--all")
        return answer.status == 0 and not answer.output

    def bring(self, origin: Origin, commit: Sha) -> None:
        """Fetch `commit` and its history unless they are here; RefError when the origin does not have them."""
        if self.holds(commit):
            return
        with self.alone() as git:
            if self.holds(commit):
                return
            _fetch_one(git, origin, commit)
            if not self.holds(commit):
                advice = "If it was rewritten since, name the commit that took its place"
                raise RefError(f"commit {commit} is gone", where=redact(origin.url), then=advice)
            git.run("update-ref", f"refs/held/{commit}", commit)
            _join_packs(git)

    def bring_all(self, origin: Origin) -> None:
        """Fetch every branch and tag of the origin."""
        with self.alone() as git:
            _fetch(git, origin, *EVERYTHING)
            _join_packs(git)

    def take_head(self, origin: Origin) -> None:
        """Let HEAD mean the origin's branch of that name, where it has one."""
        with self.alone() as git:
            told = origin.apply(git).run("ls-remote", "--symref", "source", "HEAD", limit=LONG).decode(errors="replace")
            branch = _HEAD.match(told)
            if branch is not None:
                git.run("symbolic-ref", "HEAD", branch[1])

    def has_tree(self, name: Sha) -> bool:
        """Whether `name` is a tree that is here."""
        answer = self.git.ask("cat-file", "-t", name)
        return answer.output == b"tree\n"

    def hold(self, name: Sha) -> None:
        """Keep an object until a job pins it, for a while at least."""
        with self.alone() as git:
            git.run("update-ref", f"refs/held/{name}", name)

    def hold_context(self, merge: Sha, trees: Iterable[str]) -> None:
        """Keep the trees that were made in the context of `merge`, for as long as a job may want them."""
        listing = "".join(f"040000 tree {tree}\t{tree}\0" for tree in {*trees} - {""})
        with self.alone() as git:
            bundle = git.run("mktree", "-z", given=listing.encode()).decode().strip()
            git.run("update-ref", f"refs/context/{merge}", bundle)

    def pin(self, job: str, names: Iterable[Sha]) -> None:
        """Keep commits with their history, or trees, until `unpin(job)`."""
        space = _space(job)
        with self.alone() as git:
            orders = [order for name in names for order in (f"update {space}{name} {name}", f"delete refs/held/{name}")]
            git.run("update-ref", "--stdin", given=_lines(orders))

    def unpin(self, job: str) -> None:
        """Let go of what `job` pinned, and of what nobody came back for; collect when that is worth it."""
        space = _space(job)
        if not self.git.run("for-each-ref", "--count=1", space):
            return
        with self.alone() as git:
            pinned = git.run("for-each-ref", "--format=%(refname)", space).decode().splitlines()
            stale = [*self._older("refs/held", "", ONE_DAY), *self._older("refs/context", "", 90 * ONE_DAY)]
            git.run("update-ref", "--stdin", given=_lines(f"delete {ref}" for ref in (*pinned, *stale)))
            # Nothing depends on it: what cannot be collected now can be another time.
            replace(git, settings=_COLLECTING).ask("gc", "--auto", "--force", "--quiet", limit=LONG)

    def _older(self, place: str, prefix: str, age: Seconds) -> list[str]:
        """What lies at `place` for longer than `age`."""
        since = time.time() - age
        return [
            path.relative_to(self.path).as_posix()
            for path in (self.path / place).glob(f"{prefix}*")
            if path.stat().st_mtime < since
        ]

    def _make(self, object_format: str) -> None:
        """A half-made mirror never has the mirror's name."""
        if self.path.exists():
            return
        for left_over in self.path.parent.glob(f"{self.path.name}.new-*"):
            shutil.rmtree(left_over)
        new = Path(tempfile.mkdtemp(prefix=f"{self.path.name}.new-", dir=self.path.parent))
        git = Git(directory=new, stop=self.stop)
        git.run("init", "--quiet", "--bare", "--template=", f"--object-format={object_format}", str(new))
        (new / "info").mkdir(exist_ok=True)
        (new / "info" / "attributes").write_text(_ATTRIBUTES)
        with durable.step("name the mirror"):
            new.rename(self.path)

    @contextmanager
    def alone(self) -> Iterator[Git]:
        """The mirror to ourselves. The commands inherit the lock: one that outlives us goes on holding it."""
        with Path(f"{self.path}.lock").open("a") as file:
            deadline = time.monotonic() + PATIENCE
            while not _try_lock(file.fileno()):
                self.stop.wait(POLL)
                if time.monotonic() > deadline:
                    raise EnvironmentFault("another process keeps the mirror to itself", where=str(self.path))
            self._clear_up()
            yield replace(self.git, descriptors=(file.fileno(),))

    def _clear_up(self) -> None:
        """Remove what a killed process left: nobody else writes refs or packs while we hold the lock."""
        refs = (self.path / "refs").rglob("*.lock")
        packs = (self.path / "objects" / "pack").glob("tmp_*")
        graphs = (self.path / "objects" / "info").rglob("*.lock")
        for left_over in (*refs, *packs, *graphs, *self.path.glob("*.lock")):
            left_over.unlink(missing_ok=True)
        for room in self._older("", _ROOM, ONE_DAY):
            shutil.rmtree(self.path / room, ignore_errors=True)

    def room(self) -> "tempfile.TemporaryDirectory[str]":
        """A place for files that are wanted for a moment."""
        return tempfile.TemporaryDirectory(prefix=_ROOM, dir=self.path)


def _fetch_one(git: Git, origin: Origin, commit: Sha) -> None:
    """Some servers give out no single commits: then all they show is fetched, in the hope that it is among that."""
    try:
        _fetch(git, origin, f"+{commit}:refs/held/{commit}")
    except GitFailed as refused:
        said = " ".join(refused.lines)
        if _PROMISED.search(said):
            what = "the repository is a partial clone, and files of its history are not there"
            advice = "Get them with `git fetch --refetch --no-filter`, or name the address it was cloned from"
            raise RefError(what, where=redact(origin.url), then=advice) from None
        if not _NOT_OFFERED.search(said):
            raise
        _fetch(git, origin, *EVERYTHING)


def _fetch(git: Git, origin: Origin, *refspecs: str) -> None:
    options = ("--quiet", "--prune", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules")
    fetching = origin.apply(replace(git, settings=_FETCHING))
    fetching.run("fetch", *options, "source", *refspecs, limit=LONG)


def _join_packs(git: Git) -> None:
    packs = sum(1 for _ in (git.directory / "objects" / "pack").glob("*.pack"))
    if packs > MOST_PACKS:
        git.run("repack", "-d", "--geometric=2", "--quiet", limit=LONG)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _space(job: str) -> str:
    if not _JOB.fullmatch(job):
        raise ValueError(f"not the name of a job: {job[:100]!r}")
    return f"refs/bisector/{job}/"


def _lines(orders: Iterable[str]) -> bytes:
    return "".join(f"{order}\n" for order in orders).encode()
