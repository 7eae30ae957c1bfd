"""Commits, read: many by one `git log`, a single one by GitPython."""

import itertools
import re
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from bisector.adapters.git.command import Git
from bisector.core.model.history import Commit
from bisector.core.model.units import Sha

EXACT = "--topo-order"
"""How to ask what one commit contains and another does not. In the order of times git stops early and names too many
commits where somebody's clock went wrong; in this one it goes by the commit graph that every fetch writes."""
LAST_TIME = 253_402_300_799
"""The end of the year 9999. A commit may claim any time; what shows it later cannot go beyond."""
LONGEST = 1000
"""Characters of a subject or a name that are kept."""

_FIELDS = ("%H", "%T", "%P", "%ct", "%an", "%s")
_AS = ("-z", "--no-color", "--no-show-signature", "--encoding=UTF-8", f"--format=tformat:{'%x00'.join(_FIELDS)}")
_CHUNK = 1 << 18
_SHA1 = 40
_UNREAD = re.compile(r"[\x00-\x1f\ufffd]")


def list_range(git: Git, tips: Sequence[Sha], without: Sha, *options: str) -> list[Commit]:
    """The commits that `tips` contain and `without` does not, ancestors first."""
    return _listed(git, EXACT, *options, *tips, f"^{without}")[::-1]


def count_range(git: Git, tip: Sha, without: Sha) -> int:
    """How many commits `tip` contains that `without` does not."""
    return int(git.run("rev-list", EXACT, "--count", tip, f"^{without}"))


def read_commit(git: Git, sha: Sha) -> Commit:
    """The commit called `sha`: by GitPython, or by git where that is at a loss. It knows short names only (SHA-1) and
    takes every text for UTF-8, whatever encoding the commit declares; git does know."""
    found = _by_gitpython(git, sha) if len(sha) == _SHA1 else None
    if found is None or _UNREAD.search(found.author + found.subject):
        return _listed(git, "--no-walk", sha)[0]
    return found


def _listed(git: Git, *revisions: str) -> list[Commit]:
    with git.stream("log", *_AS, *revisions, "--") as stream:
        fields = _split(stream)
        texts: dict[bytes, str] = {}
        return [_commit(record, texts) for record in zip(*[fields] * len(_FIELDS), strict=True)]


def _by_gitpython(git: Git, sha: Sha) -> Commit | None:
    from git import Commit as Object
    from git import Repo
    from git.exc import GitError, ODBError

    # It starts git with all of our own environment, which may speak of another repository.
    place = str(git.directory)
    here = {"GIT_DIR": place, "GIT_COMMON_DIR": place, "GIT_OBJECT_DIRECTORY": f"{place}/objects"}
    try:
        with Repo(git.directory, expand_vars=False) as repo:
            repo.git.update_environment(**git.variables(), **here)
            found = Object(repo, bytes.fromhex(sha))
            return Commit(
                sha=sha,
                tree=Sha(found.tree.hexsha),
                parents=tuple(Sha(parent.hexsha) for parent in found.parents),
                time=min(found.committed_date, LAST_TIME),
                author=(found.author.name or "")[:LONGEST],
                subject=_subject(found.message),
            )
    except (GitError, ODBError, ValueError, LookupError, OSError):
        return None


def _subject(message: str | bytes) -> str:
    """The first paragraph on one line, as `git log` has it."""
    text = message if isinstance(message, str) else message.decode(errors="replace")
    lines = [line.rstrip() for line in text.split("\0", 1)[0].split("\n")]
    paragraph = itertools.takewhile(bool, itertools.dropwhile(lambda line: not line, lines))
    return " ".join(paragraph)[:LONGEST]


def _split(stream: BinaryIO) -> Iterator[bytes]:
    rest = b""
    while chunk := stream.read(_CHUNK):
        *whole, rest = (rest + chunk).split(b"\0")
        yield from whole


def _commit(record: tuple[bytes, ...], texts: dict[bytes, str]) -> Commit:
    sha, tree, parents, time, author, subject = record
    return Commit(
        sha=Sha(_once(sha, texts)),
        tree=Sha(tree.decode()),
        parents=tuple([Sha(_once(parent, texts)) for parent in parents.split()]),
        time=min(int(time or 0), LAST_TIME),
        author=_once(author, texts),
        subject=subject.decode(errors="replace")[:LONGEST],
    )


def _once(raw: bytes, texts: dict[bytes, str]) -> str:
    """Decode what comes again and again (a parent is another commit's name) into one string for all."""
    text = texts.get(raw)
    if text is None:
        text = texts[raw] = raw.decode(errors="replace")[:LONGEST]
    return text
