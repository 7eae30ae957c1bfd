"""A tree as a tar stream: every file of it as it was committed, all with one modification time."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import BinaryIO

from bisector.adapters.git.command import Git
from bisector.core.model.units import parse_sha

TIME = 946_684_800
"""2000-01-01, the modification time of every file."""

_BLOCK = 512
_WHO = {"NAME": "bisector", "EMAIL": "bisector", "DATE": f"{TIME} +0000"}
IDENTITY = {f"GIT_{role}_{name}": value for role in ("AUTHOR", "COMMITTER") for name, value in _WHO.items()}
"""Who makes commits that only git sees, and when: always the same, so that equal trees give equal commits."""


@contextmanager
def archive(git: Git, tree: str) -> Iterator[BinaryIO]:
    """The files of `tree`, from the mirror of `git`.

    `git archive` gives files their commit's time, so the tree is put into a commit of that fixed time: the stream needs
    no rewriting, and equal trees give equal bytes. Its first header, which names the commit, is left out.
    """
    fixed = replace(git, settings=("tar.umask=0022",), environment={**git.environment, **IDENTITY})
    commit = fixed.run("commit-tree", parse_sha(tree)).decode().strip()
    with fixed.stream("archive", "--format=tar", commit) as stream:
        header = stream.read(2 * _BLOCK)
        if header[156:157] != b"g":
            raise git.failure("archive", ["its first header is not the one that names the commit"])
        yield stream
