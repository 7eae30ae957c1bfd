"""The state that runs find, in a scenario file: what is set up once, what is prepared every time, data sets, a seed."""

import re
from collections.abc import Collection, Iterable
from typing import Annotated, Any

from pydantic import Field, model_validator

from bisector.core.model.state import DataSet
from bisector.formats.tables import Table, Text

MOST_DATA_SETS = 16
STATE = "{state}"
_DATA = re.compile(r"\{data\.([^{}]*)\}")


class StateKeys(Table):
    """The keys of [run] that say what a run finds."""

    setup: list[Text] = Field(
        default=[], description="shell lines run once in every new container (directory), before its first run"
    )
    prepare: list[Text] = Field(
        default=[], description="shell lines run before every run and its services, not timed; {state} is kept"
    )
    setup_seconds: float = Field(600.0, gt=0, le=86400, strict=False, description="how long setup may take")
    prepare_seconds: float = Field(60.0, gt=0, le=86400, strict=False, description="how long prepare may take")
    seed: int | None = Field(
        None, ge=0, le=(1 << 32) - 1, description="told to everything that runs, as BISECTOR_SEED and {seed}"
    )


class DataTable(Table):
    """A file that runs read: fetched once, held to its hash, seen read-only."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=40, description="as in {data.NAME}")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="of the file's content")]
    url: Annotated[str, Field(pattern=r"^https://[^\s@]+$", max_length=2000)] | None = Field(
        None, description="https address that it is fetched from, by bisector itself"
    )
    path: Annotated[str, Field(min_length=1, max_length=4096)] | None = Field(
        None, description="in place of an address: a file on the machine that measures; relative to this one"
    )

    @model_validator(mode="after")
    def _one_place(self) -> "DataTable":
        if (self.url is None) == (self.path is None):
            raise ValueError(f"data set {self.name}: name either url or path")
        return self

    def to_core(self) -> DataSet:
        """The same as a value."""
        return DataSet(name=self.name, sha256=self.sha256, url=self.url or "", path=self.path or "")


def data_table(data: DataSet) -> dict[str, Any]:
    """A data set as the table it could have been read from."""
    return {"name": data.name, "sha256": data.sha256, **({"url": data.url} if data.url else {"path": data.path})}


def check_state(run: StateKeys, words: Iterable[str], data: Collection[str]) -> None:
    """ValueError where one of the `words` of a run, its setup included, names what there is not, or two data sets have
    one name."""
    twice = sorted({name for name in data if list(data).count(name) > 1})
    if twice:
        raise ValueError(f"two data sets are called {twice[0]!r}")
    if len(data) > MOST_DATA_SETS:
        raise ValueError(f"{len(data)} data sets, more than {MOST_DATA_SETS}")
    for word in (*words, *run.setup, *run.prepare):
        for name in _DATA.findall(word):
            if name not in data:
                there = ", ".join(sorted(data)) or "none"
                raise ValueError(f"{{data.{name}}}: no data set is called {name!r}; there are: {there}")
        if STATE in word and not (run.setup or run.prepare):
            raise ValueError("{state}: nothing is kept there without setup or prepare")
        if "{seed}" in word and run.seed is None:
            raise ValueError("{seed}: the run has no seed")
