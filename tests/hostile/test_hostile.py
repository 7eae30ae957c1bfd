"""The whole tool over a hostile history: the exact answer, and a machine that is as it was."""

import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.installs import BASE_IMAGE, Done, Install, install_at, need_engine
from tests.helpers.repositories import Sandbox
from tests.hostile.history import BOMBS, DEEDS, MODULES, OUTCOMES, SCRIPT, make_history, write_scenario

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("hostile")]


def digests(top: Path) -> dict[str, str]:
    """Every file below `top` with what is in it."""
    paths = (Path(directory) / name for directory, _, names in os.walk(top) for name in names)
    return {os.fspath(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths if path.is_file()}


def running(mark: Path) -> list[str]:
    """Processes that have `mark` in their command line."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes()
        except OSError:
            continue
        if os.fsencode(mark) in line and str(os.getpid()) != path.parent.name:
            found.append(line.decode(errors="replace"))
    return found


@contextlib.contextmanager
def unharmed(top: Path) -> Iterator[None]:
    """In the end what lies below `top` is as it was, and no process is left that has to do with it."""
    files = digests(top)
    yield
    assert digests(top) == files
    assert not Path("/tmp/hostile").exists()
    assert not Path("/etc/hostile").exists()
    assert running(top.parent) == []


def searched(install: Install, top: Path, deeds: dict[str, str], runner: str) -> tuple[Sandbox, Done]:
    """A bisect of a history of such commits."""
    top.mkdir()
    repository = make_history(top / "repository", deeds)
    scenario = write_scenario(top / "scenario", BASE_IMAGE, "fenced" if runner == "docker" else "open")
    ends = ("good", "main", "--repo", repository.top, "--scenario", scenario)
    with unharmed(top):
        return repository, install.bisect(*ends, "--runner", runner, "--no-profile")


def check(repository: Sandbox, done: Done, deeds: dict[str, str]) -> None:
    """Nobody is named who could not be tested, each for its reason; what strangers wrote runs nowhere."""
    assert (done.code, done.result["verdict"]) == (0, "culprit_set"), done.out + done.err
    (found,) = done.result["culprits"]
    assert len(found["set"]) == len(deeds) + 1
    assert [each["outcome"] for each in done.result["untestable"]] == [OUTCOMES[name] for name in deeds]
    # A run that got out of its box would have told a hundred times as much.
    assert [done.result["ends"][end]["median"] for end in ("good", "bad")] == [1.0, 2.0]
    report = next(each["path"] for each in done.result["artifacts"] if each["kind"] == "report")
    assert SCRIPT not in Path(report).read_text()
    assert "\x1b[31m" not in done.out + done.err
    assert repository.git("status", "--porcelain") == ""


@pytest.mark.docker
def test_in_docker_no_commit_gets_out_of_its_box(tmp_path: Path) -> None:
    need_engine()
    deeds = {**DEEDS, **BOMBS}
    with install_at(tmp_path / "install", engine=True) as install:
        check(*searched(install, tmp_path / "mine", deeds, "docker"), deeds)


@pytest.mark.long
def test_on_this_machine_what_hangs_or_says_nothing_is_ended_and_blames_nobody(tmp_path: Path) -> None:
    with install_at(tmp_path / "install") as install:
        check(*searched(install, tmp_path / "mine", DEEDS, "local"), DEEDS)


def test_a_history_that_harms_who_unpacks_it_is_not_taken(tmp_path: Path) -> None:
    top = tmp_path / "mine"
    top.mkdir()
    repository = make_history(top / "repository", {})
    repository.commit("modules", {".gitmodules": MODULES})
    with install_at(tmp_path / "install") as install, unharmed(top):
        done = install.bisect("good", "main", "--repo", repository.top, "--runner", "local", "--", "true")
    assert done.code == 5
    assert "could harm whoever unpacks it" in done.err
    assert SCRIPT not in done.err


@pytest.mark.parametrize(
    "name", ["--upload-pack=touch /tmp/hostile", "-x", "ext::sh -c touch% /tmp/hostile", "a\x1b[31m"]
)
def test_a_commit_with_a_name_like_an_option_is_an_unknown_commit(tmp_path: Path, name: str) -> None:
    top = tmp_path / "mine"
    top.mkdir()
    repository = make_history(top / "repository", {})
    with install_at(tmp_path / "install") as install, unharmed(top):
        done = install.bisect("--repo", repository.top, "--runner", "local", "--", "good", name, "true")
    assert done.code in {2, 5}
    assert "\x1b" not in done.out + done.err
    assert "Traceback" not in done.err
