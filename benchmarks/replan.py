"""How long one decision takes: 4,096 candidates, 500 runs, from facts to the next step.

    python -m benchmarks.replan

Prints the median and the largest of 20 decisions, each on fresh values so that nothing is remembered.
"""

import random
import statistics
import time
from functools import cache

from bisector.adapters.in_memory.repository import SimulatedRepository
from bisector.adapters.in_memory.world import World
from bisector.core.model.builds import Build
from bisector.core.model.facts import BuildRecorded, EnvironmentSeen, Fact, HistoryListed
from bisector.core.model.history import main
from bisector.core.model.investigation import Investigation
from bisector.core.model.request import Request, RunnerName
from bisector.core.model.samples import Outcome, Purpose, Sample, Usage
from bisector.core.search.planner import next_step
from bisector.formats.scenario import parse_scenario

CANDIDATES, RUNS, DECISIONS = 4096, 500, 20
SCENARIO = b'name = "replan"\n[run]\ncommand = ["true"]\n[[metrics]]\nname = "seconds"\nunit = "s"\n'


@cache
def history_listed() -> tuple[Request, HistoryListed]:
    """What is asked and the commits between: of one job, as in every decision of a job."""
    world = World(candidates=CANDIDATES)
    request = Request(
        repository="simulated",
        good=world.line[0].sha,
        bad=world.line[-1].sha,
        scenario=parse_scenario(SCENARIO, where="replan"),
        runner=RunnerName.SIMULATED,
    )
    listed = SimulatedRepository(world).list_history(request.good, request.bad, every_commit=False, paths=())
    return request, listed


def investigation(seed: int) -> Investigation:
    """A search in full swing: 13 halvings towards a 3 % change under 2 % noise, 500 runs in all."""
    draw = random.Random(seed)
    request, history = history_listed()
    facts: list[Fact] = [EnvironmentSeen(host="h", toolchain="t", details={}), history]
    places, low, high = [0, CANDIDATES], 0, CANDIDATES
    while high - low > 1:
        places.append((low + high) // 2)
        low, high = (places[-1], high) if places[-1] < CANDIDATES // 3 else (low, places[-1])
    for place in places:
        build = Build(key=f"{place:064x}", outcome=Outcome.OK, handle="x", seconds=10.0)
        facts.append(BuildRecorded(place=main(place), number=0, build=build))
    for order in range(RUNS):
        place = places[order % len(places)]
        value = (1.03 if place >= CANDIDATES // 3 else 1.0) * (1 + 0.02 * draw.gauss(0, 1))
        usage = Usage(wall=value, cpu=value, peak_memory=1)
        facts.append(
            Sample(
                place=main(place),
                build=f"{place:064x}",
                purpose=Purpose.SEARCH,
                outcome=Outcome.OK,
                values={"seconds": value},
                usage=usage,
                step=1,
                order=order,
                clock=float(order),
                host="h",
            )
        )
    return Investigation.replay("1", request, facts)


def main_() -> None:
    """Measure and print."""
    taken = []
    for seed in range(DECISIONS):
        state = investigation(seed)
        began = time.perf_counter()
        next_step(state, 0.0)
        taken.append(time.perf_counter() - began)
    print(f"{CANDIDATES} candidates, {RUNS} runs, {DECISIONS} decisions")
    print(f"median {1000 * statistics.median(taken):.1f} ms, largest {1000 * max(taken):.1f} ms")


if __name__ == "__main__":
    main_()
