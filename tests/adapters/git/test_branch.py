"""The commits a merge brought in."""

from pathlib import Path

import pytest

from bisector.adapters.git import branch
from bisector.adapters.git.branch import list_branch
from bisector.core.model.history import Line
from bisector.core.model.units import Sha
from bisector.errors import EnvironmentFault, RefError
from tests.adapters.git.conftest import Opener, git_on
from tests.adapters.git.mirrors import mirror_in
from tests.helpers.repositories import Node, Sandbox, make_graph, run_git


def listed(sandbox: Sandbox, merge: Sha, *, in_context: bool = True) -> tuple[Line, int]:
    """The listing, straight from the test's repository."""
    return list_branch(git_on(sandbox.top / ".git"), merge, in_context=in_context)


def content(sandbox: Sandbox, tree: str) -> dict[str, str]:
    """The files of a tree."""
    names = sandbox.git("ls-tree", "-r", "--name-only", tree).splitlines()
    return {name: sandbox.git("cat-file", "blob", f"{tree}:{name}") for name in names}


def test_inner_commits_are_put_on_top_of_the_first_parent(sandbox: Sandbox) -> None:
    """The branch forks at the start, the line goes on: what is judged is the line with a part of the branch in it."""
    sandbox.commit("start", {"line": "1\n", "branch": "0\n"})
    sandbox.branch("side", "HEAD")
    inner = [sandbox.commit(f"inner {number}", {"branch": f"{number}\n"}) for number in (1, 2)]
    sandbox.switch("main")
    sandbox.commit("line 2", {"line": "2\n"})
    parent = sandbox.commit("line 3", {"line": "3\n"})
    merge = sandbox.merge("side")
    line, conflicts = listed(sandbox, merge)
    assert (line.base.sha, [commit.sha for commit in line.candidates], conflicts) == (parent, [*inner, merge], 0)
    assert line.links == ()
    assert [content(sandbox, tree) for tree in line.trees] == [
        {"line": "3", "branch": "0"},
        {"line": "3", "branch": "1"},
        {"line": "3", "branch": "2"},
        {"line": "3", "branch": "2"},
    ]
    assert line.unchanged.tolist() == [False, False, True]


def test_on_its_own_the_branch_is_as_it_was_made(sandbox: Sandbox) -> None:
    fork = sandbox.commit("start", {"line": "1\n", "branch": "0\n"})
    sandbox.branch("side", "HEAD")
    inner = [sandbox.commit(f"inner {number}", {"branch": f"{number}\n"}) for number in (1, 2)]
    sandbox.switch("main")
    sandbox.commit("line 2", {"line": "2\n"})
    merge = sandbox.merge("side")
    line, conflicts = listed(sandbox, merge, in_context=False)
    assert (line.base.sha, [commit.sha for commit in line.candidates], conflicts) == (fork, inner, 0)
    assert line.trees == tuple(sandbox.tree(sha) for sha in (fork, *inner))
    assert line.links == ()


def test_what_conflicts_has_no_tree_and_is_counted(sandbox: Sandbox) -> None:
    sandbox.commit("start", {"file": "0\n", "other": "0\n"})
    sandbox.branch("side", "HEAD")
    sandbox.commit("clashes", {"file": "side\n"})
    sandbox.commit("clashes still", {"other": "1\n"})
    sandbox.commit("agrees", {"file": "main\n"})
    sandbox.switch("main")
    sandbox.commit("line", {"file": "main\n"})
    merge = sandbox.merge("side")
    line, conflicts = listed(sandbox, merge)
    assert ([tree != "" for tree in line.trees], conflicts) == ([True, False, False, True, True], 2)


def test_a_merge_that_is_more_than_its_parts_comes_last_with_its_own_tree(sandbox: Sandbox) -> None:
    sandbox.commit("start", {"file": "0\n"})
    sandbox.branch("side", "HEAD")
    sandbox.commit("inner", {"inner": "1\n"})
    sandbox.switch("main")
    sandbox.commit("line", {"line": "1\n"})
    sandbox.git("merge", "--quiet", "--no-ff", "--no-commit", "side")
    merge = sandbox.commit("evil", {"file": "slipped in\n"})
    line, _ = listed(sandbox, merge)
    assert (line.commit(2).sha, line.trees[2]) == (merge, sandbox.tree(merge))
    assert line.trees[2] != line.trees[1]


def test_a_branch_that_merged_the_line_meanwhile_is_still_straight(sandbox: Sandbox) -> None:
    """What it merged is the line's own, so it is no candidate; the merge that did so is one."""
    sandbox.commit("start")
    sandbox.branch("side", "HEAD")
    one = sandbox.commit("one")
    sandbox.switch("main")
    sandbox.commit("line")
    sandbox.switch("side")
    back = sandbox.merge("main", subject="catch up")
    two = sandbox.commit("two")
    sandbox.switch("main")
    sandbox.commit("line again")
    merge = sandbox.merge("side")
    line, _ = listed(sandbox, merge)
    assert [commit.sha for commit in line.candidates] == [one, back, two, merge]
    assert line.links == ()
    assert "line again.txt" in content(sandbox, line.trees[1])
    assert line.unchanged.tolist() == [False, True, False, True]


def test_branches_within_the_branch_are_a_graph(tmp_path: Path) -> None:
    parents = [(), (0,), (0,), (2,), (2,), (3, 4), (1, 5)]
    shas = make_graph(tmp_path, [Node(links, {f"f{n}": b"x"}, 1_600_000_000 + n) for n, links in enumerate(parents)])
    line, _ = list_branch(git_on(tmp_path), shas[6], in_context=True)
    order = [shas.index(commit.sha) for commit in line.candidates]
    assert (order[0], set(order[1:3]), order[3:]) == (2, {3, 4}, [5, 6])
    assert line.links[0] == ()
    assert line.links[1] == line.links[2] == (1,)
    assert set(line.links[3]) == {2, 3}
    assert line.links[4] == (4,)


