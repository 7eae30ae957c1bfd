"""Commits taken out of others and put onto them, and patches: as trees of the mirror, against what git itself does."""

from pathlib import Path

import pytest

from bisector.adapters.git.repository import GitRepository
from bisector.core.model.units import Sha
from bisector.engine.stop import StopSignal
from bisector.errors import RefError, UsageError
from tests.helpers.repositories import Sandbox, everything_in

TEXT = "".join(f"line {number}\n" for number in range(30))


def changed(*numbers: int, to: str = "changed") -> str:
    return "".join(f"{to} {n}\n" if n in numbers else f"line {n}\n" for n in range(30))


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    return Sandbox.make(tmp_path / "repository")


@pytest.fixture
def repository(sandbox: Sandbox, tmp_path: Path) -> GitRepository:
    return GitRepository(str(sandbox.top), tmp_path / "cache", StopSignal())


def test_a_revert_is_what_git_makes_of_it_and_the_persons_repository_stays_as_it_is(
    sandbox: Sandbox, repository: GitRepository
) -> None:
    sandbox.commit("Start", {"a": TEXT, "old name": TEXT})
    culprit = sandbox.commit("Slow", {"a": changed(3), "new": "new\n"})
    sandbox.git("mv", "old name", "other name")
    bad = sandbox.commit("Later", {"a": changed(3, 25)})
    before = everything_in(sandbox.top)
    made = repository.transplant(culprit, bad, undo=True)
    assert everything_in(sandbox.top) == before
    sandbox.git("revert", "--no-edit", culprit)
    assert (made.tree, made.conflicts) == (sandbox.tree("HEAD"), ())


def test_a_merge_is_taken_out_with_all_that_it_brought(sandbox: Sandbox, repository: GitRepository) -> None:
    sandbox.commit("Start", {"a": TEXT})
    sandbox.branch("topic", "main")
    sandbox.commit("One", {"b": "b\n"})
    sandbox.commit("Two", {"a": changed(2)})
    sandbox.switch("main")
    sandbox.commit("Meanwhile", {"c": "c\n"})
    merge = sandbox.merge("topic")
    bad = sandbox.commit("Later", {"a": changed(2, 20)})
    made = repository.transplant(merge, bad, undo=True)
    sandbox.git("revert", "--no-edit", "-m", "1", merge)
    assert made.tree == sandbox.tree("HEAD")


def test_a_commit_is_put_on_top_of_another(sandbox: Sandbox, repository: GitRepository) -> None:
    good = sandbox.commit("Start", {"a": TEXT})
    sandbox.commit("Between", {"a": changed(9)})
    fix = sandbox.commit("Fix", {"a": changed(9, 28), "b": "b\n"})
    made = repository.transplant(fix, good, undo=False)
    sandbox.git("checkout", "--quiet", good)
    sandbox.git("cherry-pick", fix)
    assert made.tree == sandbox.tree("HEAD")


def test_the_last_commit_taken_out_is_its_parent_and_so_is_a_first_one(
    sandbox: Sandbox, repository: GitRepository
) -> None:
    root = sandbox.commit("Start", {"a": TEXT})
    bad = sandbox.commit("Slow", {"b": "b\n"})
    assert repository.transplant(bad, bad, undo=True).tree == sandbox.tree(root)
    rest = repository.transplant(root, bad, undo=True).tree
    assert sandbox.git("-C", str(repository._mirror.path), "ls-tree", "--name-only", rest) == "b"


def test_a_conflict_tells_its_files_and_makes_no_tree(sandbox: Sandbox, repository: GitRepository) -> None:
    sandbox.commit("Start", {"a": TEXT, "ä b": TEXT, "gone": TEXT})
    culprit = sandbox.commit("Slow", {"a": changed(3), "ä b": changed(4), "gone": changed(5)})
    sandbox.git("rm", "--quiet", "gone")
    bad = sandbox.commit("Later", {"a": changed(3, to="again"), "ä b": changed(4, to="again")})
    made = repository.transplant(culprit, bad, undo=True)
    assert (made.tree, set(made.conflicts)) == ("", {"a", "ä b", "gone"})


def test_a_changelog_that_conflicts_stays_as_it_is(sandbox: Sandbox, repository: GitRepository) -> None:
    sandbox.commit("Start", {"a": TEXT, "CHANGELOG.rst": TEXT, "docs/ö é": TEXT, "README.md": TEXT})
    changes = {"a": changed(3), "CHANGELOG.rst": changed(4), "docs/ö é": changed(4), "README.md": changed(4)}
    culprit = sandbox.commit("Slow", changes)
    sandbox.git("rm", "--quiet", "README.md")
    again = {"CHANGELOG.rst": changed(4, to="again"), "docs/ö é": changed(4, to="again")}
    bad = sandbox.commit("Later", again)
    made = repository.transplant(culprit, bad, undo=True)
    sandbox.commit("By hand", {"a": TEXT})
    assert (made.tree, made.conflicts) == (sandbox.tree("HEAD"), ())


