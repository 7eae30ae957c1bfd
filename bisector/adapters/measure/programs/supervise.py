"""The command itself: started, watched and ended."""

import contextlib
import ctypes
import fcntl
import os
import resource
import signal
import tempfile
import time

from bisector.adapters.measure.programs.order import Failure, Order, Run
from bisector.adapters.measure.programs.surroundings import kill_group, resident, resident_exactly

TICK, UNKILLABLE_AFTER = 0.25, 10.0
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER = 1, 4, 36
ADDR_NO_RANDOMIZE = 0x0040000
ENDING = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}

libc = ctypes.CDLL(None, use_errno=True)


def open_stream(directory: str, name: str) -> int:
    fd, path = tempfile.mkstemp(prefix=name + "-", dir=directory)
    os.unlink(path)
    fcntl.fcntl(fd, fcntl.F_SETFL, os.O_APPEND)
    return fd


def draw_layout_anew() -> None:
    """A layout that is the same in every run, as under `setarch -R`, would make the luck of a build a part of all its
    runs."""
    persona = libc.personality(ctypes.c_ulong(0xFFFFFFFF))
    if persona >= 0 and persona & ADDR_NO_RANDOMIZE:
        libc.personality(ctypes.c_ulong(persona & ~ADDR_NO_RANDOMIZE))


def become(order: Order, run: Run, report: int) -> None:
    """Become the command, in the child; a failure goes to `report`, which closes by itself when all is well."""
    stage = "start"
    try:
        os.setsid()
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        for number in range(1, signal.NSIG):
            with contextlib.suppress(OSError, ValueError):
                signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        draw_layout_anew()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(run.streams[0] if run.streams else 2, 1)
        if run.streams:
            os.dup2(run.streams[1], 2)
        stage = "cpus"
        if order.cpus:
            os.sched_setaffinity(0, order.cpus)
        stage = "cwd"
        if order.cwd:
            os.chdir(order.cwd)
        stage = "exec"
        os.execvp(order.command[0], order.command)  # noqa: S606  an argument list, no shell: that is the point
    except OSError as error:
        os.write(report, f"{stage} {error.errno}".encode())
    os.kill(os.getpid(), signal.SIGKILL)  # nothing of the parent's may run on in its copy


def start(order: Order, run: Run) -> None:
    ours, theirs = os.pipe()
    run.started = time.monotonic()
    run.child = os.fork()
    if run.child == 0:
        become(order, run, theirs)
    os.close(theirs)
    run.failed = os.read(ours, 100).decode()
    os.close(ours)
    with contextlib.suppress(OSError), open(f"/proc/{run.child}/oom_score_adj", "w") as file:
        file.write("1000")


def command_ended(run: Run) -> bool:
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status, usage = os.wait4(-1, os.WNOHANG)
            if pid == run.child:
                run.ended, run.status, run.usage = time.monotonic(), status, usage
                return True
            if pid == 0:
                break
    return False


def over_output(order: Order, run: Run) -> bool:
    return order.output > 0 and any(os.fstat(fd).st_size > order.output for fd in run.streams)


def over_memory(order: Order, child: int) -> bool:
    return order.memory > 0 and resident(child) > order.memory and resident_exactly(child) > order.memory


def supervise(order: Order, run: Run) -> None:
    """Wait for the command, and end it when it oversteps a limit or when we are asked to stop."""
    limit = run.started + order.timeout if order.timeout > 0 else float("inf")
    phase = "running"
    while not command_ended(run):
        now = time.monotonic()
        if phase == "running":
            run.timed_out = now >= limit
            run.over_output = over_output(order, run)
            run.over_memory = over_memory(order, run.child)
        if phase == "running" and (run.timed_out or run.stopped) and not (run.over_output or run.over_memory):
            phase, limit = "asked to end", now + order.grace
            kill_group(run.child, signal.SIGTERM)
        elif (phase == "running" and (run.over_output or run.over_memory)) or (
            phase == "asked to end" and now >= limit
        ):
            phase, limit = "killed", now + UNKILLABLE_AFTER
            kill_group(run.child, signal.SIGKILL)
        elif phase == "killed" and now >= limit:
            raise Failure(f"process {run.child} cannot be killed")
        got = signal.sigtimedwait({signal.SIGCHLD} | ENDING, max(0.0, min(TICK, limit - now)))
        run.stopped = run.stopped or (got is not None and got.si_signo in ENDING)
    run.over_output = run.over_output or over_output(order, run)
