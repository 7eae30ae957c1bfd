"""Of `attend`: processes, each in a group of its own, and what they use."""

import contextlib
import os
import signal
import time

from bisector.adapters.measure.programs.load import Load, Tally, environment
from bisector.adapters.measure.programs.supervise import ENDING, PR_SET_PDEATHSIG, libc
from bisector.adapters.measure.programs.surroundings import kill_group

GROUP_MUST_END_WITHIN = 2.0


def reap(load: Load) -> None:
    """Take in whoever ended, and put what it used down to the one in whose group it was."""
    with contextlib.suppress(ChildProcessError):
        while True:
            found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if found is None:
                return
            group, now = os.getpgid(found.si_pid), time.monotonic()
            pid, status, usage = os.wait4(found.si_pid, 0)
            if load.client and group == load.client:
                add_usage(load.used, usage)
            if pid == load.client:
                load.client_ended, load.ended, load.status = True, now, status
            if pid == load.probe:
                load.probe_ended, load.probe_status = True, status
            for service in load.services:
                if service.pid and group == service.pid:
                    add_usage(service.used, usage)
                if pid == service.pid:
                    service.ended, service.status = True, status


def add_usage(tally: Tally, usage: "os.struct_rusage") -> None:  # type: ignore[name-defined]
    tally.cpu_us += round((usage.ru_utime + usage.ru_stime) * 1e6)
    tally.faults += usage.ru_minflt + usage.ru_majflt
    tally.peak_kib = max(tally.peak_kib, usage.ru_maxrss)


def end_group(load: Load, group: int) -> None:
    """Kill a group, and take in who was in it."""
    kill_group(group, signal.SIGKILL)
    limit = time.monotonic() + GROUP_MUST_END_WITHIN
    while time.monotonic() < limit:
        reap(load)
        try:
            os.kill(-group, signal.SIGKILL)
        except ProcessLookupError:
            return
        except OSError:
            pass
        time.sleep(0.001)


def wait_a_while(load: Load, seconds: float) -> bool:
    """Wait for a signal, and see to what it says: true when we are asked to end."""
    got = signal.sigtimedwait({signal.SIGCHLD} | ENDING, max(0.0, seconds))
    if got is not None and got.si_signo in ENDING and not load.stopped:
        load.stopped, load.deadline = True, time.monotonic() + load.grace
    reap(load)
    return load.stopped


def start(command: "list[str]", settings: "list[str]", output: int) -> "tuple[int, int]":
    """Start a command in a group of its own; its id, and why it could not become the command, else 0."""
    ours, theirs = os.pipe()
    parent, child = os.getpid(), os.fork()
    if child == 0:
        become(command, settings, output, (parent, theirs))
    with contextlib.suppress(OSError):
        os.setpgid(child, child)
    os.close(theirs)
    failure = os.read(ours, 100)
    os.close(ours)
    return child, int(failure or b"0")


def become(command: "list[str]", settings: "list[str]", output: int, caller: "tuple[int, int]") -> None:
    """Become the command, in the child; a failure goes to the pipe, which closes by itself when all is well."""
    parent, report = caller
    try:
        os.setpgid(0, 0)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == parent:
            # Python ignores it, and what is ignored stays so.
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, [])
            if output >= 0:
                os.dup2(output, 1)
                os.dup2(output, 2)
            os.execvpe(command[0], command, environment(settings))  # noqa: S606  no shell: that is the point
    except OSError as error:
        os.write(report, str(error.errno).encode())
    os.kill(os.getpid(), signal.SIGKILL)  # nothing of the parent's may run on in its copy
