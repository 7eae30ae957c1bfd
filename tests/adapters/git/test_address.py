"""Repositories behind an address."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from bisector.adapters.git import command
from bisector.adapters.git.address import Address, is_address
from bisector.adapters.git.repository import GitRepository
from bisector.errors import EnvironmentFault, RefError, UsageError
from tests.adapters.git.conftest import Opener
from tests.helpers.repositories import Sandbox


@pytest.mark.parametrize(
    "address",
    [
        "https://example.org/x.git",
        "https://ann:token@example.org:8443/x",
        "ssh://git@example.org:22/x",
        "ssh://[::1]/x",
        "git@example.org:x/y.git",
        "example.org:x",
    ],
)
def test_addresses_over_https_and_ssh_are_taken(address: str) -> None:
    origin = Address(address, {}).origin()
    assert is_address(address)
    assert (origin.url, origin.protocols) == (address, "https:ssh")


@pytest.mark.parametrize(
    "address",
    [
        "ext::sh -c touch% /tmp/x",
        "fd::17/x",
        "--upload-pack=touch x",
        "-oProxyCommand=touch x",
        "ssh://-oProxyCommand=touch/x",
        "ssh://git@-oProxyCommand=touch/x",
        "http://example.org/x",
        "git://example.org/x",
        "file:///etc",
        "https:///x",
        "https://example.org/x\n",
        "https://example.org/\x1b[31m",
        "ssh://example.org/x y",
        "",
    ],
)
def test_no_other_address_reaches_git(address: str, opened: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command.Git, "ask", lambda *_, **__: pytest.fail("git was called"))
    with pytest.raises(UsageError):
        opened(address).resolve("HEAD")


def test_a_path_stays_a_path_whatever_it_looks_like(tmp_path: Path, opened: Opener) -> None:
    sandbox = Sandbox.make(tmp_path / "host:path")
    sha = sandbox.commit("first")
    assert opened(sandbox.top).resolve("HEAD").sha == sha


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("https://ann:secret@example.org/x", "https://example.org/x"),
        ("https://token@example.org/x", "https://example.org/x"),
        ("ssh://git:secret@example.org/x", "ssh://git@example.org/x"),
        ("ssh://git@example.org/x@y", "ssh://git@example.org/x@y"),
        ("git@example.org:x", "git@example.org:x"),
    ],
)
def test_an_address_is_passed_on_without_credentials(address: str, told: str, opened: Opener) -> None:
    assert opened(address).location == told


@pytest.fixture
def ssh(tmp_path: Path) -> Path:
    """A stand-in for ssh that runs on this machine what it is told to run on the other, and keeps a log of it."""
    script = tmp_path / "ssh"
    script.write_text(f'#!/bin/sh\nfor told; do :; done\necho "$told" >> {tmp_path}/log\nexec sh -c "$told"\n')
    script.chmod(0o755)
    return script


@pytest.fixture
def behind(sandbox: Sandbox, ssh: Path, opened: Opener) -> Callable[[], GitRepository]:
    """Opens the sandbox behind an address, each time anew."""
    return lambda: opened(f"ssh://host.example{sandbox.top}", environment={"GIT_SSH_COMMAND": str(ssh), "X": "y"})


def times_called(ssh: Path) -> int:
    """How often the other side was asked for something."""
    log = ssh.parent / "log"
    return len(log.read_text().splitlines()) if log.exists() else 0


Behind = Callable[[], GitRepository]


def test_names_mean_what_they_mean_there(sandbox: Sandbox, behind: Behind, ssh: Path) -> None:
    first, second, third = sandbox.commits("first", "second", "third")
    sandbox.git("tag", "-a", "-m", "x", "v1", second)
    sandbox.git("branch", "topic/x", first)
    repository = behind()
    assert times_called(ssh) == 0
    wanted = {"main": third, "main~1": second, "v1": second, "topic/x": first, third[:10]: third, first: first}
    assert {name: repository.resolve(name).sha for name in wanted} == wanted
    assert times_called(ssh) == 1
    listed = repository.list_history(first, third, every_commit=False, paths=())
    assert [commit.sha for commit in listed.line.candidates] == [second, third]


def test_its_head_is_the_branch_it_names(sandbox: Sandbox, behind: Behind) -> None:
    first, second = sandbox.commits("first", "second")
    sandbox.git("branch", "other", first)
    assert [behind().resolve(name).sha for name in ("HEAD", "HEAD~1", "@")] == [second, first, second]
    sandbox.switch("other")
    assert behind().resolve("HEAD").sha == first


def test_names_are_looked_up_anew_by_whoever_comes_next(sandbox: Sandbox, behind: Behind) -> None:
    first = sandbox.commit("first")
    sandbox.git("branch", "gone")
    assert behind().resolve("main").sha == first
    second = sandbox.commit("second")
    sandbox.git("branch", "--delete", "--force", "gone")
    sandbox.git("branch", "gone/deeper")
    sandbox.git("commit", "--quiet", "--amend", "-m", "rewritten")
    assert behind().resolve("main").sha == sandbox.sha("main") != second
    assert behind().resolve("gone/deeper").sha == second
    with pytest.raises(RefError, match="Perhaps you meant gone/deeper"):
        behind().resolve("gone")


def test_a_commit_that_no_branch_contains_is_brought_by_its_name(sandbox: Sandbox, behind: Behind) -> None:
    _, amended = sandbox.commits("first", "second")
    sandbox.git("commit", "--quiet", "--amend", "-m", "better")
    assert behind().resolve(amended).subject == "second"
    with pytest.raises(RefError, match="is gone"):
        behind().resolve("1" * 40)


def test_a_pinned_commit_needs_no_network(sandbox: Sandbox, behind: Behind, ssh: Path) -> None:
    first, second = sandbox.commits("first", "second")
    behind().pin("job", [first, second])
    ssh.write_text("#!/bin/sh\necho 'host.example: no route' >&2\nexit 255\n")
    assert behind().resolve(first).sha == first
    assert behind().list_history(first, second, every_commit=False, paths=()).line.size == 1
    with pytest.raises(EnvironmentFault, match="no route"):
        behind().resolve("main")


def test_an_address_has_no_work_tree(sandbox: Sandbox, behind: Behind) -> None:
    sandbox.commit("first")
    with pytest.raises(UsageError, match="only a repository on this machine has a work tree"):
        behind().snapshot()


def test_an_empty_repository_behind_an_address_has_no_commit_yet(behind: Behind) -> None:
    for name in ("main", "HEAD"):
        with pytest.raises(RefError, match="no commit yet"):
            behind().resolve(name)


def test_the_address_is_kept_out_of_the_argument_list_and_of_errors(
    opened: Opener, ssh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments: list[str] = []
    started = subprocess.Popen

    def noting(command: list[str], **more: object) -> object:
        arguments.extend(command)
        return started(command, **more)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "Popen", noting)
    ssh.write_text("#!/bin/sh\nexit 255\n")
    repository = opened(f"ssh://git:secret@host.example{tmp_path}", environment={"GIT_SSH_COMMAND": str(ssh)})
    with pytest.raises(EnvironmentFault) as caught:
        repository.resolve("main")
    assert "fetch" in arguments
    assert "secret" not in " ".join(arguments) + str(caught.value)


def test_only_what_reaches_an_address_is_taken_from_the_environment() -> None:
    given = {"GIT_SSH_COMMAND": "ssh -i key", "https_proxy": "http://proxy", "GIT_DIR": "/x", "GIT_EXTERNAL_DIFF": "x"}
    variables = Address("https://example.org/x", given).origin().environment
    assert variables == {"GIT_SSH_COMMAND": "ssh -i key", "https_proxy": "http://proxy"}
