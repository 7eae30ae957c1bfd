"""What the server works with, made once at its start."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bisector.core.model.scenario import Scenario
from bisector.engine.asking import Ask, Grounds, order_of, request_of
from bisector.engine.bot import Bot
from bisector.engine.deliveries import Deliveries
from bisector.engine.joining import Joining
from bisector.engine.marking import Marking
from bisector.engine.notify import Outbox
from bisector.engine.ports import Artifacts, Clock, Store
from bisector.engine.queue import Enqueued, Queue
from bisector.engine.records import Records, Tally
from bisector.engine.scenarios import known_scenarios, scenario_at
from bisector.engine.sender import Sender
from bisector.engine.sweep import Known
from bisector.errors import ScenarioError
from bisector.formats.service import HookTable, ServerTable


@dataclass(frozen=True, kw_only=True)
class Service:
    """The ports and settings of a server."""

    store: Store
    queue: Queue
    deliveries: Deliveries
    joining: Joining
    """Lets alerts join jobs that wait, and sees to it that each is answered."""
    artifacts: Artifacts
    clock: Clock
    grounds: Grounds
    settings: ServerTable
    hooks: Mapping[str, tuple[HookTable, tuple[str, ...]]]
    """By address: a hook and its secrets."""
    tokens: tuple[str, ...]
    """Empty: whoever reaches the server may use it."""
    sender: Sender | None = None
    """Tells of answers while the server runs; None where nobody is told."""
    bot: Bot | None = None
    """Answers commands in comments while the server runs."""
    marking: Marking | None = None
    """Marks load for monitoring while the server runs."""
    series: Callable[[], Known] = Known
    """What is known of the series of the sweeps."""
    records: Records
    """Everything that is stored, read in bulk."""
    tally: Tally
    """Figures over all jobs."""
    outbox: Outbox
    """The messages about answers."""
    told: tuple[str, ...] = ()
    """The targets of messages that are configured."""
    report_url: str = ""
    """Address that others reach the server by, for links in what is answered."""

    def enqueue(self, ask: Ask) -> Enqueued:
        """Queue the job that an order asks for; Refused, or QueueFull."""
        request = request_of(ask, self.grounds)
        return self.queue.enqueue(request, order_of(ask, request))

    def alerted(self, ask: Ask) -> tuple[Enqueued, bool]:
        """The job for an alert, and whether it joined one that is about the same change; Refused, or QueueFull."""
        request = request_of(ask, self.grounds)
        return self.joining.enqueue(request, order_of(ask, request))

    def scenarios(self) -> Iterable[tuple[str, Scenario | str]]:
        """The scenarios that can be asked for by name; why one cannot, in its place."""
        places: dict[str, Path] = {}
        owned = (self.grounds.scenario_places(entry.location) for entry in self.grounds.repositories.values())
        for directories in (self.grounds.scenario_directories(None), *owned):
            places = {**known_scenarios(directories), **places}
        for name, path in sorted(places.items()):
            try:
                yield name, scenario_at(path)
            except ScenarioError as error:
                yield name, str(error)
