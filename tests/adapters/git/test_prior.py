"""What each candidate changes, as far as it says beforehand how likely it is."""

from pathlib import Path

import pytest

from bisector.adapters.git import history
from bisector.core.model.history import Line
from bisector.core.model.units import Sha
from bisector.errors import UsageError
from tests.adapters.git.conftest import git_on
from tests.helpers.repositories import Sandbox


def listed(made: Sandbox, good: Sha, *, suspects: tuple[str, ...] = ()) -> Line:
    return history.list_history(
        git_on(made.top / ".git"), good, made.sha("HEAD"), every_commit=False, paths=(), suspects=suspects
    ).line


def test_sizes_and_commits_that_change_nothing_that_runs(tmp_path: Path) -> None:
    made = Sandbox.make(tmp_path)
    good = made.commit("start", {"a.py": "", "README.md": ""})
    made.commit("docs", {"README.md": "x", "docs/deep/page.html": "x"})
    made.commit("both", {"README.md": "y", "a.py": "y"})
    made.commit("nothing", {})
    made.branch("side", "HEAD")
    made.commit("in the branch", {"docs/more.txt": "x", "b.py": "x", "c.py": "x"})
    made.switch("main")
    made.merge("side")
    line = listed(made, good)
    assert line.sizes == (2, 2, 0, 3)
    assert line.idle == frozenset({1})


def test_a_file_that_is_removed_or_oddly_named_counts(tmp_path: Path) -> None:
    made = Sandbox.make(tmp_path)
    good = made.commit("start", {"a b.py": "", "ä\n:c.md": "1"})
    made.commit("odd", {"ä\n:c.md": "2"})
    made.git("rm", "--quiet", "a b.py")
    made.now += 60
    made.git("commit", "--quiet", "-m", "removed")
    line = listed(made, good)
    assert line.sizes == (1, 1)
    assert line.idle == frozenset({1})


def test_suspects_are_those_that_touch_the_paths(tmp_path: Path) -> None:
    made = Sandbox.make(tmp_path)
    good = made.commit("start", {"a.py": "", "lib/b.py": ""})
    made.commit("one", {"lib/b.py": "1"})
    made.commit("two", {"a.py": "1"})
    assert listed(made, good, suspects=("lib",)).suspected == frozenset({1})
    assert listed(made, good).suspected == frozenset()
    nobody = listed(made, good, suspects=("elsewhere",))
    assert nobody.notes == ("no candidate touches what is suspected",)


def test_a_suspect_that_git_does_not_understand_is_said(tmp_path: Path) -> None:
    made = Sandbox.make(tmp_path)
    good = made.commit("start")
    made.commit("one")
    with pytest.raises(UsageError, match="does not understand the paths"):
        listed(made, good, suspects=(":(nonsense)x",))
