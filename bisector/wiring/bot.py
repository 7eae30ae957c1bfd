"""Settings to what answers commands in comments."""

from collections.abc import Callable

from bisector.engine.bot import Bot, BotPorts
from bisector.settings import secrets
from bisector.wiring import Wiring
from bisector.wiring.notify import report_of_job
from bisector.wiring.service import grounds


def make_bot(wiring: Wiring, tell: Callable[[str], None]) -> Bot | None:
    """The bot of the settings, None where there is none; UsageError names the secret that is missing."""
    from bisector.adapters.notify.forge import GitHubForge
    from bisector.adapters.notify.github import GitHubApi
    from bisector.adapters.notify.web import Exceptions, Web
    from bisector.adapters.store.sql_commands import SqlCommands

    table = wiring.settings.bot
    if table is None:
        return None
    (token,) = secrets([table.token_env])
    web = Web(Exceptions(http=table.allow_http, private=table.allow_private))
    ports = BotPorts(
        commands=SqlCommands(wiring.database, wiring.clock),
        forge=GitHubForge(GitHubApi(web, table.api, token)),
        queue=wiring.queue,
        store=wiring.store,
        grounds=grounds(wiring),
        report=lambda job: report_of_job(wiring, job),
        address=wiring.settings.server.public_url.rstrip("/"),
    )
    return Bot(table, ports, tell)
