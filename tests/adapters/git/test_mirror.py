"""The mirror in the cache: what it fetches, what it keeps, and what it does not trust."""

import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from bisector.adapters.git import mirror as mirror_module
from bisector.adapters.git.mirror import Mirror
from bisector.core.model.units import Sha
from bisector.engine.stop import StopSignal
from bisector.errors import Cancelled, EnvironmentFault, RefError, UsageError
from tests.adapters.git.conftest import Opener
from tests.adapters.git.mirrors import mirror_in
from tests.helpers.repositories import Node, Sandbox, make_graph, run_git


def forbid_fetching(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on a fetch fails the test."""
    monkeypatch.setattr(mirror_module, "_fetch", lambda *_: pytest.fail("something is fetched"))


def test_a_commit_that_no_branch_points_to_is_fetched(sandbox: Sandbox, opened: Opener) -> None:
    first, second, *_ = sandbox.commits("first", "second", "third", "fourth", "fifth")
    assert opened(sandbox.top).resolve("HEAD~3").sha == second
    assert opened(sandbox.top).resolve(first).sha == first


def test_a_commit_that_only_the_reflog_knows_is_fetched(sandbox: Sandbox, opened: Opener) -> None:
    _, amended = sandbox.commits("first", "second")
    sandbox.git("commit", "--quiet", "--amend", "-m", "better")
    assert sandbox.sha("HEAD") != amended
    assert opened(sandbox.top).resolve(amended).sha == amended


def test_what_is_here_is_not_fetched_again(sandbox: Sandbox, opened: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, third = sandbox.commits("first", "second", "third")
    opened(sandbox.top).resolve("HEAD")
    forbid_fetching(monkeypatch)
    repository = opened(sandbox.top)
    assert [repository.resolve(name).sha for name in ("HEAD", "HEAD~1", first)] == [third, second, first]
    repository.list_history(first, third, every_commit=False, paths=())


def test_even_a_small_history_arrives_whole_or_not_at_all(sandbox: Sandbox, opened: Opener, cache: Path) -> None:
    """As a pack, which is there once all of it is; loose objects come one by one."""
    sandbox.commit("first")
    opened(sandbox.top).resolve("HEAD")
    counted = run_git(mirror_in(cache), "count-objects", "-v").splitlines()
    assert {"count: 0", "packs: 1"} <= set(counted)


def test_a_server_that_gives_out_no_single_commits_is_asked_for_everything(
    sandbox: Sandbox, opened: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tuple(setting for setting in mirror_module._FETCHING if "version" not in setting)
    monkeypatch.setattr(mirror_module, "_FETCHING", (*old, "protocol.version=0"))
    first, second = sandbox.commits("first", "second")
    sandbox.git("commit", "--quiet", "--amend", "-m", "better")
    assert opened(sandbox.top).resolve("HEAD~1").sha == first
    with pytest.raises(RefError, match=f"commit {second} is gone"):
        opened(sandbox.top).resolve(second)


def test_pinned_commits_outlive_collection_and_the_source(sandbox: Sandbox, opened: Opener, cache: Path) -> None:
    first, second, third = sandbox.commits("first", "second", "third")
    repository = opened(sandbox.top)
    for name in (first, second, third):
        repository.resolve(name)
    repository.pin("job-1", [first, second])
    mirror = mirror_in(cache)
    for ref in run_git(mirror, "for-each-ref", "--format=%(refname)", "refs/held").splitlines():
        run_git(mirror, "update-ref", "-d", ref)
    shutil.rmtree(sandbox.top)
    run_git(mirror, "gc", "--quiet", "--prune=now")
    repository = opened(sandbox.top)
    assert repository.resolve(second).subject == "second"
    assert repository.list_history(first, second, every_commit=False, paths=()).line.size == 1
    with repository.archive(repository.resolve(second).tree) as stream:
        assert b"second.txt" in stream.read()
    with pytest.raises(UsageError, match="the repository is not there"):
        repository.resolve(third)
    with pytest.raises(UsageError, match="the repository is not there"):
        repository.resolve("main")


def test_a_linked_work_trees_mirror_is_found_when_it_is_gone(sandbox: Sandbox, opened: Opener) -> None:
    first, _ = sandbox.commits("first", "second")
    linked = sandbox.top.parent / "linked"
    sandbox.git("worktree", "add", "--quiet", "--detach", str(linked), first)
    opened(linked).pin("job", [first])
    shutil.rmtree(linked)
    assert opened(linked).resolve(first).sha == first


def test_unpinning_lets_go_of_the_jobs_own_pins_only(sandbox: Sandbox, opened: Opener, cache: Path) -> None:
    first, second = sandbox.commits("first", "second")
    repository = opened(sandbox.top)
    repository.pin("one", [first, second])
    repository.pin("one", [first])
    repository.pin("two", [first])
    repository.pin("one-more", [second])
    repository.unpin("one")
    repository.unpin("never")
    left = run_git(mirror_in(cache), "for-each-ref", "--format=%(refname)").splitlines()
    assert left == [f"refs/bisector/one-more/{second}", f"refs/bisector/two/{first}"]


def test_unpinning_needs_no_repository(sandbox: Sandbox, opened: Opener, cache: Path) -> None:
    sha = sandbox.commit("first", {"deep/file": "x"})
    opened(sandbox.top / "deep").pin("job", [sha])
    shutil.rmtree(sandbox.top)
    opened(sandbox.top / "deep").unpin("job")
    assert run_git(mirror_in(cache), "for-each-ref") == ""
    opened(sandbox.top / "never").unpin("job")
    opened("https://never.example/x").unpin("job")
    assert len(list((cache / "mirrors").glob("*.git"))) == 2


def test_what_nobody_came_back_for_is_collected(
    sandbox: Sandbox, opened: Opener, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Held for more than a day and never pinned; what another job pinned or holds since is not touched."""
    kept, unpinned, waiting, forgotten = sandbox.commits("kept", "unpinned", "waiting", "forgotten")
    repository = opened(sandbox.top)
    repository.pin("other", [kept])
    repository.pin("job", [unpinned])
    mirror = Mirror(path=mirror_in(cache), stop=StopSignal())
    mirror.bring(opened(sandbox.top)._source.origin(), waiting)
    mirror.bring(opened(sandbox.top)._source.origin(), forgotten)
    mirror.hold_context(kept, [sandbox.tree("HEAD")])
    yesterday = time.time() - 2 * 86_400
    os.utime(mirror.path / "refs" / "held" / forgotten, (yesterday, yesterday))
    for path in (mirror.path / "objects").rglob("*"):
        os.utime(path, (yesterday, yesterday))
    monkeypatch.setattr(mirror_module, "_COLLECTING", (*mirror_module._COLLECTING, "gc.autoPackLimit=1"))
    opened(sandbox.top).unpin("job")
    refs = run_git(mirror.path, "for-each-ref", "--format=%(refname)").splitlines()
    assert refs == [f"refs/bisector/other/{kept}", f"refs/context/{kept}", f"refs/held/{waiting}"]
    assert run_git(mirror.path, "cat-file", "-t", forgotten, fails=True) == ""
    assert run_git(mirror.path, "cat-file", "-t", unpinned) == "commit"
    run_git(mirror.path, "fsck", "--connectivity-only")


def test_pinning_brings_what_is_not_here_any_more(sandbox: Sandbox, opened: Opener, cache: Path) -> None:
    first, second = sandbox.commits("first", "second")
    opened(sandbox.top).pin("job", [first, second])
    shutil.rmtree(cache)
    repository = opened(sandbox.top)
    repository.pin("job", [first, second])
    assert repository.list_history(first, second, every_commit=False, paths=()).line.size == 1


def test_pinning_what_is_nowhere_says_so(sandbox: Sandbox, opened: Opener) -> None:
    sandbox.commit("first")
    with pytest.raises(RefError, match="is gone"):
        opened(sandbox.top).pin("job", [Sha("1" * 40)])


@pytest.mark.parametrize("job", ["", "../x", "a/b", "-x", "a b", "x" * 101, "a.lock"])
def test_a_jobs_name_cannot_leave_its_place(job: str, sandbox: Sandbox, opened: Opener) -> None:
    sha = sandbox.commit("first")
    with pytest.raises(ValueError, match="not the name of a job"):
        opened(sandbox.top).pin(job, [sha])


def test_a_commit_without_its_history_is_not_trusted(sandbox: Sandbox, opened: Opener, cache: Path) -> None:
    """What an interrupted fetch can leave: objects that no ref of the mirror vouches for."""
    first, _, third = sandbox.commits("first", "second", "third")
    opened(sandbox.top).resolve(first)
    alone = sandbox.git("cat-file", "commit", third).encode() + b"\n"
    assert run_git(mirror_in(cache), "hash-object", "-t", "commit", "-w", "--stdin", given=alone) == third
    repository = opened(sandbox.top)
    assert repository.resolve(third).sha == third
    run_git(mirror_in(cache), "fsck", "--connectivity-only")
    with repository.archive(repository.resolve(third).tree) as stream:
        assert b"third.txt" in stream.read()


def test_left_overs_of_a_killed_process_do_no_harm(sandbox: Sandbox, opened: Opener, cache: Path) -> None:
    first, second = sandbox.commits("first", "second")
    opened(sandbox.top).resolve(first)
    mirror = mirror_in(cache)
    left_over = [
        mirror / "packed-refs.lock",
        mirror / "refs" / "held" / f"{second}.lock",
        mirror / "objects" / "pack" / "tmp_pack_x",
        mirror / "objects" / "info" / "commit-graphs" / "commit-graph-chain.lock",
        mirror / "room-old",
    ]
    for path in left_over[:-1]:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    for name in ("room-old", "room-new"):
        (mirror / name).mkdir()
    os.utime(mirror / "room-old", (0, 0))
    assert opened(sandbox.top).resolve("HEAD").sha == second
    assert not any(path.exists() for path in left_over)
    assert (mirror / "room-new").exists()


def test_a_half_made_mirror_is_made_again(sandbox: Sandbox, opened: Opener, cache: Path) -> None:
    sha = sandbox.commit("first")
    opened(sandbox.top).resolve("HEAD")
    mirror = mirror_in(cache)
    mirror.rename(mirror.with_name(f"{mirror.name}.new-x"))
    assert opened(sandbox.top).resolve("HEAD").sha == sha
    assert sorted(path.name for path in mirror.parent.iterdir()) == [mirror.name, f"{mirror.name}.lock"]


WORKER = """
import sys
from dataclasses import replace
from pathlib import Path
from bisector.adapters.git.repository import GitRepository
from bisector.engine.stop import StopSignal
repository = GitRepository(sys.argv[1], Path(sys.argv[2]), StopSignal())
print("ready", flush=True)
repository.resolve(sys.argv[3])
"""


def worker(source: Path, cache: Path, name: str) -> subprocess.Popen[bytes]:
    """Another process that resolves `name`."""
    arguments = [sys.executable, "-c", WORKER, str(source), str(cache), name]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE)


