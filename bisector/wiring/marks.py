"""Settings to what marks load."""

from collections.abc import Callable

from bisector.engine.marking import Marking, MarkTarget
from bisector.engine.marks import Marker
from bisector.formats.marks import MarkTable, read_matcher
from bisector.settings import secrets
from bisector.wiring import Wiring
from bisector.wiring.notify import repository_at


def make_marking(wiring: Wiring, tell: Callable[[str], None]) -> Marking | None:
    """What marks load at the configured targets, None without any; UsageError names secrets that are missing."""
    from bisector.adapters.store.sql_marks import SqlMarks

    tables = wiring.settings.marks
    if not tables:
        return None
    secrets(table.token_env for table in tables if table.token_env is not None)
    targets = {table.called: MarkTarget(table=table, marker=make_marker(table)) for table in tables}
    marks = SqlMarks(wiring.database, wiring.clock)
    return Marking(marks, targets, wiring.store, lambda location: repository_at(wiring, location), tell)


def make_marker(table: MarkTable) -> Marker:
    """What marks load at the target of `table`."""
    from bisector.adapters.notify.marks import AlertmanagerMarker, GrafanaMarker
    from bisector.adapters.notify.web import Exceptions, Web

    web = Web(Exceptions(http=table.allow_http, private=table.allow_private))
    token = secrets([table.token_env])[0] if table.token_env is not None else ""
    if table.kind == "grafana":
        return GrafanaMarker(web, table.url, token, dashboard=table.dashboard, tags=table.tags)
    return AlertmanagerMarker(web, table.url, token, [read_matcher(text) for text in table.matchers])
