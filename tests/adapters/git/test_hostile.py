"""Repositories that want to run something, and the promise that a person's repository is only read."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from bisector.adapters.git.repository import GitRepository
from bisector.errors import BisectorError
from tests.adapters.git.conftest import Opener
from tests.helpers.repositories import Sandbox, everything_in, run_git


def everything_done(repository: GitRepository, good: str, bad: str) -> None:
    """Every operation there is, in the order of a job."""
    first, last = repository.resolve(good), repository.resolve(bad)
    tree = repository.snapshot()
    repository.pin("job", [first.sha, last.sha, tree])
    history = repository.list_history(first.sha, last.sha, every_commit=False, paths=["*.txt"])
    repository.list_history(first.sha, last.sha, every_commit=True, paths=[])
    for commit in history.line.candidates:
        if commit.is_merge:
            repository.list_branch(commit.sha, in_context=True)
            repository.list_branch(commit.sha, in_context=False)
    for wanted in (last.tree, tree):
        with repository.archive(wanted) as stream:
            while stream.read(1 << 16):
                pass
    repository.unpin("job")


@pytest.fixture
def busy(sandbox: Sandbox) -> Sandbox:
    """A repository with a merge, a tag, a linked work tree, changes staged and not, ignored and unknown files."""
    sandbox.commit("start", {"file.txt": "0\n", ".gitignore": "*.o\n", "gone.txt": "x"})
    sandbox.branch("side", "HEAD")
    sandbox.commits("inner one", "inner two")
    sandbox.switch("main")
    sandbox.commit("line")
    sandbox.merge("side")
    sandbox.git("tag", "-a", "-m", "x", "v1", "HEAD~1")
    sandbox.commit("last")
    sandbox.git("worktree", "add", "--quiet", "--detach", "../linked", "HEAD~1")
    sandbox.write({"file.txt": "1\n", "staged.txt": "x", "unknown.txt": "x", "ignored.o": "x"})
    sandbox.git("add", "staged.txt")
    (sandbox.top / "gone.txt").unlink()
    (sandbox.top / "link").symlink_to("file.txt")
    return sandbox


def packed(sandbox: Sandbox) -> None:
    """After a collection."""
    sandbox.git("gc", "--quiet")


def loose(sandbox: Sandbox) -> None:
    """As it grew."""
    sandbox.git("status")


def with_a_rich_index(sandbox: Sandbox) -> None:
    """With what git writes into an index when it may."""
    sandbox.git("update-index", "--untracked-cache")
    sandbox.git("update-index", "--index-version", "4")
    sandbox.git("status")


def with_times_that_want_a_refresh(sandbox: Sandbox) -> None:
    """With an index that any `git status` would write anew."""
    for path in sandbox.top.glob("*.txt"):
        os.utime(path, (1_500_000_000, 1_500_000_000))


STATES = [packed, loose, with_a_rich_index, with_times_that_want_a_refresh]


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("place", ["source", "linked"])
def test_nothing_of_the_persons_is_touched(
    state: Callable[[Sandbox], None], place: str, busy: Sandbox, opened: Opener
) -> None:
    """Byte for byte, with modes and times, `.git` included."""
    state(busy)
    before = everything_in(busy.top) | everything_in(busy.top.parent / "linked")
    everything_done(opened(busy.top.parent / place), "main~3", "main")
    assert everything_in(busy.top) | everything_in(busy.top.parent / "linked") == before


def test_of_a_split_index_only_its_mark_of_use_changes(busy: Sandbox, opened: Opener) -> None:
    """git itself notes the time in the name's own place whenever it reads one, so that it is not expired."""
    busy.git("update-index", "--split-index")
    before = everything_in(busy.top)
    everything_done(opened(busy.top), "main~3", "main")
    after = everything_in(busy.top)
    changed = [name for name in before if after.get(name) != before[name]]
    assert set(after) == set(before)
    assert all("/.git/sharedindex." in name for name in changed)
    assert all((after[name][0], after[name][2]) == (before[name][0], before[name][2]) for name in changed)


HOOKS = [
    *("post-checkout", "pre-commit", "post-commit", "post-rewrite", "post-merge", "pre-push", "pre-auto-gc"),
    *("reference-transaction", "post-index-change", "fsmonitor-watchman", "update", "post-update"),
    *("pre-receive", "post-receive", "proc-receive"),
]


@pytest.fixture
def trap(tmp_path: Path) -> Path:
    """A program that leaves a mark when it runs; the mark is what `sprung` looks for."""
    program = tmp_path / "trap.sh"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\nexit 1\n")
    program.chmod(0o755)
    return program


def sprung(trap: Path) -> bool:
    """Whether the trap was run."""
    return (trap.parent / "sprung").exists()