def test_killed_at_any_moment_the_next_process_carries_on(tmp_path: Path, cache: Path, opened: Opener) -> None:
    source = tmp_path / "source.git"
    nodes = [Node((number - 1,) if number else (), {f"f{number % 50}": os.urandom(600)}) for number in range(1000)]
    tip = make_graph(source, nodes)[-1]
    unfinished = 0
    for delay in (0.0, 0.04, 0.08, 0.12):
        with worker(source, cache, tip) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(delay)
            process.send_signal(signal.SIGKILL)
            unfinished += process.wait() != 0
    assert unfinished
    repository = opened(source)
    assert repository.resolve(tip).sha == tip
    run_git(mirror_in(cache), "fsck", "--connectivity-only")
    assert repository.list_history(repository.resolve(f"{tip}~999").sha, tip, every_commit=False, paths=()).line.size


def test_processes_that_start_together_share_one_mirror(sandbox: Sandbox, cache: Path) -> None:
    shas = sandbox.commits("first", "second", "third", "fourth")
    workers = [worker(sandbox.top, cache, sha) for sha in (shas[0], shas[2], "HEAD", "HEAD")]
    for process in workers:
        process.communicate()
    assert [process.returncode for process in workers] == [0] * 4
    held = run_git(mirror_in(cache), "for-each-ref", "--format=%(refname:lstrip=2)").splitlines()
    assert set(held) <= set(shas)
    assert shas[-1] in held


