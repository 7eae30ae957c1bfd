"""measure: the parent of a measured command, where no C compiler made `measure.c`. Same options, same record.

Runs on Python 3.6 and later with the standard library alone. The one thing it cannot do as well: a peak below its own
size (about 10 MiB) is reported as its own size, because a child's peak memory starts at that of the process it was
forked from.
"""

import contextlib
import os
import signal
import sys

from bisector.adapters.measure.programs.order import Failure, Run, parse
from bisector.adapters.measure.programs.report import fields, write_record
from bisector.adapters.measure.programs.supervise import (
    ENDING,
    PR_SET_CHILD_SUBREAPER,
    PR_SET_DUMPABLE,
    PR_SET_PDEATHSIG,
    libc,
    open_stream,
    start,
    supervise,
)
from bisector.adapters.measure.programs.surroundings import end_the_rest, make_fresh, oom_kills, under_our_init

OWN_FAILURE = 125


def run_once(arguments: "list[str]") -> None:
    order, run = parse(arguments), Run()
    if order.container and not under_our_init():
        raise Failure("process 1 is not `measure init`")
    libc.prctl(PR_SET_DUMPABLE, 0)  # the command, same user, shall not read the nonce or open our standard output
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1)
    if order.with_parent:
        parent = os.getppid()
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            raise Failure("the parent is gone")
    for path in order.fresh:
        make_fresh(path)
    if order.streams:
        run.streams = [open_stream(order.streams, name) for name in ("stdout", "stderr")]
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD, signal.SIGPIPE} | ENDING)
    kills = oom_kills() if order.container else -1
    start(order, run)
    supervise(order, run)
    run.survivors = end_the_rest(run.child, container=order.container)
    run.oom_kills = oom_kills() - kills if kills >= 0 else 0
    write_record(order, fields(order, run))
    for path in order.fresh:  # what a run leaves takes memory; if it stays, the next run says so
        with contextlib.suppress(OSError):
            make_fresh(path)


def be_init() -> None:
    libc.prctl(PR_SET_DUMPABLE, 0)
    every = set(range(1, signal.NSIG)) - {signal.SIGKILL, signal.SIGSTOP, 32, 33}
    signal.pthread_sigmask(signal.SIG_BLOCK, every)
    while True:
        got = signal.sigwaitinfo(every)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0] > 0:
                pass
        if got.si_signo == signal.SIGTERM and got.si_pid == 0:  # sent from outside the container, not from within
            return


def main(arguments: "list[str]") -> None:
    try:
        if arguments == ["init"]:
            be_init()
        elif arguments[:1] == ["run"]:
            run_once(arguments[1:])
        else:
            raise Failure("usage: measure run [OPTION...] -- COMMAND [ARG...] | measure init")
    except (Failure, OSError, ValueError) as error:
        sys.stderr.write(f"measure: {error}\n")
        raise SystemExit(OWN_FAILURE) from None
