"""What the service needs besides: orders, deliveries, sweeps."""

from collections.abc import Callable

from bisector.core.model.trigger import Trigger
from bisector.core.model.units import Sha
from bisector.core.watch.moves import Accepted, level
from bisector.engine.asking import Grounds
from bisector.engine.deliveries import Deliveries
from bisector.engine.series import SeriesLog
from bisector.engine.sweep import Sweeper, SweepPorts
from bisector.wiring import Wiring, scenario_directories


def deliveries(wiring: Wiring) -> Deliveries:
    """Which alerts were delivered."""
    from bisector.adapters.store.sql_deliveries import SqlDeliveries

    days = wiring.settings.server.deliveries_days
    return SqlDeliveries(wiring.database, wiring.clock, keep=days * 24 * 3600)


def grounds(wiring: Wiring) -> Grounds:
    """What orders from outside are checked against."""
    return Grounds(
        repositories={entry.name: entry for entry in wiring.settings.repositories},
        open=wiring.repository,
        scenario_directories=lambda top: scenario_directories(wiring.settings, top),
        artifacts=wiring.artifacts,
        accepted=lambda trigger: _accepted(wiring, trigger),
    )


def _accepted(wiring: Wiring, trigger: Trigger) -> Sha | None:
    for state in sweeper(wiring, lambda _: None).known().states:
        name = state.watched.name
        same = (name.repository, name.scenario) == (trigger.repository, trigger.scenario)
        if same and trigger.metric in (None, name.metric) and any(isinstance(each, Accepted) for each in state.history):
            return level(state.history).commit
    return None


def series_log(wiring: Wiring) -> SeriesLog:
    """What is written down of series."""
    from bisector.adapters.store.sql_series import SqlSeries

    return SqlSeries(wiring.database, wiring.clock)


def sweeper(wiring: Wiring, tell: Callable[[str], None]) -> Sweeper:
    """Who sees to the sweeps of the settings."""
    ports = SweepPorts(
        log=series_log(wiring), queue=wiring.queue, store=wiring.store, grounds=grounds(wiring), clock=wiring.clock
    )
    return Sweeper(ports, wiring.settings.sweeps, tell)
