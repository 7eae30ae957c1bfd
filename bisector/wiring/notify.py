"""Settings to what tells of answers."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from bisector.engine.notify import Notifier, Outbox
from bisector.engine.ports import Clock
from bisector.engine.sender import Sender, Sources, Target
from bisector.engine.telling import investigation_of, kept_file, told
from bisector.errors import BisectorError
from bisector.formats.service import RepositoryTable
from bisector.formats.targets import NotifyTable
from bisector.report.document import Report
from bisector.settings import secrets
from bisector.wiring import Wiring
from bisector.wiring.joining import make_joining


def make_outbox(wiring: Wiring) -> Outbox:
    """The messages."""
    from bisector.adapters.store.sql_outbox import SqlOutbox

    return SqlOutbox(wiring.database, wiring.clock)


def make_sender(wiring: Wiring, tell: Callable[[str], None]) -> Sender | None:
    """What tells the configured targets, None where nobody is told; UsageError names every secret that is missing."""
    tables = wiring.settings.notify
    if not tables:
        return None
    secrets(name for table in tables for name in table.variables)
    targets = {table.called: Target(table=table, notifier=make_notifier(table, wiring.clock)) for table in tables}
    url = wiring.settings.server.public_url.rstrip("/")
    sources = Sources(
        report=lambda job: report_of_job(wiring, job),
        page=lambda job: f"{url}/jobs/{job}" if url else "",
        repository=lambda location: repository_at(wiring, location),
        also=make_joining(wiring, tell).told_in_the_end,
    )
    return Sender(make_outbox(wiring), targets, sources, tell)


def make_notifier(table: NotifyTable, clock: Clock) -> Notifier:
    """What tells the target of `table`."""
    from bisector.adapters.notify.file import FileNotifier
    from bisector.adapters.notify.github import GitHubApi, GitHubNotifier
    from bisector.adapters.notify.mail import MailNotifier, MailServer
    from bisector.adapters.notify.slack import SlackNotifier
    from bisector.adapters.notify.web import Exceptions, Web
    from bisector.adapters.notify.webhook import WebhookNotifier

    web = Web(Exceptions(http=table.allow_http, private=table.allow_private))
    secret = _held_by(table.secret_env)
    match table.kind:
        case "slack":
            return SlackNotifier(web, _held_by(table.url_env))
        case "webhook":
            return WebhookNotifier(web, _held_by(table.url_env), secret, clock)
        case "github":
            return GitHubNotifier(GitHubApi(web, table.api, _held_by(table.token_env)))
        case "email":
            host = MailServer(
                host=table.smtp_host or "", port=table.smtp_port, tls=table.tls, user=table.user, password=secret
            )
            return MailNotifier(host, table.sender or "", table.to, clock)
        case "file":
            return FileNotifier(Path(table.directory or "").expanduser())


def _held_by(variable: str | None) -> str:
    return secrets([variable])[0] if variable else ""


def report_of_job(wiring: Wiring, job: str) -> Report:
    """The report of a job as it stands, for whoever is told of it."""
    page = wiring.artifacts.report(job) / "report.html"
    row = wiring.store.job(job)
    return told(investigation_of(job, wiring.store), row, kept_file(wiring.artifacts), page, working=False)


def repository_at(wiring: Wiring, location: str) -> RepositoryTable | None:
    """The configured repository at a location as git is given it, which the settings may write otherwise."""
    tables = wiring.settings.repositories
    for table in tables:
        if location == table.location:
            return table
    for table in tables:
        # One that is not there is no answer's; it must not keep the others from being told.
        with suppress(BisectorError):
            if location == wiring.repository(table.location).location:
                return table
    return None
