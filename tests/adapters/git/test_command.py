import os
import threading
import time
from pathlib import Path

import pytest

from bisector.adapters.git import command
from bisector.adapters.git.command import Git, GitFailed, redact
from bisector.engine.stop import StopSignal
from bisector.errors import Cancelled, EnvironmentFault, UsageError
from tests.helpers.repositories import Sandbox, run_git


def git_in(sandbox: Sandbox, *settings: str, stop: StopSignal | None = None) -> Git:
    """The product's git where the test's repository is; "alias.x=!…" settings stand for commands that misbehave."""
    return Git(directory=sandbox.top, stop=stop or StopSignal(), settings=settings)


def has_ended(pid: int) -> bool:
    """Whether a process ends, which takes the system a moment; a zombie has ended."""
    about = Path(f"/proc/{pid}/stat")
    for _ in range(250):
        try:
            if about.read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.02)
    return False


def test_nothing_of_the_callers_environment_gets_through(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GIT_DIR", "GIT_SSH_COMMAND", "GIT_CONFIG_PARAMETERS", "GIT_EXTERNAL_DIFF", "GIT_PAGER", "SECRET"):
        monkeypatch.setenv(name, "/planted")
    shown = git_in(sandbox, "alias.surroundings=!env").run("surroundings").decode().splitlines()
    seen = dict(line.split("=", 1) for line in shown)
    assert "/planted" not in seen.values()
    assert {name: value for name, value in seen.items() if name in {"HOME", "LC_ALL", "GIT_ALLOW_PROTOCOL"}} == {
        "HOME": "/nonexistent",
        "LC_ALL": "C.UTF-8",
        "GIT_ALLOW_PROTOCOL": "none",
    }
    assert seen["GIT_CONFIG_GLOBAL"] == os.devnull
    assert seen["GIT_ATTR_NOSYSTEM"] == "1"
    assert seen["GIT_CONFIG_NOSYSTEM"] == seen["GIT_NO_REPLACE_OBJECTS"] == seen["GIT_NO_LAZY_FETCH"] == "1"
    assert seen["GIT_TERMINAL_PROMPT"] == seen["GIT_OPTIONAL_LOCKS"] == "0"


def test_a_persons_configuration_is_not_read(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".gitconfig").write_text("[person]\n\tname = them\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert git_in(sandbox).ask("config", "person.name").status == 1
    assert git_in(sandbox).personal().run("config", "person.name") == b"them\n"


def test_a_hook_is_not_run(sandbox: Sandbox) -> None:
    sha = sandbox.commit("first")
    hook = sandbox.top / ".git" / "hooks" / "reference-transaction"
    hook.parent.mkdir()
    hook.write_text(f"#!/bin/sh\ntouch {sandbox.top}/sprung\n")
    hook.chmod(0o755)
    git_in(sandbox).run("update-ref", "refs/heads/new", sha)
    assert not (sandbox.top / "sprung").exists()
    sandbox.git("update-ref", "refs/heads/newer", sha)
    assert (sandbox.top / "sprung").exists()


def test_a_bare_repository_is_not_come_upon_by_chance(sandbox: Sandbox) -> None:
    """A work tree can hold one, with a configuration of its own; only the place a person names may be one."""
    inner = sandbox.top / "data"
    inner.mkdir()
    run_git(inner, "init", "--quiet", "--bare", "--template=")
    assert Git(directory=inner, stop=StopSignal()).ask("rev-parse", "--git-dir").status == 128


def test_input_larger_than_a_pipe_reaches_a_slow_reader(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "POLL", 0.05)
    given = b"x" * 1_000_000
    slow = git_in(sandbox, "alias.slow=!sleep 0.3; wc -c")
    assert slow.run("slow", given=given, limit=20).strip() == b"1000000"


def test_an_error_says_what_git_said_last(sandbox: Sandbox) -> None:
    with pytest.raises(GitFailed) as caught:
        git_in(sandbox).run("cat-file", "-t", "0" * 40)
    assert str(caught.value) == (
        f"git cat-file failed: fatal: git cat-file: could not get object info ({sandbox.top})."
    )
    assert isinstance(caught.value, EnvironmentFault)


def test_only_the_last_lines_are_told_and_their_control_bytes_are_spelt_out(sandbox: Sandbox) -> None:
    lines = "i=0; while [ $i -lt 5000 ]; do echo line $i >&2; i=$((i+1)); done"
    noisy = git_in(sandbox, f"alias.noisy=!{lines}; printf 'red \\033[31m\\n' >&2; echo 'hint: x' >&2; exit 3")
    answer = noisy.ask("noisy")
    assert answer.status == 3
    assert answer.complaint == ("line 4996", "line 4997", "line 4998", "line 4999", "red \\x1b[31m")


def test_a_full_disk_is_told_as_such(sandbox: Sandbox) -> None:
    full = git_in(sandbox, "alias.full=!echo 'fatal: write error: No space left on device' >&2; exit 128")
    with pytest.raises(GitFailed, match="Free some space on the disk"):
        full.run("full")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("unable to access 'https://ann:pa@ss@host.org/x.git/'", "unable to access 'https://***@host.org/x.git/'"),
        ("https://ghp_token@host.org/x", "https://***@host.org/x"),
        ("ssh://git:secret@host.org/x", "ssh://git:***@host.org/x"),
        ("ssh://git@host.org/x and ann@host.org", "ssh://git@host.org/x and ann@host.org"),
    ],
)
def test_credentials_in_addresses_are_not_told(said: str, told: str) -> None:
    assert redact(said) == told


