"""Load that is put on services from elsewhere: from a container of its own, which has the load generator."""

import random
from collections.abc import Sequence
from dataclasses import replace

from bisector.adapters.measure.services import attending
from bisector.core.model.samples import Outcome
from bisector.core.model.scenario import RunRecipe, Service
from bisector.core.model.units import Seconds
from bisector.engine.ports import RunOrder, RunRecord

HELD = b"held"
"""What the stand-in says when the services are ready."""
_LOWEST_PORT, _END_OF_PORTS = 15000, 32768
_MARGIN: Seconds = 60.0


def with_ports(recipe: RunRecipe) -> RunRecipe:
    """`recipe` with ports in its words: outside of the services' container somebody has to know them."""
    drawn = random.SystemRandom().sample(range(_LOWEST_PORT, _END_OF_PORTS), len(recipe.services))
    ports = {service.name: str(port) for service, port in zip(recipe.services, drawn, strict=True)}

    def filled(text: str, own: str) -> str:
        text = text.replace("{target}", "http://127.0.0.1:{port}").replace("{port}", ports[own])
        for name, port in ports.items():
            text = text.replace(f"{{port.{name}}}", port)
        return text

    def served(service: Service) -> Service:
        return replace(
            service,
            command=tuple(filled(word, service.name) for word in service.command),
            ready=replace(service.ready, words=tuple(filled(word, service.name) for word in service.ready.words)),
            env={name: filled(value, service.name) for name, value in service.env.items()},
        )

    last = recipe.services[-1].name
    return replace(
        recipe,
        command=tuple(filled(word, last) for word in recipe.command),
        env={name: filled(value, last) for name, value in recipe.env.items()},
        services=tuple(map(served, recipe.services)),
    )


def standing_in(order: RunOrder, program: Sequence[str], pipe: str) -> tuple[str, ...]:
    """The command that attends the services of a run while its load is made elsewhere, until `pipe` is released."""
    recipe = order.recipe
    waiting = replace(recipe, command=(*program, "hold", pipe), timeout_seconds=recipe.timeout_seconds + _MARGIN)
    return attending(replace(order, recipe=waiting), program)


def put_together(load: RunRecord | None, served: RunRecord) -> RunRecord:
    """One run of the two sides: output and time are the load's, the rest of the usage and what went wrong with services
    theirs. Files are of both, a profile being the services'; of two with one name the load's is taken. `load` is None
    where it was not begun, or given up with the services."""
    if load is None or (served.outcome is not Outcome.OK and served.exit_code is None):
        outcome = Outcome.NO_RESULT if served.outcome is Outcome.OK else served.outcome
        reason = served.reason or "its services ended before their load"
        return replace(served, outcome=outcome, reason=reason, stdout=load.stdout if load else b"")
    usage = served.usage
    if usage is not None and load.usage is not None:
        usage = replace(usage, wall=load.usage.wall)
    return replace(load, usage=usage, files={**served.files, **load.files}, logs=served.logs)
