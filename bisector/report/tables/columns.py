"""The tables there are, with their columns. Names, kinds and order are a contract: columns are only added, last."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

Cell = str | int | float | bool | None
"""A value; a moment is in seconds since the epoch. None is for what is not known, or does not apply."""


class Kind(StrEnum):
    """What a column holds."""

    TEXT = "text"
    INTEGER = "integer"
    REAL = "real"
    BOOLEAN = "boolean"
    MOMENT = "moment"


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """A column of a table."""

    name: str
    kind: Kind
    about: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """A table: what a row of it is, and its columns in their order."""

    name: str
    about: str
    columns: tuple[Column, ...]

    def row(self, values: Mapping[str, Cell]) -> tuple[Cell, ...]:
        """A row in the order of the columns; ValueError where `values` has not exactly these."""
        if values.keys() != {column.name for column in self.columns}:
            raise ValueError(f"not a row of {self.name}: {sorted(values)}")
        return tuple(values[column.name] for column in self.columns)


def _columns(text: str) -> Iterator[Column]:
    for line in filter(str.strip, text.splitlines()):
        name, kind, about = line.split(maxsplit=2)
        yield Column(name=name, kind=Kind(kind), about=about)


def _table(name: str, about: str, columns: str) -> Table:
    return Table(name=name, about=about, columns=tuple(_columns(columns)))


_QUESTION = """
    repository text where it is, without credentials
    scenario text its name
    metric text the metric the row is about
    unit text of the metric's values
    better text lower or higher
"""
_CHANGE = """
    change real relative: 0.083 is 8.3 % more
    change_low real lower end of its interval
    change_high real upper end of its interval
"""
JOBS = _table(
    "jobs",
    "A job, with its answer on the first metric where it has one.",
    f"""
    job integer its number
    created_at moment when it was asked for
    concluded_at moment when its answer was written down
    state text queued, running, paused, cancelled or done
    kind text bisect, compare, verify or try
    asked_by text who asked, for queued ones: "sweep nightly", "api", "alertmanager"
    priority integer 10 sweep, 20 alert, 30 person
    host_class text kind of host it was queued for
    {_QUESTION}
    runner text docker, local or simulated
    good text commit
    bad text commit
    candidates integer commits after good, up to and including bad
    verdict text culprit, culprit_set, several, not_reproduced, …
    reason text why it is a set, or none
    {_CHANGE}
    culprits integer how many are named
    runs integer measured runs this job made
    builds integer builds it paid for
    builds_reused integer builds that were at hand
    run_seconds real wall time of its runs, warm-ups included
    build_seconds real wall time of its builds
    elapsed_seconds real work on it, from its first step to its last
    host text fingerprint of the host that measured
    sentence text the answer in one sentence
    """,
)
CULPRITS = _table(
    "culprits",
    "A commit, or a set of commits that cannot be told apart, that an answer names.",
    f"""
    job integer the job that named it
    concluded_at moment when
    verdict text of the job on this metric
    {_QUESTION}
    number integer 1, 2, 3 … within the job and metric
    direction text asked, or opposite: it takes a part of the change back
    commit text the first-parent commit; the likeliest of a set
    parent text its first parent
    is_merge boolean whether it is a merge
    subject text first line of its message
    author text who wrote it
    committed_at moment by the committer's clock
    set_size integer 1 where it is one commit
    set text all commits of the set, with blanks between
    probability real that the culprit is in the set
    verified boolean by fresh runs against its parent
    {_CHANGE}
    inner_commit text the commit inside the merge, where one is named
    inner_probability real of the inner commit
    """,
)
SAMPLES = _table(
    "samples",
    "One value of one metric from one run; a run without a value has one row, whose metric is empty.",
    f"""
    job integer the job that made the run
    seq integer number of the fact in the job: rows with the same one are of one run
    recorded_at moment when the run was written down
    {_QUESTION}
    value real in the metric's unit
    commit text what was run; for what was tried, the tree that stands for it
    line text main, inner, aside (good beside the line) or tried
    index integer place on that line; 0 is the good end
    build integer 0 for the first build of the commit
    build_key text names the build
    purpose text warmup, ends, search, reference, verify, trial, control or environment
    outcome text ok, bench_failed, timeout, oom, no_result, infra or cancelled
    reason text why it is not ok
    compared boolean whether it is among what is compared: ok, and no warm-up
    started_seconds real on the job's own clock
    wall_seconds real of the process
    cpu_seconds real of the process and its children
    peak_memory_bytes integer largest resident size
    step integer the planned step it belongs to
    slot integer its place in the step
    lane integer group of processors it ran on
    beside_build boolean whether something was built at the same time
    host text fingerprint of the host
    container text id of the container, or name of the directory
    """,
)
BUILDS = _table(
    "builds",
    "A build that a job made or took over.",
    """
    job integer the job
    seq integer number of the fact in the job
    recorded_at moment when it was written down
    repository text where it is, without credentials
    scenario text its name
    commit text what was built
    line text main, inner, aside or tried
    index integer place on that line
    build integer 0 for the first build of the commit
    build_key text names the build: equal inputs share one
    outcome text ok, build_failed, timeout, oom, infra or cancelled
    reason text why it is not ok
    build_seconds real wall time; of one that was taken over, what it once took
    reused boolean whether it was at hand
    ahead boolean whether it was made before anybody asked for it
    clean boolean whether it was made once more without caches, after a failure
    runner text who made it
    content text digest of what it made
    """,
)
SERIES = _table(
    "series",
    "What was written down of a series of a sweep: nights, levels, closer looks, searches.",
    f"""
    series text repository/branch/scenario/metric@host class
    seq integer 1, 2, 3 … within the series
    recorded_at moment when it was written down
    kind text night, unmeasured, asked, accepted, looked or searched
    at moment what it is about: of a night the tick of the clock
    {_QUESTION}
    branch text the branch
    host_class text the kind of host
    commit text night: the tip; looked, searched, asked: the newer end; accepted: the level
    reference text what it is compared with: of a night the accepted commit
    tip_median real of the night's runs of the tip, in the metric's unit
    reference_median real of those of the accepted commit
    tip_runs integer how many
    reference_runs integer how many
    {_CHANGE}
    worse boolean searched: whether it is a regression
    job integer asked, searched: the job; night: the job that measured it, for its samples
    accepted_by text start, step or person
    note text accepted: why; unmeasured: why not
    host text night: fingerprint of the host
    """,
)
TABLES: Mapping[str, Table] = {table.name: table for table in (JOBS, CULPRITS, SAMPLES, BUILDS, SERIES)}