def test_nothing_a_repository_configures_is_run(busy: Sandbox, opened: Opener, trap: Path) -> None:
    hooks = busy.top / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in HOOKS:
        (hooks / name).symlink_to(trap)
    configured = {
        "core.fsmonitor": trap,
        "core.hooksPath": hooks,
        "core.pager": trap,
        "core.editor": trap,
        "core.sshCommand": trap,
        "core.askPass": trap,
        "core.gitProxy": trap,
        "core.alternateRefsCommand": trap,
        "credential.helper": f"!{trap}",
        "diff.external": trap,
        "diff.odd.command": trap,
        "diff.odd.textconv": trap,
        "filter.odd.clean": trap,
        "filter.odd.smudge": trap,
        "filter.odd.process": trap,
        "filter.odd.required": "true",
        "merge.odd.driver": f"{trap} %O %A %B",
        "merge.default": "odd",
        "gpg.program": trap,
        "log.showSignature": "true",
        "uploadpack.packObjectsHook": trap,
        "tar.tar.command": trap,
        "pager.log": trap,
        "pager.rev-parse": trap,
        "alias.rev-parse": f"!{trap}",
        "alias.upload-pack": f"!{trap}",
        "remote.origin.url": f"ext::{trap}",
        "remote.origin.uploadpack": trap,
        "remote.origin.vcs": "odd",
        "sequence.editor": trap,
        "submodule.recurse": "true",
        "fetch.recurseSubmodules": "true",
        "gc.auto": "1",
        "gc.autoDetach": "false",
    }
    attributes = "* filter=odd diff=odd merge=odd export-subst\n"
    busy.git("-c", "core.hooksPath=/dev/null", "commit", "--quiet", "-m", "ends")
    (busy.top / ".git" / "info").mkdir(exist_ok=True)
    (busy.top / ".git" / "info" / "attributes").write_text(attributes)
    (busy.top / ".gitattributes").write_text(attributes)
    for name, value in configured.items():
        busy.git("config", name, str(value))
    everything_done(opened(busy.top), "HEAD~3", "HEAD")
    assert not sprung(trap)


def test_the_traps_do_spring(busy: Sandbox, trap: Path) -> None:
    """Without the wrapper two of them are sprung by looking at the repository alone."""
    busy.git("config", "core.fsmonitor", str(trap))
    busy.git("ls-files", "--others", fails=True)
    assert sprung(trap)


def test_a_missing_object_is_not_fetched_on_the_repositorys_say(busy: Sandbox, opened: Opener, trap: Path) -> None:
    """A promise of objects elsewhere would have git call whatever is configured as that elsewhere."""
    lost = busy.sha("HEAD^{tree}")
    (busy.top / ".git" / "objects" / lost[:2] / lost[2:]).unlink()
    busy.git("config", "core.repositoryFormatVersion", "1")
    busy.git("config", "extensions.partialClone", "origin")
    busy.git("config", "remote.origin.promisor", "true")
    busy.git("config", "remote.origin.url", str(busy.top))
    busy.git("config", "remote.origin.uploadpack", str(trap))
    for name in ("HEAD", "HEAD^{tree}", lost):
        with pytest.raises(BisectorError):
            opened(busy.top).resolve(name)
    assert not sprung(trap)
    busy.git("cat-file", "-p", lost, fails=True)
    assert sprung(trap)


def test_a_bare_repository_inside_the_work_tree_is_not_used(busy: Sandbox, opened: Opener, trap: Path) -> None:
    inner = busy.top / "tests" / "data"
    inner.mkdir(parents=True)
    run_git(inner, "init", "--quiet", "--bare", "--template=")
    run_git(inner, "config", "core.fsmonitor", str(trap))
    (inner / "deeper").mkdir()
    with pytest.raises(BisectorError):
        opened(inner / "deeper").resolve("HEAD")
    assert not sprung(trap)


def test_an_attribute_cannot_choose_how_commits_are_merged(sandbox: Sandbox, opened: Opener, trap: Path) -> None:
    sandbox.commit("start", {"file": "0\n", ".gitattributes": "* merge=odd\n"})
    sandbox.git("config", "merge.odd.driver", f"{trap} %O %A %B")
    sandbox.branch("side", "HEAD")
    sandbox.commit("inner", {"file": "side\n"})
    sandbox.switch("main")
    sandbox.commit("line", {"file": "main\n"})
    sandbox.git("merge", "--quiet", "-s", "ours", "-m", "merge", "side")
    merge = opened(sandbox.top).resolve("HEAD").sha
    line, conflicts = opened(sandbox.top).list_branch(merge, in_context=True)
    assert (line.trees[1], conflicts) == ("", 1)
    assert not sprung(trap)
