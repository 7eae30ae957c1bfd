"""attend: services that are there while a command runs, where no C compiler made `attend.c`. Same options, same report.

Runs on Python 3.6 and later with the standard library alone.
"""

import contextlib
import os
import signal
import sys

from bisector.adapters.measure.programs.hold import hold, release
from bisector.adapters.measure.programs.load import choose_ports, fill_all, parse
from bisector.adapters.measure.programs.looks import begin_samples, scrape
from bisector.adapters.measure.programs.order import Failure
from bisector.adapters.measure.programs.services import (
    end_like_the_client,
    run_client,
    run_sizes,
    start_service,
    stop_service,
    tell,
    went_well,
)
from bisector.adapters.measure.programs.supervise import ENDING, PR_SET_CHILD_SUBREAPER, libc
from bisector.adapters.measure.programs.surroundings import end_the_rest

OWN_FAILURE = 125


def attend(arguments: "list[str]") -> int:
    load = parse(arguments)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD, signal.SIGPIPE} | ENDING)
    with contextlib.suppress(FileExistsError):
        os.mkdir(load.out, 0o700)
    choose_ports(load)
    fill_all(load)
    ready = all(start_service(load, number) for number in range(len(load.services)))
    if ready and not load.stopped:
        scrape(load, "before")
        begin_samples(load)
        run_sizes(load) if load.sizes else run_client(load)
        if went_well(load):
            scrape(load, "after")
    for service in reversed(load.services):
        stop_service(load, service)
    last = load.client or (load.services[0].pid if load.services else 0)  # whose group has ended by now
    if last > 0:
        end_the_rest(last, container=False)
    tell(load)
    return end_like_the_client(load)


def main(arguments: "list[str]") -> None:
    try:
        if len(arguments) == 2 and arguments[0] == "hold":
            raise SystemExit(hold(arguments[1]))
        if len(arguments) == 3 and arguments[0] == "release":
            raise SystemExit(release(arguments[1], arguments[2]))
        raise SystemExit(attend(arguments))
    except (Failure, OSError, ValueError) as error:
        sys.stderr.write(f"attend: {error}\n")
        raise SystemExit(OWN_FAILURE) from None
