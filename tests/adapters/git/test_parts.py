"""Trees in which only some of what a commit moves has moved, and the commits a submodule went on by."""

from pathlib import Path

import pytest

from bisector.core.model.units import Sha
from bisector.errors import RefError
from tests.adapters.git.conftest import Opener
from tests.adapters.git.test_elsewhere import with_module
from tests.helpers.repositories import Sandbox, run_git

PATH = "vendor/library"


@pytest.fixture
def library(tmp_path: Path) -> Sandbox:
    """A repository that others have as a submodule: a line with a merge, and a branch that went another way."""
    made = Sandbox.make(tmp_path / "library")
    made.commits("one", "two")
    made.branch("topic", "HEAD")
    made.commit("inside")
    made.switch("main")
    made.commit("three")
    made.git("merge", "--quiet", "--no-ff", "-m", "merged", "topic")
    made.commit("four")
    made.branch("other", "HEAD~3")
    made.commit("elsewhere")
    made.switch("main")
    return made


def test_files_take_the_place_of_others_and_nothing_else_changes(sandbox: Sandbox, opened: Opener) -> None:
    sandbox.commit("first", {"a/requirements.txt": "old\n", "gone.txt": "x\n", "run.sh": "#!/bin/sh\n"})
    repository = opened(sandbox.top)
    tree = repository.resolve("HEAD").tree
    made = repository.with_files(tree, {"a/requirements.txt": b"new\n", "gone.txt": None, ".held": b"x==1\n"})
    git = repository._mirror.path
    assert run_git(git, "ls-tree", "-r", "--name-only", made).splitlines() == [".held", "a/requirements.txt", "run.sh"]
    assert run_git(git, "cat-file", "blob", f"{made}:a/requirements.txt") == "new"
    assert repository.with_files(tree, {"a/requirements.txt": b"old\n"}) == tree
    assert sandbox.git("status", "--porcelain") == "", "the work tree is as it was"


def test_a_tree_that_was_made_is_kept_once_it_is_pinned(sandbox: Sandbox, opened: Opener) -> None:
    sandbox.commit("first", {"a": "x\n"})
    repository = opened(sandbox.top)
    made = Sha(repository.with_files(repository.resolve("HEAD").tree, {"a": b"y\n"}))
    repository.pin("1", [made])
    run_git(repository._mirror.path, "gc", "--quiet", "--prune=now")
    assert repository.content(made, "a", 100) == b"y\n"


def test_the_line_of_a_submodule_is_that_of_its_first_parents(
    sandbox: Sandbox, library: Sandbox, opened: Opener
) -> None:
    tree = with_module(sandbox, library)
    repository = opened(sandbox.top, submodule_urls=(str(library.top.parent),))
    repository.resolve("HEAD")
    old, new = library.sha("HEAD~3"), library.sha("HEAD")
    remote, commits = repository.submodule_commits(tree, PATH, old, new)
    assert remote == str(library.top)
    assert [commit.subject for commit in commits] == ["three", "merged", "four"]
    made = repository.with_submodules_at(tree, {PATH: commits[0].sha})
    whole = run_git(repository._mirror.path, "ls-tree", "-r", "--name-only", repository.with_submodules(made))
    assert "vendor/library/three.txt" in whole
    assert "vendor/library/four.txt" not in whole
    assert repository.with_submodules_at(made, {PATH: new}) == tree


@pytest.mark.parametrize(("old", "new"), [("HEAD", "HEAD~2"), ("other", "HEAD"), ("topic", "HEAD")])
def test_a_submodule_that_left_its_line_has_none(
    sandbox: Sandbox, library: Sandbox, opened: Opener, old: str, new: str
) -> None:
    tree = with_module(sandbox, library)
    repository = opened(sandbox.top, submodule_urls=(str(library.top),))
    repository.resolve("HEAD")
    with pytest.raises(RefError):
        repository.submodule_commits(tree, PATH, library.sha(old), library.sha(new))


def test_a_submodule_that_the_settings_do_not_allow_is_not_reached_for(
    sandbox: Sandbox, library: Sandbox, opened: Opener
) -> None:
    tree = with_module(sandbox, library)
    repository = opened(sandbox.top, submodule_urls=(f"{library.top}/below",))
    repository.resolve("HEAD")
    with pytest.raises(RefError, match="which the setting submodule_urls does not allow"):
        repository.submodule_commits(tree, PATH, library.sha("HEAD~1"), library.sha("HEAD"))
