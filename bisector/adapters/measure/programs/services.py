"""Of `attend`: the services and the command, from their start to their end."""

import contextlib
import os
import signal
import time

from bisector.adapters.measure.programs.load import Load, Service
from bisector.adapters.measure.programs.order import Failure
from bisector.adapters.measure.programs.probes import is_ready
from bisector.adapters.measure.programs.processes import end_group, reap, start, wait_a_while

TICK, BETWEEN_PROBES, WITH_CLIENT = 0.25, 0.02, 0.1
LOG_LIMIT, LOG_KEPT = 8 << 20, 1 << 14


def fault(load: Load, what: str, service: int) -> None:
    if not load.fault:
        load.fault, load.faulty = what, service


def one_is_gone(load: Load) -> bool:
    """Whether a service has ended that was not asked to."""
    for number, service in enumerate(load.services):
        if service.ended and not service.asked:
            fault(load, "service_ended", number)
            return True
    return False


def shorten_logs(load: Load) -> None:
    """A log that grows without end would fill the memory it lies in: what was in it is dropped."""
    for service in load.services:
        if service.log >= 0 and os.fstat(service.log).st_size > LOG_LIMIT:
            os.ftruncate(service.log, 0)


def until_when(load: Load, seconds: float) -> float:
    """When somebody who may take so long to end is waited for no longer."""
    until = time.monotonic() + seconds
    return min(until, load.deadline) if load.stopped else until


def start_service(load: Load, number: int) -> bool:
    service = load.services[number]
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
    service.log = os.open(f"{load.out}/{service.name}.log", flags, 0o600)
    began = time.monotonic()
    if service.reserved is not None:
        service.reserved.close()
    service.pid, service.start_errno = start(service.command, service.env, service.log)
    if service.start_errno:
        fault(load, "cannot_start", number)
        return False
    while not wait_a_while(load, BETWEEN_PROBES) and not one_is_gone(load):
        left = began + service.ready - time.monotonic()
        if left <= 0:
            fault(load, "not_ready", number)
            return False
        if is_ready(load, service, left):
            service.ready_after = time.monotonic() - began
            reap(load)
            return not one_is_gone(load)
    return False


def run_client(load: Load) -> None:
    load.started = time.monotonic()
    load.client, load.client_errno = start(load.command, load.env, -1)
    limit = load.started + load.timeout if load.timeout > 0 else float("inf")
    while not load.client_ended and not load.stopped and not one_is_gone(load):
        left = limit - time.monotonic()
        if left <= 0:
            fault(load, "timed_out", 0)
            break
        wait_a_while(load, min(left, TICK))
        shorten_logs(load)
    if load.client_ended and load.status:  # a service that died took the client with it: it may be seen later
        wait_a_while(load, WITH_CLIENT)
    if load.client_ended and not load.stopped:
        one_is_gone(load)
    if not load.client_ended:
        tell_to_end(-load.client, signal.SIGTERM)
    until = until_when(load, load.grace)
    while not load.client_ended and time.monotonic() < until:
        wait_a_while(load, BETWEEN_PROBES)
    end_group(load, load.client)


def tell_to_end(process: int, number: int) -> None:
    with contextlib.suppress(OSError):
        os.kill(process, number)


def told_to_stop(load: Load, service: Service) -> int:
    """The process that is told to stop: the service's first, or the one that a profiler around it started."""
    if service.gated:
        with contextlib.suppress(OSError, ValueError):
            fd = os.open(f"{load.out}/{service.name}.pid", os.O_RDONLY | os.O_NOFOLLOW)
            with open(fd) as file:
                pid = int(file.read(31))
            if pid > 1:
                return pid
    return service.pid


def stop_service(load: Load, service: Service) -> None:
    if service.pid <= 0:
        return
    service.asked = True
    if not service.ended:
        tell_to_end(told_to_stop(load, service), service.signal)
    until = until_when(load, service.stop)
    while not service.ended and time.monotonic() < until:
        wait_a_while(load, BETWEEN_PROBES)
    end_group(load, service.pid)


def tell(load: Load) -> None:
    """What came of it all, for whoever called."""
    found = [("fault", f"{load.fault} {load.faulty}".encode())] if load.fault else []
    if load.client_errno:
        found.append(("client", b"failed %d" % load.client_errno))
    elif load.client_ended:
        found.append(("client", ending(load.status)))
    found.append(("wall_ns", b"%d" % round(max(0.0, load.ended - load.started) * 1e9)))
    found.append(("cpu_us", b"%d" % load.used.cpu_us))
    found.append(("peak_kib", b"%d" % load.used.peak_kib))
    for number, service in enumerate(load.services):
        if service.pid <= 0:
            break
        failed = b"failed %d" % service.start_errno
        told = {
            "ready_ns": b"%d" % round(service.ready_after * 1e9),
            "cpu_us": b"%d" % service.used.cpu_us,
            "peak_kib": b"%d" % service.used.peak_kib,
            "faults": b"%d" % service.used.faults,
            "ended": failed if service.start_errno else ending(service.status),
        }
        if load.fault or load.status:
            told["log"] = os.pread(service.log, LOG_KEPT, max(0, os.fstat(service.log).st_size - LOG_KEPT))
        found += [(f"{name}.{number}", text) for name, text in told.items()]
    fd = os.open(load.out + "/report", os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with open(fd, "wb") as file:
        file.write(b"".join(b"%s %d\n%s\n" % (name.encode(), len(text), text) for name, text in found))


def ending(status: int) -> bytes:
    if os.WIFSIGNALED(status):
        return b"signal %d" % os.WTERMSIG(status)
    return b"exit %d" % os.WEXITSTATUS(status)


def end_like_the_client(load: Load) -> int:
    """The status to end with; ends by the client's signal where it was ended by one."""
    if load.stopped:
        return 128 + signal.SIGTERM
    if load.fault:
        name = load.services[load.faulty].name if load.services else ""
        raise Failure(f"{load.fault}: {name}")
    if os.WIFSIGNALED(load.status):
        number = os.WTERMSIG(load.status)
        with contextlib.suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        os.kill(os.getpid(), number)
    return os.WEXITSTATUS(load.status)
