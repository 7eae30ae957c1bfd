"""What the service needs besides: orders, deliveries."""

from bisector.engine.asking import Grounds
from bisector.engine.deliveries import Deliveries
from bisector.wiring import Wiring, scenario_directories


def deliveries(wiring: Wiring) -> Deliveries:
    """Which alerts were delivered."""
    from bisector.adapters.store.sql_deliveries import SqlDeliveries

    return SqlDeliveries(wiring.database, wiring.clock)


def grounds(wiring: Wiring) -> Grounds:
    """What orders from outside are checked against."""
    return Grounds(
        repositories={entry.name: entry for entry in wiring.settings.repositories},
        open=wiring.repository,
        scenario_directories=lambda top: scenario_directories(wiring.settings, top),
        artifacts=wiring.artifacts,
    )
