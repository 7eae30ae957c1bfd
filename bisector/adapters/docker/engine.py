"""The Docker engine as we use it: every call has a limit, and every fault says whose it is."""

import contextlib
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import docker.errors
import requests
import urllib3
from docker import APIClient
from docker.constants import DEFAULT_UNIX_SOCKET
from docker.utils import kwargs_from_env

from bisector.adapters import durable
from bisector.core.model.units import Seconds
from bisector.errors import EnvironmentFault, InfraFault

CALL_LIMIT: Seconds = 60.0
"""For one call. Committing and unpacking a large build takes longer: see `patient`."""

PATIENT_LIMIT: Seconds = 900.0

_FAULTS = (docker.errors.DockerException, requests.RequestException, urllib3.exceptions.HTTPError, OSError)


@dataclass(frozen=True, kw_only=True)
class About:
    """What an engine says of itself."""

    version: str
    parts: Mapping[str, str]
    """What it is made of, with the version of each: containerd, runc."""
    root: str
    """Where it keeps images and containers, on its own machine."""
    socket: str
    """The file by which it is talked to; "" where that is none."""


class Engine:
    """A connection of one thread's to the engine that DOCKER_HOST names."""

    def __init__(self, limit: Seconds | None = None) -> None:
        limit = limit or CALL_LIMIT
        settings = kwargs_from_env()
        _knock(str(settings.get("base_url") or DEFAULT_UNIX_SOCKET.removeprefix("http+")), limit)
        try:
            # Without a version the two sides agree on one; a fixed one is refused by newer or older engines.
            self.api = APIClient(**settings, timeout=int(limit))
        except _FAULTS as error:
            raise InfraFault("the Docker engine does not answer", where=str(error)) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.api.close()

    def about(self) -> About:
        """What the engine says of itself."""
        info = self.info()
        with faults("ask the engine for its version"):
            told: dict[str, Any] = self.api.version()
        kind, _, address = str(kwargs_from_env().get("base_url") or DEFAULT_UNIX_SOCKET).rpartition("://")
        return About(
            version=str(info.get("ServerVersion", "of unknown version")),
            parts={str(part["Name"]): str(part["Version"]) for part in told.get("Components") or ()},
            root=str(info.get("DockerRootDir", "")),
            socket="/" + address.lstrip("/") if "unix" in kind else "",
        )

    @contextlib.contextmanager
    def patient(self) -> Iterator[None]:
        """Calls made meanwhile may move a lot of data before they answer."""
        before = self.api.timeout
        self.api.timeout = int(PATIENT_LIMIT)
        try:
            yield
        finally:
            self.api.timeout = before

    def remove_container(self, container: str) -> bool:
        """Remove a container, running or not, and its unnamed volumes; whether it is gone now."""
        try:
            with durable.step("remove a container"):
                self.api.remove_container(container, force=True, v=True)
        except docker.errors.NotFound:
            return True
        except _FAULTS:
            return False
        return True

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


def _knock(url: str, limit: Seconds) -> None:
    """EnvironmentFault unless somebody listens at `url` whom this user may talk to."""
    kind, _, address = url.partition("://")
    try:
        if kind == "unix":
            with socket.socket(socket.AF_UNIX) as knocking:
                knocking.settimeout(limit)
                knocking.connect("/" + address.lstrip("/"))
        elif kind in {"tcp", "http", "https"}:
            host, _, port = address.partition("/")[0].rpartition(":")
            socket.create_connection((host, int(port)), limit).close()
    except PermissionError as error:
        raise EnvironmentFault(
            f"this user may not talk to the Docker engine at {url}",
            then="Add it to the group docker, or use --runner local",
        ) from error
    except TimeoutError as error:
        raise InfraFault(f"the Docker engine at {url} does not answer") from error
    except (OSError, ValueError) as error:
        raise EnvironmentFault(
            f"no Docker engine answers at {url}",
            where=str(error),
            then="Start it, set DOCKER_HOST, or use --runner local",
        ) from error