def test_an_octopus_brings_in_all_its_arms(tmp_path: Path) -> None:
    """1 is the line; 2, 3-4 and 5-6-7 are merged by 8."""
    parents = [(), (0,), (0,), (0,), (3,), (0,), (5,), (6,), (1, 2, 4, 7)]
    shas = make_graph(tmp_path, [Node(links, {f"f{n}": b"x"}, 1_600_000_000 + n) for n, links in enumerate(parents)])
    line, conflicts = list_branch(git_on(tmp_path), shas[8], in_context=True)
    order = [shas.index(commit.sha) for commit in line.candidates]
    assert (sorted(order), order[-1], conflicts) == ([2, 3, 4, 5, 6, 7, 8], 8, 0)
    assert {order[link - 1] for link in line.links[-1]} == {2, 4, 7}
    alone, _ = list_branch(git_on(tmp_path), shas[8], in_context=False)
    assert [shas.index(commit.sha) for commit in alone.candidates] == [5, 6, 7]
    assert (alone.base.sha, alone.links) == (shas[0], ())
    assert alone.notes == (f"{shas[8][:12]} joined 3 branches: only that of {shas[7][:12]}, the largest, is listed",)


def test_a_merge_of_what_was_there_brings_in_itself_only(tmp_path: Path) -> None:
    shas = make_graph(tmp_path, [Node(), Node((0,)), Node((1, 0), {"new": b"x"})])
    line, conflicts = list_branch(git_on(tmp_path), shas[2], in_context=True)
    assert (line.base.sha, [commit.sha for commit in line.candidates], line.links) == (shas[1], [shas[2]], ())
    assert conflicts == 0


def test_another_history_can_be_brought_in(tmp_path: Path) -> None:
    shas = make_graph(tmp_path, [Node((), {"a": b"x"}), Node((), {"b": b"x"}), Node((0, 1), {"b": b"x"})])
    line, conflicts = list_branch(git_on(tmp_path), shas[2], in_context=True)
    assert ([commit.sha for commit in line.candidates], conflicts) == ([shas[1], shas[2]], 0)
    assert line.unchanged.tolist() == [False, True]


def test_a_change_follows_its_file_to_its_new_name(sandbox: Sandbox) -> None:
    lines = [f"line {number}\n" for number in range(30)]
    sandbox.commit("start", {"old": "".join(lines)})
    sandbox.branch("side", "HEAD")
    sandbox.commit("inner", {"old": "".join([*lines[:-1], "changed\n"])})
    sandbox.switch("main")
    sandbox.git("mv", "old", "new")
    sandbox.commit("rename", {})
    line, conflicts = listed(sandbox, sandbox.merge("side"))
    assert conflicts == 0
    assert content(sandbox, line.trees[1])["new"].endswith("changed")


def test_what_is_no_merge_brought_in_nothing(sandbox: Sandbox) -> None:
    _, sha = sandbox.commits("first", "second")
    with pytest.raises(RefError, match="is not a merge"):
        listed(sandbox, sha)


def test_of_a_huge_branch_only_the_first_parents_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parents = [(), (0,), (0,), (2,), (2,), (3, 4), (5,), (1, 6)]
    shas = make_graph(tmp_path, [Node(links, {f"f{n}": b"x"}, 1_600_000_000 + n) for n, links in enumerate(parents)])
    monkeypatch.setattr(branch, "LARGEST_BRANCH", 4)
    line, _ = list_branch(git_on(tmp_path), shas[7], in_context=True)
    assert [shas.index(commit.sha) for commit in line.candidates] == [2, 3, 5, 6, 7]
    assert line.links == ()
    assert line.notes == ("the branch has more than 4 commits: only its first-parent line is listed",)
    monkeypatch.setattr(branch, "LARGEST_GRAPH", 4)
    alone, _ = list_branch(git_on(tmp_path), shas[7], in_context=False)
    assert [shas.index(commit.sha) for commit in alone.candidates] == [2, 3, 5, 6]


def test_trees_made_for_a_context_outlive_collection(sandbox: Sandbox, opened: Opener, cache: Path) -> None:
    sandbox.commit("start", {"line": "1\n"})
    sandbox.branch("side", "HEAD")
    sandbox.commits("inner one", "inner two")
    sandbox.switch("main")
    sandbox.commit("line", {"line": "2\n"})
    repository = opened(sandbox.top)
    merge = repository.resolve(sandbox.merge("side")).sha
    line, _ = repository.list_branch(merge, in_context=True)
    repository.pin("job", [merge])
    run_git(mirror_in(cache), "gc", "--quiet", "--prune=now")
    for tree in line.trees:
        with repository.archive(tree) as stream:
            assert b"line" in stream.read()
    assert repository.resolve(merge).sha == merge


def test_an_old_git_is_told_as_that(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox.commit("start")
    sandbox.branch("side", "HEAD")
    sandbox.commit("inner")
    sandbox.switch("main")
    sandbox.commit("line")
    merge = sandbox.merge("side")
    monkeypatch.setattr(branch, "_MERGE", ("merge-tree", "--no-such-option"))
    with pytest.raises(EnvironmentFault, match=r"cannot merge without a work tree.*git 2\.39"):
        listed(sandbox, merge)
