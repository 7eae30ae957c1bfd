"""The Docker engine as we use it: every call has a limit, and every fault says whose it is."""

import contextlib
import errno
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

import docker
import docker.errors
import requests
import urllib3

from bisector.core.model.units import Seconds
from bisector.errors import EnvironmentFault, InfraFault

CALL_LIMIT: Seconds = 60.0
"""For one call. Committing and unpacking a large build takes longer: see `patient`."""

PATIENT_LIMIT: Seconds = 900.0

_NOT_THERE = (errno.ENOENT, errno.ECONNREFUSED, errno.ENOTDIR, errno.ENXIO)
_FAULTS = (docker.errors.DockerException, requests.RequestException, urllib3.exceptions.HTTPError, OSError)


class Engine:
    """A connection of one thread's to the engine that DOCKER_HOST names, with the API version both sides know."""

    def __init__(self, limit: Seconds = CALL_LIMIT) -> None:
        try:
            # Without a version the two sides agree on one; a fixed one is refused by newer or older engines.
            self.api = docker.from_env(timeout=int(limit)).api
        except _FAULTS as error:
            raise _no_engine(error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.api.close()

    @contextlib.contextmanager
    def patient(self) -> Iterator[None]:
        """Calls made meanwhile may move a lot of data before they answer."""
        before = self.api.timeout
        self.api.timeout = int(PATIENT_LIMIT)
        try:
            yield
        finally:
            self.api.timeout = before

    def remove_container(self, container: str) -> None:
        """Remove a container, running or not, and its unnamed volumes. The engine may be gone: then `sweep` does it."""
        with contextlib.suppress(*_FAULTS):
            self.api.remove_container(container, force=True, v=True)

    def info(self) -> dict[str, Any]:
        """The engine and its machine, as it tells."""
        with faults("ask the engine about its machine"):
            info: dict[str, Any] = self.api.info()
        return info

    def state(self, container: str) -> dict[str, Any] | None:
        """The container's state as the engine has it; None when there is no such container."""
        with faults("look at a container"):
            try:
                state: dict[str, Any] = self.api.inspect_container(container)["State"]
            except docker.errors.NotFound:
                return None
            return state


@contextlib.contextmanager
def faults(doing: str) -> Iterator[None]:
    """Turn whatever the engine or the way to it does wrong into a fault of the machine's.

    A time-out or a lost connection says nothing about whether the call was carried out: whoever made something is to
    look for it by its labels (`sweep`).
    """
    try:
        yield
    except docker.errors.APIError as error:
        said = str(error.explanation or error).strip()
        if "no space left on device" in said:
            raise EnvironmentFault(
                f"cannot {doing}: the Docker engine has no space left", then="Free some, or run `bisector gc`"
            ) from error
        raise InfraFault(f"cannot {doing}", where=f"Docker says: {said}") from error
    except _FAULTS as error:
        raise InfraFault(f"cannot {doing}: the Docker engine does not answer", where=str(error)) from error


def _no_engine(error: Exception) -> EnvironmentFault:
    """Why there is no connection: nobody there, no right to it, or an engine that hangs (which may pass)."""
    text = str(error)
    if "PermissionError" in text or f"[Errno {errno.EACCES}]" in text:
        return EnvironmentFault(
            "this user may not talk to the Docker engine",
            where=text,
            then="Add it to the group docker, or use --runner local",
        )
    numbers = [f"Error({number}" for number in _NOT_THERE] + [f"[Errno {number}]" for number in _NOT_THERE]
    if any(number in text for number in numbers) or "Connection refused" in text or "No such file" in text:
        return EnvironmentFault(
            "no Docker engine answers", where=text, then="Start it, set DOCKER_HOST, or use --runner local"
        )
    return InfraFault("the Docker engine does not answer", where=text)
