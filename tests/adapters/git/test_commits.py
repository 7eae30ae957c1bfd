"""Both ways of reading a commit say the same."""

import pytest

from bisector.adapters.git import commits
from bisector.core.model.units import Sha, parse_sha
from tests.adapters.git.conftest import git_on
from tests.helpers.repositories import Sandbox

MESSAGES = [
    "one line",
    "one line\n\nand a body\n",
    "\n\n  \nblank lines first\n",
    "a subject\nof  two lines \t\n \nbody",
    "caf\u00e9 \u2014 \U0001f422",
    "",
    "\n",
    "trailing   ",
    "  leading",
    "x" * 3000,
]


@pytest.mark.parametrize("message", MESSAGES)
def test_gitpython_and_git_agree(message: str, sandbox: Sandbox) -> None:
    first = sandbox.commit("first")
    second = sandbox.commit("second")
    arguments = ("commit-tree", "-p", first, "-p", second, sandbox.tree("HEAD"))
    sha = parse_sha(sandbox.git(*arguments, given=message.encode(), GIT_AUTHOR_NAME="Zo\u00eb  O'Neil, Jr. "))
    git = git_on(sandbox.top / ".git")
    found = commits._by_gitpython(git, sha)
    assert found is not None
    assert found == commits._listed(git, "--no-walk", sha)[0] == commits.read_commit(git, sha)
    assert found.parents == (first, second)


def test_a_commit_gitpython_cannot_find_is_none_of_its(sandbox: Sandbox) -> None:
    sandbox.commit("first")
    assert commits._by_gitpython(git_on(sandbox.top / ".git"), Sha("1" * 40)) is None