def hold_then_die(path: Path, ready: "multiprocessing.synchronize.Event") -> None:
    """Take the mirror, start a git that goes on for a second, and die without letting go."""
    with (
        Mirror(path=path, stop=StopSignal()).alone() as git,
        replace(git, settings=("alias.slow=!sleep 1",)).stream("slow"),
    ):
        ready.set()
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_git_that_outlives_its_process_keeps_the_mirror(sandbox: Sandbox, opened: Opener, cache: Path) -> None:
    sandbox.commit("first")
    opened(sandbox.top).resolve("HEAD")
    path = mirror_in(cache)
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    process = context.Process(target=hold_then_die, args=(path, ready))
    process.start()
    assert ready.wait(20)
    process.join()
    start = time.monotonic()
    with Mirror(path=path, stop=StopSignal()).alone():
        assert time.monotonic() - start > 0.3


def test_waiting_for_the_mirror_can_be_stopped(sandbox: Sandbox, opened: Opener, cache: Path) -> None:
    sandbox.commit("first")
    opened(sandbox.top).resolve("HEAD")
    stop = StopSignal()
    with Mirror(path=mirror_in(cache), stop=StopSignal()).alone():
        stop.set("a test asked")
        with pytest.raises(Cancelled), Mirror(path=mirror_in(cache), stop=stop).alone():
            pass


def test_waiting_for_the_mirror_has_an_end(
    sandbox: Sandbox, opened: Opener, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.commit("first")
    opened(sandbox.top).resolve("HEAD")
    monkeypatch.setattr(mirror_module, "PATIENCE", 0.0)
    with (
        Mirror(path=mirror_in(cache), stop=StopSignal()).alone(),
        pytest.raises(EnvironmentFault, match="another process"),
        Mirror(path=mirror_in(cache), stop=StopSignal()).alone(),
    ):
        pass


def test_packs_are_joined_before_they_are_many(
    sandbox: Sandbox, opened: Opener, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror_module, "MOST_PACKS", 3)
    for number in range(7):
        sandbox.commit(f"change {number}")
        opened(sandbox.top).resolve("HEAD")
    mirror = mirror_in(cache)
    assert len(list((mirror / "objects" / "pack").glob("*.pack"))) <= 4
    run_git(mirror, "fsck", "--connectivity-only")
    assert len(run_git(mirror, "rev-list", "--all").splitlines()) == 7
