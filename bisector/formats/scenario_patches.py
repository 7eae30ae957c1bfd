"""Fix-ups in a scenario file: patches that keep old commits building."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from bisector.formats.tables import Table


def below(name: str, what: str) -> str:
    """`name`, a relative path without steps upwards; ValueError for another."""
    if name.startswith("/") or not {"", ".", ".."}.isdisjoint(name.split("/")):
        raise ValueError(f"{name!r} is no path below {what}")
    return name


class PatchTable(Table):
    """A fix-up that keeps old commits building: a patch as `git diff` makes it, beside the scenario file."""

    file: Annotated[str, Field(min_length=1, max_length=4096, description="the patch, beside the scenario file")]
    when: Literal["applies", "always"] = Field(
        "applies", description="applies: commits that it does not fit are built without it; always: they are untestable"
    )

    @field_validator("file")
    @classmethod
    def _beside_the_scenario(cls, file: str) -> str:
        return below(file, "the scenario's directory, like 'fix-import.patch'")
