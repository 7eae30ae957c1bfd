"""Deliveries of alerts: each is done once, however often it is sent."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivered:
    """A delivery that came before: what it was answered, "" while that is still being found out."""

    outcome: str


class Deliveries(Protocol):
    """Which deliveries came, and what came of them, for as long as is kept."""

    def begin(self, hook: str, delivery: str) -> Delivered | None:
        """Note a delivery that is new (None), or what is known of it; one never finished is new after a minute."""
        ...

    def finish(self, hook: str, delivery: str, outcome: str) -> None:
        """Keep what a delivery was answered."""
        ...

    def forget(self, hook: str, delivery: str) -> None:
        """A delivery that could not be done: the same may be sent again."""
        ...
