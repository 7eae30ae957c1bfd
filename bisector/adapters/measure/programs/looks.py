"""Of `attend`: what is looked at beside the command: what services tell of themselves, and memory."""

import os

from bisector.adapters.measure.programs.load import Load
from bisector.adapters.measure.programs.probes import fetch_into
from bisector.adapters.measure.programs.surroundings import resident

ANSWER_WITHIN = 10.0


def make(load: Load, name: str) -> int:
    return os.open(load.out + "/" + name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)


def scrape(load: Load, when: str) -> None:
    """Keep what services tell of themselves; an empty file where one does not answer."""
    for service in load.services:
        if service.scraped:
            file = make(load, service.name + "." + when)
            fetch_into(int(service.scraped[0]), service.scraped[1], ANSWER_WITHIN, file)
            os.close(file)


def begin_samples(load: Load) -> None:
    if load.sample > 0:
        load.samples = make(load, "memory")


def sample_memory(load: Load, now: float) -> float:
    """Write down how much is resident where it is time; the seconds until it is the next time."""
    if load.samples < 0:
        return float("inf")
    if now >= load.next_sample:
        of = load.services[-1].pid if load.services else load.client
        os.write(load.samples, b"%d %d\n" % (round((now - load.begun) * 1e9), resident(of)))
        load.next_sample = now + load.sample
    return load.next_sample - now
