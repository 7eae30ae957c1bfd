"""What tables of files that people write have in common: no unknown keys, no guessed types, texts of bounded length."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Text = Annotated[str, Field(max_length=4096)]
Env = dict[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=256)], Text]


class Table(BaseModel):
    """A table: strict, and never changed."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def below(name: str, what: str) -> str:
    """`name`, a relative path without steps upwards; ValueError for another."""
    if name.startswith("/") or not {"", ".", ".."}.isdisjoint(name.split("/")):
        raise ValueError(f"{name!r} is no path below {what}")
    return name
