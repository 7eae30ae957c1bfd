"""The record: what came of the run, its output and the files asked for."""

import errno
import os
import stat

from bisector.adapters.measure.programs.order import Order, Run

STDOUT_KEPT = 1 << 20
STDERR_KEPT = 1 << 16
FILE_LIMIT = 16 << 20
SIZE_OF = "size:"


def tail(fd: int, kept: int) -> bytes:
    size = os.fstat(fd).st_size
    os.lseek(fd, max(0, size - kept), os.SEEK_SET)
    with open(fd, "rb", closefd=False) as file:
        return file.read(min(size, kept))


def open_below(at: int, name: str) -> int:
    """Open `name` below directory `at` without following a link anywhere on the way."""
    *parts, last = name.split("/")
    fd = os.dup(at)
    try:
        for part in parts:
            below = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=fd)
            os.close(fd)
            fd = below
        return os.open(last, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=fd)
    finally:
        os.close(fd)


def bytes_of(path: str) -> int:
    """The bytes of a file, or of all files below a directory; a link counts for nothing."""
    status = os.stat(path)
    if not stat.S_ISDIR(status.st_mode):
        return status.st_size
    total = 0
    directories = [path]
    while directories:
        for entry in os.scandir(directories.pop()):
            found = entry.stat(follow_symlinks=False)
            if stat.S_ISDIR(found.st_mode):
                directories.append(entry.path)
            elif stat.S_ISREG(found.st_mode):
                total += found.st_size
    return total


def sized(order: Order, number: int) -> "tuple[str, bytes]":
    """The size of what is asked for in place of a file's content, below where the command starts."""
    try:
        return f"file.{number}", b"%d" % bytes_of(os.path.join(order.cwd or ".", order.collect[number][len(SIZE_OF) :]))
    except OSError as error:
        return f"refused.{number}", os.strerror(error.errno or 0).encode()


def collected(order: Order, number: int) -> "tuple[str, bytes]":
    if order.collect[number].startswith(SIZE_OF):
        return sized(order, number)
    out = os.open(order.out, os.O_RDONLY | os.O_DIRECTORY)
    fd = -1
    try:
        fd = open_below(out, order.collect[number])
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            refusal = "it is not a regular file"
        elif status.st_size > FILE_LIMIT:
            refusal = "it is over 16 MiB"
        else:
            return f"file.{number}", tail(fd, FILE_LIMIT)
    except OSError as error:
        known = {errno.ENOENT: "it was not written", errno.ELOOP: "it is a link"}
        refusal = known.get(error.errno or 0, os.strerror(error.errno or 0))
    finally:
        os.close(out)
        if fd >= 0:
            os.close(fd)
    return f"refused.{number}", refusal.encode()


def fields(order: Order, run: Run) -> "list[tuple[str, bytes]]":
    if run.failed:
        how, value = "failed", run.failed
    elif os.WIFSIGNALED(run.status):
        how, value = "signal", str(os.WTERMSIG(run.status))
    else:
        how, value = "exit", str(os.WEXITSTATUS(run.status))
    numbers = {
        "wall_ns": round((run.ended - run.started) * 1e9),
        "cpu_us": round((run.usage.ru_utime + run.usage.ru_stime) * 1e6),
        "peak_kib": run.usage.ru_maxrss,
        "faults": run.usage.ru_minflt + run.usage.ru_majflt,
        "timed_out": int(run.timed_out),
        "stopped": int(run.stopped),
        "over_output": int(run.over_output),
        "over_memory": int(run.over_memory),
        "oom_kills": run.oom_kills,
        "survivors": run.survivors,
    }
    found = [(how, value.encode())] + [(name, str(number).encode()) for name, number in numbers.items()]
    for name, fd, kept in zip(("stdout", "stderr"), run.streams, (STDOUT_KEPT, STDERR_KEPT)):  # noqa: B905 (3.10)
        found.append((name + "_size", str(os.fstat(fd).st_size).encode()))
        found.append((name, tail(fd, kept)))
    return found + [collected(order, number) for number in range(len(order.collect))]


def write_record(order: Order, found: "list[tuple[str, bytes]]") -> None:
    payload = b"".join(b"%s %d\n%s\n" % (name.encode(), len(value), value) for name, value in found)
    header = f"bisector-record 1 {order.nonce[:128]} {len(payload)}\n".encode()
    with open(1, "wb", closefd=False) as file:
        file.write(header + payload)
