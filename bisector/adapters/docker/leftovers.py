"""The images that a build brings along: those it pulled, and those that a classic build makes on its way. They bear no
label, and no build that fails takes them with it."""

import re
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import docker.errors

from bisector.adapters.docker.engine import Engine
from bisector.core.model.units import Seconds

_STEP = re.compile(r"Step \d+/\d+ : (\w+)")
_MADE = re.compile(r" ---> ([0-9a-f]{12})\s*$")
_LETTING_GO: Seconds = 10.0
_POLL: Seconds = 0.2


class Leftovers:
    """Learns from what the builder says which images are new, and removes them on the way out unless they are kept."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._images: list[str] = []
        self._given = False
        self._kept = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._kept:
            remove_leftovers(self._engine, self._images)

    @property
    def images(self) -> tuple[str, ...]:
        """The new images so far."""
        return tuple(self._images)

    def note(self, line: str) -> None:
        """Learn from a line of the builder's: what FROM names and what its cache holds was there before."""
        step = _STEP.search(line)
        if step:
            self._given = step[1].upper() == "FROM"
        elif "Using cache" in line:
            self._given = True
        elif (made := _MADE.search(line)) and not self._given:
            self._images.append(made[1])

    def add(self, image: str) -> None:
        """One that was not here before, by name."""
        self._images.append(image)

    def keep(self) -> None:
        """They belong to a build that is kept, and go with it."""
        self._kept = True


def remove_leftovers(engine: Engine, images: Sequence[str]) -> None:
    """Remove such images, last first; those that other images are made from stay."""
    limit = time.monotonic() + _LETTING_GO
    for image in reversed(images):
        while _is_held_by_a_container(engine, image) and time.monotonic() < limit:
            time.sleep(_POLL)


def _is_held_by_a_container(engine: Engine, image: str) -> bool:
    """Remove the image; whether a container prevents that, as that of a broken-off step does for a while."""
    try:
        engine.api.remove_image(image, noprune=True)
    except docker.errors.APIError as error:
        return error.status_code == 409 and "container" in str(error.explanation)
    except docker.errors.DockerException:
        pass
    return False
