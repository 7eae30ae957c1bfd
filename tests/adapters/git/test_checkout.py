"""Finding the repository, and what people type for commits."""

import os
from pathlib import Path

import pytest

from bisector.adapters.git import command
from bisector.errors import RefError, UsageError
from tests.adapters.git.conftest import Opener
from tests.helpers.repositories import Sandbox, run_git


def test_refs_of_every_kind_are_resolved_to_the_commit(sandbox: Sandbox, opened: Opener) -> None:
    first, second, third = sandbox.commits("first", "second", "third")
    sandbox.git("tag", "-a", "-m", "annotated", "v1", second)
    sandbox.git("tag", "-a", "-m", "a tag of a tag", "v1-again", "v1")
    sandbox.git("branch", "--force", "topic/x", first)
    sandbox.git("checkout", "--quiet", "--detach", third)
    repository = opened(sandbox.top)
    wanted = {
        "HEAD": third,
        "@": third,
        "main": third,
        "main~2": first,
        "HEAD^": second,
        "v1": second,
        "v1-again^{}": second,
        "topic/x": first,
        "refs/heads/topic/x": first,
        ":/second": second,
        "HEAD^{/first}": first,
        third[:9]: third,
        third.upper(): third,
        sandbox.sha("refs/tags/v1"): second,
        second: second,
    }
    assert {name: repository.resolve(name).sha for name in wanted} == wanted


def test_a_resolved_commit_is_told_as_git_tells_it(sandbox: Sandbox, opened: Opener) -> None:
    sandbox.commit("first")
    sandbox.branch("side", "HEAD")
    side = sandbox.commit("on the side")
    sandbox.switch("main")
    first = sandbox.commit("second")
    merge = sandbox.merge("side", subject="the subject\n of two lines\n\nand the rest")
    found = opened(sandbox.top).resolve("main")
    assert (found.sha, found.tree, found.parents) == (merge, sandbox.tree("main"), (first, side))
    assert (found.time, found.author, found.subject) == (sandbox.now, "Ann Author", "the subject  of two lines")


@pytest.mark.parametrize(
    "name", ["nonsense", "", "^main", "main..side", "--all", "main side", "x\ny", "0" * 40, "a\0b"]
)
def test_what_names_no_commit_is_refused(name: str, sandbox: Sandbox, opened: Opener) -> None:
    sandbox.commits("first", "second")
    sandbox.git("branch", "side")
    with pytest.raises(RefError, match="names no commit"):
        opened(sandbox.top).resolve(name)


def test_a_misspelt_name_gets_a_suggestion(sandbox: Sandbox, opened: Opener) -> None:
    sandbox.commit("first")
    sandbox.git("tag", "release-1.2")
    with pytest.raises(RefError) as caught:
        opened(sandbox.top).resolve("relaese-1.2")
    assert str(caught.value) == f"'relaese-1.2' names no commit ({sandbox.top}). Perhaps you meant release-1.2."
    with pytest.raises(RefError, match="Check the spelling, or fetch it first"):
        opened(sandbox.top).resolve("origin/something-else-entirely")


def test_going_back_too_far_is_told_as_that(sandbox: Sandbox, opened: Opener) -> None:
    sandbox.commits("first", "second")
    with pytest.raises(RefError, match="'main' does, but its history does not reach that far"):
        opened(sandbox.top).resolve("main~2")


@pytest.mark.parametrize(("name", "kind"), [("HEAD^{tree}", "tree"), ("HEAD:first.txt", "blob"), ("of-a-tree", "tag")])
def test_a_name_of_something_else_is_told_as_that(name: str, kind: str, sandbox: Sandbox, opened: Opener) -> None:
    sandbox.commit("first")
    sandbox.git("tag", "-a", "-m", "x", "of-a-tree", "HEAD^{tree}")
    with pytest.raises(RefError, match=f"names a {kind}, not a commit"):
        opened(sandbox.top).resolve(name)


def test_a_ref_that_looks_like_an_option_is_a_ref(sandbox: Sandbox, opened: Opener, tmp_path: Path) -> None:
    first, _ = sandbox.commits("first", "second")
    trap = tmp_path / "trap"
    names = [f"--upload-pack=touch${{IFS}}{trap}", "-x", "--all"]
    for name in names:
        sandbox.git("update-ref", f"refs/heads/{name}", first)
    assert [opened(sandbox.top).resolve(name).sha for name in names] == [first] * 3
    assert not trap.exists()


@pytest.mark.parametrize("place", ["", ".git", "deep/er", ".git/../deep"])
def test_the_repository_is_found_from_within(place: str, sandbox: Sandbox, opened: Opener) -> None:
    sha = sandbox.commit("first", {"deep/er/file": "x"})
    repository = opened(sandbox.top / place)
    assert (repository.resolve("HEAD").sha, repository.location) == (sha, str(sandbox.top))