def test_credentials_git_tells_are_not_told_on(sandbox: Sandbox) -> None:
    failing = git_in(sandbox, "alias.failing=!echo fatal: https://ann:secret@host.org/x is gone >&2; exit 1")
    with pytest.raises(GitFailed) as caught:
        failing.run("failing")
    assert "secret" not in str(caught.value)
    assert "https://***@host.org/x is gone" in str(caught.value)


def test_a_command_that_hangs_ends_at_its_limit(sandbox: Sandbox) -> None:
    start = time.monotonic()
    with pytest.raises(GitFailed, match="no end after 1 s"):
        git_in(sandbox, "alias.hang=!sleep 60").run("hang", limit=1)
    assert time.monotonic() - start < 5


def test_being_asked_to_stop_ends_the_command_and_its_children(sandbox: Sandbox) -> None:
    stop = StopSignal()
    noted = sandbox.top / "pid"
    hang = git_in(sandbox, f"alias.hang=!echo $$ > {noted}; sleep 60 & wait", stop=stop)
    timer = threading.Timer(0.5, lambda: stop.set("a test asked"))
    timer.start()
    start = time.monotonic()
    with pytest.raises(Cancelled, match="a test asked"):
        hang.run("hang")
    timer.join()
    assert time.monotonic() - start < 5
    assert has_ended(int(noted.read_text()))


def test_a_stream_stops_when_asked_to(sandbox: Sandbox) -> None:
    stop = StopSignal()
    hang = git_in(sandbox, "alias.hang=!echo begun; sleep 60", stop=stop)
    with hang.stream("hang") as stream:
        assert stream.readline() == b"begun\n"
        stop.set("a test asked")
        with pytest.raises(Cancelled):
            stream.read()


def test_a_stream_whose_command_fails_has_no_end(sandbox: Sandbox) -> None:
    broken = git_in(sandbox, "alias.broken=!printf half; echo fatal: the disk is broken >&2; exit 128")
    with broken.stream("broken") as stream, pytest.raises(GitFailed, match="the disk is broken"):
        stream.read()


def test_a_silent_stream_is_given_up(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "SILENCE", 0.5)
    with (
        git_in(sandbox, "alias.hang=!sleep 60").stream("hang") as stream,
        pytest.raises(GitFailed, match="no output for"),
    ):
        stream.read()


def test_leaving_a_stream_early_ends_its_command(sandbox: Sandbox) -> None:
    noted = sandbox.top / "pid"
    endless = git_in(sandbox, f"alias.endless=!echo $$ > {noted}; exec yes")
    with endless.stream("endless") as stream:
        assert stream.read(4) == b"y\ny\n"
    assert has_ended(int(noted.read_text()))


def test_an_argument_with_a_nul_byte_is_the_requests_fault(sandbox: Sandbox) -> None:
    with pytest.raises(UsageError, match="NUL"):
        git_in(sandbox).run("log", "--", "a\0b")


def test_without_git_the_machine_is_at_fault(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "program", command.program.__wrapped__)
    monkeypatch.setenv("PATH", str(sandbox.top))
    with pytest.raises(EnvironmentFault, match="git is not installed"):
        git_in(sandbox).run("version")
