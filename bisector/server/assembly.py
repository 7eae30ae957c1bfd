"""The server's ports and settings put together."""

import logging

from bisector.server.service import Service
from bisector.settings import Settings, secrets
from bisector.wiring import Wiring
from bisector.wiring.bot import make_bot
from bisector.wiring.joining import make_joining
from bisector.wiring.marks import make_marking
from bisector.wiring.notify import make_outbox, make_sender
from bisector.wiring.records import make_records, make_tally
from bisector.wiring.service import deliveries, grounds, sweeper


def service_of(wiring: Wiring, settings: Settings, tokens: tuple[str, ...]) -> Service:
    """The service of a process; UsageError names every secret that is missing."""
    wanted = [name for hook in settings.hooks for name in hook.secret_env]
    told = [name for table in settings.notify for name in table.variables]
    told += [table.token_env for table in settings.marks if table.token_env is not None]
    secrets([*wanted, *told, *([settings.bot.token_env] if settings.bot is not None else [])])
    tell = logging.getLogger("bisector.messages").warning
    return Service(
        store=wiring.store,
        queue=wiring.queue,
        deliveries=deliveries(wiring),
        joining=make_joining(wiring, tell),
        artifacts=wiring.artifacts,
        clock=wiring.clock,
        grounds=grounds(wiring),
        settings=settings.server,
        hooks={hook.address: (hook, secrets(hook.secret_env)) for hook in settings.hooks},
        tokens=tokens,
        records=make_records(wiring),
        tally=make_tally(wiring),
        outbox=make_outbox(wiring),
        told=tuple(table.called for table in settings.notify),
        sender=make_sender(wiring, tell),
        bot=make_bot(wiring, tell),
        marking=make_marking(wiring, tell),
        series=sweeper(wiring, lambda _: None).known,
        report_url=settings.server.public_url.rstrip("/"),
    )