def test_a_relative_place_is_taken_from_the_working_directory(
    sandbox: Sandbox, opened: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    sha = sandbox.commit("first", {"deep/file": "x"})
    monkeypatch.chdir(sandbox.top / "deep")
    repository = opened(".")
    assert (repository.resolve("HEAD").sha, repository.location) == (sha, str(sandbox.top))


def test_every_work_tree_of_a_repository_shares_one_mirror(sandbox: Sandbox, opened: Opener, cache: Path) -> None:
    first, second = sandbox.commits("first", "second")
    sandbox.git("worktree", "add", "--quiet", "--detach", "../linked", first)
    linked = opened(sandbox.top.parent / "linked")
    assert linked.resolve("HEAD").sha == first
    assert linked.location == str(sandbox.top.parent / "linked")
    assert opened(sandbox.top).resolve("HEAD").sha == second
    assert len([path for path in (cache / "mirrors").glob("*.git") if not path.is_symlink()]) == 1


def test_a_bare_repository_will_do(sandbox: Sandbox, opened: Opener, tmp_path: Path) -> None:
    sha = sandbox.commit("first")
    sandbox.git("clone", "--quiet", "--bare", ".", str(tmp_path / "bare.git"))
    repository = opened(tmp_path / "bare.git")
    assert (repository.resolve("main").sha, repository.location) == (sha, str(tmp_path / "bare.git"))
    with pytest.raises(UsageError, match="no work tree"):
        repository.snapshot()
    with pytest.raises(UsageError, match="no git repository"):
        opened(tmp_path / "bare.git" / "objects").resolve("main")


def test_a_git_file_is_followed(sandbox: Sandbox, opened: Opener, tmp_path: Path) -> None:
    sha = sandbox.commit("first")
    (sandbox.top / ".git").rename(tmp_path / "elsewhere")
    (sandbox.top / ".git").write_text("gitdir: ../elsewhere\n")
    assert opened(sandbox.top).resolve("HEAD").sha == sha


def test_an_empty_repository_has_no_commit_yet(sandbox: Sandbox, opened: Opener) -> None:
    with pytest.raises(RefError, match="no commit yet"):
        opened(sandbox.top).resolve("HEAD")


@pytest.mark.parametrize("place", [".", "file", "missing"])
def test_no_repository_is_told_as_that(place: str, tmp_path: Path, opened: Opener) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match=r"no git repository|is not there") as caught:
        opened(tmp_path / place).resolve("HEAD")
    assert str(tmp_path) in str(caught.value)


def test_a_repository_git_cannot_read_is_told_in_gits_words(sandbox: Sandbox, opened: Opener) -> None:
    sandbox.commit("first")
    (sandbox.top / ".git" / "config").write_text("[core\n")
    with pytest.raises(UsageError, match=r"cannot be read: fatal: bad config line 1"):
        opened(sandbox.top).resolve("HEAD")


def test_another_repository_in_the_environment_is_not_looked_at(
    sandbox: Sandbox, opened: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a hook, where git says which repository it is about."""
    first, second = sandbox.commits("first", "second")
    other = Sandbox.make(tmp_path / "other")
    other.commit("other")
    for name in ("GIT_DIR", "GIT_COMMON_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY"):
        monkeypatch.setenv(name, str(other.top / ".git"))
    repository = opened(sandbox.top)
    assert repository.resolve("HEAD").parents == (first,)
    assert repository.list_history(first, second, every_commit=False, paths=()).line.base.subject == "first"
    assert repository.snapshot() == sandbox.tree("HEAD")


def test_a_shallow_clone_is_refused_with_what_deepens_it(sandbox: Sandbox, opened: Opener, tmp_path: Path) -> None:
    sandbox.commits("first", "second", "third")
    shallow = tmp_path / "shallow clone"
    sandbox.git("clone", "--quiet", "--depth=2", f"file://{sandbox.top}", str(shallow))
    with pytest.raises(RefError, match="shallow") as caught:
        opened(shallow).resolve("HEAD")
    told = caught.value.then.split("`")[1]
    assert told == f"git -C '{shallow}' fetch --unshallow"
    os.system(told)
    assert opened(shallow).resolve("HEAD~2").sha == sandbox.sha("main~2")


def test_replace_refs_and_grafts_change_nothing(sandbox: Sandbox, opened: Opener) -> None:
    first, second, third, fourth = sandbox.commits("first", "second", "third", "fourth")
    sandbox.git("replace", "--graft", fourth, first)
    (sandbox.top / ".git" / "info").mkdir(exist_ok=True)
    (sandbox.top / ".git" / "info" / "grafts").write_text(f"{third} {first}\n")
    assert sandbox.sha("HEAD~1") == first
    repository = opened(sandbox.top)
    assert [repository.resolve(f"HEAD~{back}").sha for back in range(4)] == [fourth, third, second, first]
    listed = repository.list_history(first, fourth, every_commit=False, paths=())
    assert [commit.sha for commit in listed.line.candidates] == [second, third, fourth]


def assume_another_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    """git's own switch for its tests: every repository it finds belongs to somebody else."""
    monkeypatch.setitem(command._ENVIRONMENT, "GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")


def test_another_users_repository_is_refused_until_the_person_trusts_it(
    sandbox: Sandbox, opened: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sha = sandbox.commit("first", {"deep/file": "x"})
    assume_another_owner(monkeypatch)
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(UsageError, match="belongs to another user") as caught:
        opened(sandbox.top / "deep").resolve("HEAD")
    advice = caught.value.then.partition(": ")[2]
    assert advice == f"git config --global --add safe.directory {sandbox.top}"
    run_git(tmp_path, *advice.split()[1:], HOME=str(tmp_path), GIT_CONFIG_GLOBAL=str(tmp_path / ".gitconfig"))
    repository = opened(sandbox.top / "deep")
    assert repository.resolve("HEAD").sha == sha
    assert repository.snapshot() == sandbox.tree("HEAD")


def test_trusting_one_repository_is_not_trusting_another(
    sandbox: Sandbox, opened: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.commit("first")
    assume_another_owner(monkeypatch)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".gitconfig").write_text("[safe]\n\tdirectory = /somewhere/else\n")
    with pytest.raises(UsageError, match="belongs to another user"):
        opened(sandbox.top).resolve("HEAD")
