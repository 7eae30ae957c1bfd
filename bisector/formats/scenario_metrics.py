"""What a scenario file says of a metric."""

from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, field_validator, model_validator

from bisector.core.model.counting import COUNTERS, count_file
from bisector.core.model.scenario import Better, Metric
from bisector.formats.results import SOURCES, is_known_source, meaning
from bisector.formats.results.beside import BESIDE
from bisector.formats.results.statistic import KNOWN, is_share, statistic_of, usual_direction
from bisector.formats.scenario_sources import settled
from bisector.formats.tables import Table, Text, below

if TYPE_CHECKING:
    from bisector.formats.scenario import RunTable


class MetricTable(Table):
    """One number a run yields. The first metric is the one asked for unless another is named."""

    name: Annotated[str, Field(min_length=1, max_length=200, description="what it is called, also for --metric")]
    source: Text = Field(
        "json", description=f"{', '.join((*SOURCES, *BESIDE))}, regex:PATTERN with one group or count:PATTERN"
    )
    file: Text = Field("", description="read from {out}/FILE instead of standard output")
    select: Text = Field(
        "",
        description="key or dotted path in the JSON object, or the benchmark in a tool's file; "
        "the metric's name by default",
    )
    quantity: Text = Field("", description="which figure of the benchmark; its time, usually, when left out")
    statistic: Text = Field("median", description=f"of the inner values of one run: {KNOWN}")
    unit: Annotated[str, Field(max_length=40)] = Field("", description="what the source means when left out")
    better: Literal["lower", "higher"] | None = Field(
        None, description="what the tool means when left out, else lower; a share within a limit is better high"
    )
    min_effect: float = Field(0.03, gt=0, lt=10, strict=False, description="smallest relative change worth naming")
    exact: bool = Field(default=False, description="a counter without run-to-run noise: one run a commit is enough")
    allow_failures: float = Field(
        0.0, ge=0, le=1, strict=False, description="share of a run's own requests or checks that may fail"
    )
    tool: Literal["auto", "perf", "valgrind"] = Field(
        "auto", description="what counts instructions: perf where the processor's counters can be had, else valgrind"
    )

    @field_validator("source")
    @classmethod
    def _known_source(cls, source: str) -> str:
        if not is_known_source(source):
            near = get_close_matches(source, SOURCES, 1)
            raise ValueError(f"no such source: {source!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
        return source

    @model_validator(mode="after")
    def _known_statistic(self) -> "MetricTable":
        if statistic_of(self.statistic) is None:
            raise ValueError(f"no such statistic: {self.statistic!r}; known are {KNOWN}")
        if is_share(self.statistic) and self.unit:
            raise ValueError("a share has no unit: leave out `unit`")
        return self

    @model_validator(mode="after")
    def _known_counter(self) -> "MetricTable":
        if self.tool != "auto" and self.tool not in COUNTERS.get(self.source, ()):
            raise ValueError(f"source {self.source!r} is not counted by {self.tool}: leave out `tool`")
        if self.source == "size" and self.select:
            below(self.select, "the checkout, like 'build/app'")
        if self.file and self.source in COUNTERS:
            raise ValueError(f"source {self.source!r} is counted by us, and not read from a file: leave out `file`")
        return self


WALL = Metric(name="wall", source="wall", unit="s")
"""What is measured when a scenario names no metric: the run's wall time."""


def metric_of(table: MetricTable, run: "RunTable") -> Metric:
    """The metric that a scenario's table asks for."""
    unit, better = meaning(table.source, table.select or table.name, table.quantity)
    exact = table.exact or table.source in COUNTERS
    if is_share(table.statistic):
        unit, better = "", usual_direction(table.statistic)
    stated = Better(table.better) if table.better is not None else better
    if stated is not better:
        unit = ""  # Another quantity than the usual one: its unit is not known.
    file = table.file or count_file(table.source, table.select)
    told = {**table.model_dump(), "file": file, "better": stated, "unit": table.unit or unit, "exact": exact}
    return Metric(**{**told, **settled(table, run)})