def test_attributes_of_a_commit_run_nothing(sandbox: Sandbox, repository: GitRepository, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    sandbox.commit("Start", {"a": TEXT, ".gitattributes": "a merge=evil filter=evil diff=evil\n"})
    sandbox.git("config", "merge.evil.driver", f"touch {mark}")
    sandbox.git("config", "filter.evil.smudge", f"touch {mark}")
    culprit = sandbox.commit("Slow", {"a": changed(3)})
    bad = sandbox.commit("Later", {"a": changed(3, to="again")})
    mark.unlink(missing_ok=True)
    assert repository.transplant(culprit, bad, undo=True).conflicts == ("a",)
    assert not mark.exists()


def test_the_tree_outlives_the_collection_of_garbage(sandbox: Sandbox, repository: GitRepository) -> None:
    sandbox.commit("Start", {"a": TEXT})
    culprit = sandbox.commit("Slow", {"a": changed(3)})
    bad = sandbox.commit("Later", {"a": changed(3, 25)})
    tree = repository.transplant(culprit, bad, undo=True).tree
    repository.pin("1", [bad, Sha(tree)])
    sandbox.git("-C", str(repository._mirror.path), "gc", "--quiet", "--prune=now")
    with repository.archive(tree) as stream:
        assert b"line 3\n" in stream.read()


def test_a_patch_is_applied_as_git_does(sandbox: Sandbox, repository: GitRepository) -> None:
    bad = sandbox.commit("Start", {"a": TEXT, "dir/b": TEXT})
    fixed = sandbox.commit("Fix", {"a": changed(7), "dir/b": changed(8), "c": b"\x00\x01\xff"})
    patch = sandbox.git("diff", "--binary", bad, fixed) + "\n"
    before = everything_in(sandbox.top)
    assert repository.patched(patch.encode(), bad).tree == sandbox.tree(fixed)
    assert everything_in(sandbox.top) == before


def test_a_patch_that_does_not_fit_tells_where(sandbox: Sandbox, repository: GitRepository) -> None:
    bad = sandbox.commit("Start", {"a": TEXT})
    fixed = sandbox.commit("Fix", {"a": changed(7)})
    other = sandbox.commit("Other", {"a": changed(7, to="elsewhere")})
    patch = sandbox.git("diff", bad, fixed) + "\n"
    assert repository.patched(patch.encode(), other).conflicts == ("a",)


@pytest.mark.parametrize("content", [b"no patch at all\n", b"\x00\xff", b"diff --git a/a b/a\n@@ -1 +1 @@\n-a\n"])
def test_what_is_no_patch_is_said_to_be_none(sandbox: Sandbox, repository: GitRepository, content: bytes) -> None:
    bad = sandbox.commit("Start", {"a": TEXT})
    with pytest.raises(UsageError, match="cannot read the patch"):
        repository.patched(content, bad)


@pytest.mark.parametrize("path", ["../outside", ".git/hooks/post-checkout", "/tmp/outside", "sub/../../outside"])
def test_a_patch_reaches_nothing_but_the_tree(
    sandbox: Sandbox, repository: GitRepository, tmp_path: Path, path: str
) -> None:
    bad = sandbox.commit("Start", {"a": TEXT})
    patch = f"diff --git a/{path} b/{path}\nnew file mode 100755\n--- /dev/null\n+++ b/{path}\n@@ -0,0 +1 @@\n+evil\n"
    before = everything_in(sandbox.top)
    try:
        made = repository.patched(patch.encode(), bad)
    except UsageError:
        made = None
    assert made is None or made.tree == "", f"{path} is in the tree"
    assert everything_in(sandbox.top) == before
    assert not (tmp_path / "outside").exists()


def test_uncommitted_changes_are_a_patch_that_makes_the_work_tree(sandbox: Sandbox, repository: GitRepository) -> None:
    head = sandbox.commit("Start", {"a": TEXT, "gone": TEXT})
    assert repository.uncommitted() == b""
    sandbox.write({"a": changed(5), "new": b"\x00binary\xff", "ö": "ö\n"})
    (sandbox.top / "gone").unlink()
    patch = repository.uncommitted()
    assert repository.patched(patch, head).tree == repository.snapshot()


def test_a_commit_that_is_gone_is_said_to_be(sandbox: Sandbox, repository: GitRepository) -> None:
    bad = sandbox.commit("Start", {"a": TEXT})
    with pytest.raises(RefError):
        repository.transplant(Sha("1" * 40), bad, undo=True)
