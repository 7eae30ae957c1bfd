"""The server's clock of sweeps: it goes on after whatever goes wrong in one look."""

import threading

from bisector.engine.scheduler import scheduled
from bisector.engine.sweep import Seen, Sweeper


class Stumbling(Sweeper):
    """Fails at its first look."""

    def __init__(self) -> None:
        self.looks = 0
        self.twice = threading.Event()

    def look(self, due_by: float | None = None) -> Seen:
        del due_by
        self.looks += 1
        if self.looks == 1:
            raise KeyError("a defect")
        self.twice.set()
        return Seen(jobs=())


def test_a_defect_is_told_and_the_next_look_comes_all_the_same() -> None:
    sweeper, told = Stumbling(), list[str]()
    with scheduled(sweeper, told.append, every=0.01):
        assert sweeper.twice.wait(30)
    looks = sweeper.looks
    assert "KeyError: 'a defect'" in told[0]
    assert all(thread.name != "sweeps" for thread in threading.enumerate())
    assert sweeper.looks == looks
