"""Names that people type for commits, resolved once, to full object names."""

import re
from difflib import get_close_matches

from bisector.adapters.git.command import Git
from bisector.core.model.units import Sha, parse_sha
from bisector.errors import RefError

MOST_NAMES = 20_000
"""Refs looked through for a name like the one that was meant."""
_NAMED = ("refs/heads", "refs/tags", "refs/remotes")
_STEPS_BACK = re.compile(r"[~^]")


def resolve_name(git: Git, name: str, *, where: str) -> Sha:
    """The commit that `name` stands for in the repository; RefError when it stands for none."""
    if not name or "\0" in name:
        raise RefError(f"{name!r} names no commit", where=where)
    found = _object(git, f"{name}^{{commit}}")
    if found is not None:
        return found
    other = _object(git, name)
    kind = _kind(git, other) if other is not None else ""
    # ":/text" swallows the "^{commit}" that was put behind it.
    if kind == "commit" and other is not None:
        return other
    if kind:
        raise RefError(f"{name!r} names a {kind}, not a commit", where=where)
    raise _unknown(git, name, where)


def full_name(name: str) -> Sha | None:
    """`name` when it is a full object name already."""
    try:
        return parse_sha(name)
    except ValueError:
        return None


def _object(git: Git, name: str) -> Sha | None:
    answer = git.ask("rev-parse", "--verify", "--quiet", "--end-of-options", name)
    return full_name(answer.output.decode(errors="replace").strip()) if answer.status == 0 else None


def _kind(git: Git, sha: Sha) -> str:
    """What kind of object it is, "" when it is not there."""
    return git.ask("cat-file", "-t", sha).output.decode().strip()


def _unknown(git: Git, name: str, where: str) -> RefError:
    listing = git.run("for-each-ref", f"--count={MOST_NAMES}", "--format=%(refname:lstrip=2)", *_NAMED)
    names = listing.decode(errors="replace").splitlines()
    if not names and _object(git, "HEAD^{commit}") is None:
        return RefError("the repository has no commit yet", where=where, then="Commit something first")
    start = _STEPS_BACK.split(name, maxsplit=1)[0]
    if start != name and _object(git, f"{start}^{{commit}}") is not None:
        what = f"{name!r} names no commit: {start!r} does, but its history does not reach that far"
        return RefError(what, where=where)
    near = list(dict.fromkeys([*get_close_matches(name, names, n=3), *(known for known in names if name in known)]))[:3]
    advice = f"Perhaps you meant {' or '.join(near)}" if near else "Check the spelling, or fetch it first"
    return RefError(f"{name!r} names no commit", where=where, then=advice)
