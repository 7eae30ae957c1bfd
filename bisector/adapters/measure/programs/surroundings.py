"""What is around a run: directories an earlier one filled, processes it left behind, kills for want of memory."""

import contextlib
import itertools
import os
import resource
import signal
import time

REST_MUST_END_WITHIN = 5.0


def read_small(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return file.read(1 << 16).decode("utf-8", "replace")
    except OSError:
        return ""


def flatten(top: int, name: str, counter: "itertools.count[int]") -> None:
    """Move the directories in `name` up to `top` and remove the rest of it: no depth of nesting can exhaust us."""
    os.chmod(name, 0o700, dir_fd=top)
    fd = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=top)
    try:
        for entry in os.listdir(fd):
            try:
                os.unlink(entry, dir_fd=fd)
            except IsADirectoryError:
                os.chmod(entry, 0o700, dir_fd=fd)
                moved = next(name for name in map(".moved-{}".format, counter) if not exists_below(top, name))
                os.rename(entry, moved, src_dir_fd=fd, dst_dir_fd=top)
    finally:
        os.close(fd)
    os.rmdir(name, dir_fd=top)


def exists_below(top: int, name: str) -> bool:
    try:
        os.lstat(name, dir_fd=top)
    except FileNotFoundError:
        return False
    return True


def make_fresh(path: str) -> None:
    with contextlib.suppress(FileExistsError):
        os.mkdir(path, 0o700)
    top = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    counter = itertools.count()
    try:
        names = os.listdir(top)
        while names:
            for name in names:
                try:
                    os.unlink(name, dir_fd=top)
                except IsADirectoryError:
                    flatten(top, name, counter)
            names = os.listdir(top)
    finally:
        os.close(top)


def children(pid: int) -> "list[int]":
    found = []  # type: list[int]
    try:
        tasks = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return found
    for task in tasks:
        found += map(int, read_small(f"/proc/{pid}/task/{task}/children").split(" ")[:-1])
    return found


def resident(pid: int) -> int:
    """Resident memory of a process and its descendants; pages they share are counted once for each."""
    words = read_small(f"/proc/{pid}/statm").split()
    own = int(words[1]) * resource.getpagesize() if len(words) > 1 else 0
    return own + sum(map(resident, children(pid)))


def resident_exactly(pid: int) -> int:
    """The same with shared pages shared out, and without files mapped, which the kernel can drop. Slower."""
    own = 0
    for line in read_small(f"/proc/{pid}/smaps_rollup").splitlines():
        if line.startswith(("Pss_Anon:", "Pss_Shmem:")):
            own += 1024 * int(line.split()[1])
    return own + sum(map(resident_exactly, children(pid)))


def under_our_init() -> bool:
    """Whether process 1 is this program as `init`: only then may everything else be killed."""
    words = read_small("/proc/1/cmdline").split("\0")[:-1]
    ours = len(words) > 1 and words[-1] == "init" and os.path.basename(words[-2]).startswith("measure")
    return ours and os.getpid() != 1


def others_in_container() -> int:
    count = 0
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) not in (1, os.getpid()):
            state = read_small(f"/proc/{name}/stat").rpartition(") ")[2][:1]
            count += state not in ("", "Z", "X")
    return count


def end_container() -> int:
    with contextlib.suppress(OSError):
        os.kill(-1, signal.SIGKILL)
    return others_in_container()


def end_children() -> int:
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return 0
    pids = children(os.getpid())
    for pid in pids:
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)
    return len(pids) or 1


def end_the_rest(group: int, *, container: bool) -> int:
    """End whatever the command left running, also what left its group or session; how many cannot be ended."""
    kill_group(group, signal.SIGKILL)
    limit = time.monotonic() + REST_MUST_END_WITHIN
    while True:
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0] > 0:
                pass
        left = end_container() if container else end_children()
        if left == 0 or time.monotonic() > limit:
            return left
        time.sleep(0.001)


def kill_group(group: int, number: int) -> None:
    with contextlib.suppress(OSError):
        os.kill(-group, number)


def oom_kills() -> int:
    """How often a process of this container was killed for want of memory, so far; -1 where that is not to be had."""
    for path in ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control"):
        for line in read_small(path).splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
    return -1
